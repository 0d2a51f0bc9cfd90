// The quarq command as people and scripts run it, on every kind of broker.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <stdexcept>

#include <boost/json.hpp>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <quarq/quarq.hpp>

#include "broker/broker.hpp"
#include "model/record.hpp"
#include "support/broker_places.hpp"
#include "support/command.hpp"
#include "support/on_loop.hpp"
#include "support/process.hpp"
#include "support/redis_place.hpp"
#include "support/temp_dir.hpp"

namespace quarq::test::cli_tests {

namespace {

using namespace std::chrono_literals;
namespace json = boost::json;
using words = std::vector<std::string>;

const std::string quarq_path = QUARQ_TEST_BIN_DIR "/quarq";

constexpr task<int(int, int)> add{"add", "a", "b"};
constexpr task<void(std::string)> greet{"greet", "whom"};
constexpr task<void()> wait_for_stop{"wait_for_stop"};

/// What is expected of a command that did what it was asked.
void expect_good(const command_result& r) {
  EXPECT_EQ(r.exit_code, 0) << r.out << r.err;
  EXPECT_EQ(r.err, "");
}

/// One line on the standard error, and nothing else.
void expect_error(const command_result& r, int code, const std::string& line) {
  EXPECT_EQ(r.exit_code, code);
  EXPECT_EQ(r.err, "quarq: " + line + "\n");
  EXPECT_EQ(r.out, "");
}

words lines_of(const std::string& text) {
  words lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::string one_line(const command_result& r) {
  const auto lines = lines_of(r.out);
  EXPECT_EQ(lines.size(), 1u) << r.out << r.err;
  return lines.empty() ? "" : lines.front();
}

class cli : public testing::TestWithParam<broker_kind> {
 protected:
  command_result quarq(words arguments, command_options options = {}) const {
    arguments.insert(arguments.begin(), quarq_path);
    options.environment.push_back("QUARQ_BROKER=" + place_->url());
    return run_command(std::move(arguments), std::move(options));
  }

  json::value quarq_json(words arguments) const {
    arguments.push_back("--json");
    const auto r = quarq(std::move(arguments));
    EXPECT_EQ(r.err, "");
    return json::parse(one_line(r));
  }

  std::string enqueued(words arguments) const {
    arguments.insert(arguments.begin(), "enqueue");
    const auto r = quarq(std::move(arguments));
    expect_good(r);
    return one_line(r);
  }

  std::string state_of(const std::string& id) const {
    return quarq_json({"job", id}).at("state").as_string().c_str();
  }

  worker_options options() const {
    worker_options o;
    o.broker = place_->url();
    return o;
  }

  /// Runs what is queued: `add` adds, `greet` throws.
  void work(worker_options o) const {
    worker w(o);
    w.handle(add, [](int a, int b) { return a + b; });
    w.handle(greet, [](std::string whom) { throw std::runtime_error("no greeting for " + whom); });
    run_on_loop(w.run());
  }
  void work() const {
    auto o = options();
    o.burst = true;
    work(o);
  }

  std::string url() const { return place_->url(); }
  broker_place& place() const { return *place_; }

 private:
  std::unique_ptr<broker_place> place_ = GetParam().make();
};

std::vector<broker_kind> kinds() {
  std::vector<broker_kind> chosen;
  for (const auto& kind : broker_kinds()) {
    if (kind.name == "sqlite_full" || kind.name == "redis_appendonly" || kind.name == "arq_pickle")
      chosen.push_back(kind);
  }
  return chosen;
}

INSTANTIATE_TEST_SUITE_P(at, cli, testing::ValuesIn(kinds()), [](const auto& p) { return p.param.name; });

// ---- enqueue

TEST_P(cli, enqueue_prints_the_id_and_a_worker_runs_the_job) {
  const auto id = enqueued({"add", "2", "3"});
  EXPECT_EQ(id.size(), 26u);
  EXPECT_EQ(state_of(id), "queued");
  work();
  const auto job = quarq_json({"job", id});
  EXPECT_EQ(job.at("state"), "succeeded");
  EXPECT_EQ(job.at("result"), 5);
  EXPECT_EQ(job.at("task"), "add");
  EXPECT_EQ(job.at("tries"), 1);
  EXPECT_FALSE(job.at("worker").as_string().empty());
  for (const auto* name : {"enqueued_at", "started_at", "finished_at"}) {
    EXPECT_TRUE(job.at(name).is_string()) << name;
  }
}

TEST_P(cli, arguments_travel_as_the_json_they_are) {
  const json::value arguments = json::parse(R"([[1, 2], {}, [], "", -5, {"a": [true, null, "ü"]}])");
  words line = {"t", "--id", "a"};
  for (const auto& a : arguments.as_array()) line.push_back(json::serialize(a));
  enqueued(line);
  EXPECT_EQ(quarq_json({"job", "a"}).at("arguments"), arguments);
}

TEST_P(cli, with_string_arguments_need_no_quotes_and_may_look_like_anything) {
  enqueued({"t", "-s", "--id", "a", "plain", "[1]", "{}", "--", "--flag", "jobs"});
  EXPECT_EQ(json::serialize(quarq_json({"job", "a"}).at("arguments")),
            R"(["plain","[1]","{}","--flag","jobs"])");
}

TEST_P(cli, options_of_a_job_reach_it) {
  const auto priority = place().powers().priorities ? "9" : "5";
  enqueued(
      {"add", "1", "2", "--id", "mine", "--delay", "1h30min", "--expires", "10s", "--priority", priority});
  const auto job = quarq_json({"job", "mine"});
  EXPECT_EQ(job.at("state"), "deferred");
  EXPECT_EQ(json::serialize(job.at("priority")), priority);
  EXPECT_TRUE(job.at("due_at").is_string());
  EXPECT_TRUE(job.at("expires_at").is_string());
  const auto people = quarq({"job", "mine"});
  expect_good(people);
  EXPECT_NE(people.out.find("due        2"), std::string::npos) << people.out;
  EXPECT_NE(people.out.find("(in 89 min)"), std::string::npos) << people.out;
}

TEST_P(cli, at_sets_the_moment) {
  enqueued({"t", "--id", "later", "--at", "2200-01-31T08:30:00.25+01:00"});
  EXPECT_EQ(quarq_json({"job", "later"}).at("due_at"), "2200-01-31T07:30:00.250Z");
}

TEST_P(cli, tries_and_keep_are_obeyed) {
  enqueued({"greet", "\"Ann\"", "--tries", "1", "--id", "once"});
  enqueued({"add", "1", "2", "--keep", "0", "--id", "gone"});
  work();
  EXPECT_EQ(state_of("once"), "failed");
  expect_error(quarq({"job", "gone"}), 1,
               "no job with id \"gone\": it never was, or it has ended and its result is no longer kept");
}

TEST_P(cli, a_taken_id_is_refused) {
  enqueued({"t", "--id", "mine"});
  expect_error(quarq({"enqueue", "t", "--id", "mine"}), 1,
               "a job with id \"mine\" is queued, running or kept already");
}

TEST_P(cli, wait_prints_the_result) {
  process waiting({quarq_path, "enqueue", "add", "2", "40", "--wait", "--broker", url()});
  auto one = options();
  one.max_jobs = 1;
  work(one);
  const auto end = waiting.wait(default_timeout);
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(end->code, 0) << waiting.log();
  EXPECT_EQ(waiting.output(), "42\n");
}

TEST_P(cli, wait_reports_the_jobs_error) {
  process waiting({quarq_path, "enqueue", "greet", "\"Ann\"", "--tries", "1", "--id", "a", "--wait=1min",
                   "--broker", url()});
  auto one = options();
  one.max_jobs = 1;
  work(one);
  const auto end = waiting.wait(default_timeout);
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(end->code, 1);
  EXPECT_EQ(waiting.output(), "");
  EXPECT_EQ(waiting.log(), "quarq: job a ended as failed: std::runtime_error: no greeting for Ann\n");
}

TEST_P(cli, wait_gives_up_in_time_and_the_job_stays) {
  expect_error(quarq({"enqueue", "add", "1", "2", "--id", "a", "--wait=50ms"}), 1,
               "job a has not ended within 50 ms");
  EXPECT_EQ(state_of("a"), "queued");
}

// ---- looking

TEST_P(cli, queues_are_counted) {
  enqueued({"t"});
  enqueued({"t", "--delay", "1h"});
  enqueued({"t", "--queue", "other"});
  const auto all = quarq_json({"queues"});
  EXPECT_EQ(json::serialize(all),
            R"([{"queue":"default","queued":1,"deferred":1,"running":0,"dead":0,"kept":0,"workers":0},)"
            R"({"queue":"other","queued":1,"deferred":0,"running":0,"dead":0,"kept":0,"workers":0}])");
  EXPECT_EQ(quarq_json({"queues", "--queue", "other"}).as_array().size(), 1u);
  const auto people = quarq({"queues"});
  expect_good(people);
  EXPECT_EQ(people.out,
            "QUEUE    QUEUED  DEFERRED  RUNNING  DEAD  KEPT  WORKERS\n"
            "default       1         1        0     0     0        0\n"
            "other         1         0        0     0     0        0\n");
}

TEST_P(cli, jobs_are_listed_by_state_and_in_all_states) {
  enqueued({"greet", "\"Ann\"", "--tries", "1", "--id", "bad"});
  enqueued({"add", "1", "2", "--id", "good"});
  work();
  enqueued({"add", "3", "4", "--id", "new"});
  enqueued({"add", "5", "6", "--id", "later", "--delay", "1h"});
  const auto ids = [&](words arguments) {
    std::string all;
    arguments.insert(arguments.begin(), "jobs");
    const auto list = quarq_json(arguments);
    for (const auto& job : list.at("jobs").as_array()) {
      all += std::string(job.at("id").as_string()) + " ";
    }
    return all;
  };
  EXPECT_EQ(ids({}), "new later bad good ");
  EXPECT_EQ(ids({"--state", "deferred"}), "later ");
  EXPECT_EQ(ids({"--state", "succeeded"}), "good ");
  EXPECT_EQ(ids({"--state", "dead"}), "");
  const auto lines = lines_of(quarq({"jobs"}).out);
  ASSERT_EQ(lines.size(), 5u);
  EXPECT_TRUE(lines[0].starts_with("ID     STATE      TASK   TRIES  WHEN")) << lines[0];
  EXPECT_TRUE(lines[1].starts_with("new    queued     add        0  ")) << lines[1];
  EXPECT_NE(lines[2].find("in 59 min"), std::string::npos) << lines[2];
  EXPECT_TRUE(lines[3].ends_with("std::runtime_error: no greeting for Ann")) << lines[3];
  EXPECT_EQ(quarq({"jobs", "--state", "dead"}).out, "no dead jobs in queue default\n");
}

TEST_P(cli, a_list_that_was_cut_says_so) {
  for (int i = 0; i < 3; ++i) enqueued({"t"});
  const auto people = quarq({"jobs", "--limit", "2"});
  expect_good(people);
  const auto lines = lines_of(people.out);
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[3], "... only 2 queued jobs are shown, there are more: --limit N");
  const auto cut = quarq_json({"jobs", "--limit", "2"});
  EXPECT_EQ(cut.at("jobs").as_array().size(), 2u);
  EXPECT_EQ(json::serialize(cut.at("cut")), R"(["queued"])");
  EXPECT_EQ(json::serialize(quarq_json({"jobs", "--limit", "3"}).at("cut")), "[]");
}

TEST_P(cli, long_arguments_are_cut_in_tables_between_characters) {
  std::string many;
  for (int i = 0; i < 50; ++i) many += "ü€😀";
  enqueued({"t", "-s", many});
  const auto lines = lines_of(quarq({"jobs"}).out);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_TRUE(lines[1].ends_with("…")) << lines[1];
  EXPECT_LT(lines[1].size(), 400u);
  EXPECT_NO_THROW(to_msgpack(lines[1])) << "not UTF-8";
}

TEST_P(cli, a_hostile_job_can_not_play_with_the_terminal) {
  // ESC, DEL, the one-byte CSI of C1, and a right-to-left override.
  const std::string hostile =
      "\x1b[2J\x7f\xc2\x9b"
      "31m\xe2\x80\xae";
  enqueued({"t" + hostile, "-s", hostile, "--id", "i" + hostile});
  const std::string safe = R"(\u001b[2J\u007f\u009b31m\u202e)";
  for (const words& line : {words{"jobs"}, words{"job", "i" + hostile}, words{"jobs", "--json"}}) {
    const auto r = quarq(line);
    expect_good(r);
    for (const auto& part : {"t" + safe, "i" + safe, "\"" + safe + "\""}) {
      EXPECT_NE(r.out.find(part), std::string::npos) << part << r.out;
    }
    for (const char* bad : {"\x1b", "\x7f", "\xc2\x9b", "\xe2\x80\xae"}) {
      EXPECT_EQ(r.out.find(bad), std::string::npos);
    }
  }
  const auto read_back = quarq_json({"job", "i" + hostile});
  EXPECT_EQ(read_back.at("arguments").at(0).as_string(), hostile);
  EXPECT_EQ(quarq({"job", hostile}).err.find('\x1b'), std::string::npos);
}

/// Holds a job that nobody can read, as another program may have left it.
awaitable<void> enqueue_garbage(broker_place& place) {
  const std::string garbage = "\xc1\xff nothing of ours";
  if (const auto* arq = dynamic_cast<arq_place*>(&place)) {
    arq->server().command({"SET", "arq:job:garbage", garbage});
    arq->server().command({"ZADD", "arq:queue", "1", "garbage"});
    co_return;
  }
  const auto loop = co_await boost::asio::this_coro::executor;
  const auto store = place.open(loop);
  std::vector<broker::new_job> jobs(1);
  jobs[0].id = "garbage";
  jobs[0].record = garbage;
  co_await store->enqueue("default", jobs);
}

TEST_P(cli, a_payload_that_can_not_be_read_hides_no_other_job) {
  run_on_loop(enqueue_garbage(place()));
  enqueued({"add", "1", "2", "--id", "fine"});
  const auto all = quarq_json({"jobs"}).at("jobs");
  ASSERT_EQ(all.as_array().size(), 2u);
  EXPECT_EQ(all.at(0).at("error_type"), "quarq::decode_error");
  EXPECT_TRUE(all.at(0).at("error").as_string().starts_with("job payload: "));
  EXPECT_TRUE(all.at(0).at("arguments").is_null());
  EXPECT_EQ(all.at(1).at("id"), "fine");
}

// ---- doing

TEST_P(cli, cancel_says_what_became_of_each) {
  enqueued({"t", "--id", "a"});
  enqueued({"add", "1", "2", "--id", "done"});
  enqueued({"t", "--id", "b", "--delay", "1h"});
  const auto cancelled = quarq({"cancel", "a", "b"});
  expect_good(cancelled);
  EXPECT_EQ(cancelled.out, "a: cancelled\nb: cancelled\n");
  const auto a = quarq_json({"job", "a"});
  EXPECT_EQ(a.at("state"), "cancelled");
  EXPECT_EQ(a.at("task"), "t");
  EXPECT_EQ(a.at("error_type"), "quarq::cancelled");
  EXPECT_EQ(a.at("error"), "t was cancelled before it ran");
  EXPECT_EQ(quarq({"cancel", "a"}).out, "a: too late: it has ended\n");
  work();
  const auto late = quarq({"cancel", "done"});
  expect_good(late);
  EXPECT_EQ(late.out, "done: too late: it has ended\n");
  const auto nobody = quarq({"cancel", "done", "nobody", "--json"});
  EXPECT_EQ(nobody.exit_code, 1);
  EXPECT_EQ(
      nobody.out,
      "[{\"id\": \"done\", \"outcome\": \"too_late\"}, {\"id\": \"nobody\", \"outcome\": \"not_found\"}]\n");
}

TEST_P(cli, a_running_job_is_seen_with_its_worker_and_can_be_cancelled) {
  enqueued({"wait_for_stop", "--id", "a"});
  auto o = options();
  o.max_jobs = 1;
  o.concurrency = 7;
  worker w(o);
  words seen;
  const auto look = [&] {
    const auto workers = quarq_json({"workers"});
    EXPECT_EQ(workers.as_array().size(), 1u);
    EXPECT_EQ(workers.at(0).at("running"), 1);
    EXPECT_EQ(workers.at(0).at("concurrency"), 7);
    EXPECT_GT(workers.at(0).at("lease_ms").as_int64(), 0);
    const auto job = quarq_json({"job", "a"});
    EXPECT_EQ(job.at("state"), "running");
    EXPECT_EQ(job.at("worker"), workers.at(0).at("worker"));
    const auto table = lines_of(quarq({"workers"}).out);
    EXPECT_EQ(table.size(), 2u);
    EXPECT_EQ(table.at(0).substr(table.at(0).find("RUNNING")), "RUNNING  DONE  CONCURRENCY  LEASE");
    expect_error(quarq({"purge", "--state", "running", "--yes"}), 2,
                 "--state: running jobs can't be purged, cancel them instead (see quarq purge --help)");
    const auto r = quarq({"cancel", "a"});
    expect_good(r);
    seen = lines_of(r.out);
  };
  // On the worker's thread pool, so that its loop goes on.
  w.handle(wait_for_stop, [&](std::stop_token stop) {
    look();
    std::mutex mutex;
    std::condition_variable_any stopped;
    std::unique_lock lock(mutex);
    stopped.wait_for(lock, stop, default_timeout, [] { return false; });
    if (stop.stop_requested()) throw cancelled("stopped");
  });
  run_on_loop(w.run());
  EXPECT_EQ(seen, words{"a: requested: it is running, and its worker has been told to stop it"});
  EXPECT_EQ(state_of("a"), "cancelled");
}

TEST_P(cli, dead_jobs_are_requeued_by_name_or_all) {
  for (const auto* id : {"a", "b", "c"}) enqueued({"no_such_task", "--tries", "1", "--id", id});
  work();
  ASSERT_EQ(state_of("a"), "dead");
  const auto two = quarq({"requeue", "a", "nobody", "a"});
  EXPECT_EQ(two.exit_code, 1);
  EXPECT_EQ(two.out, "1 requeued\n");
  EXPECT_EQ(two.err, "quarq: no job with id \"nobody\"\n");
  EXPECT_EQ(state_of("a"), "queued");
  const auto queued = quarq({"requeue", "a"});
  EXPECT_EQ(queued.exit_code, 1);
  EXPECT_EQ(queued.err, "quarq: a is queued, not dead\n");
  const auto all = quarq({"requeue", "--all-dead"});
  expect_good(all);
  EXPECT_EQ(all.out, "2 requeued\n");
  EXPECT_EQ(quarq({"requeue", "--all-dead", "--json"}).out, "{\"requeued\": 0, \"not_dead\": []}\n");
  for (const words& wrong : {words{"requeue"}, words{"requeue", "a", "--all-dead"}}) {
    expect_error(quarq(wrong), 2,
                 "requeue: expected either the ids of dead jobs or --all-dead (see quarq requeue --help)");
  }
}

TEST_P(cli, purge_asks_on_a_terminal_and_refuses_without_one) {
  enqueued({"t", "--id", "a"});
  const words purge = {"purge", "--state", "queued"};
  expect_error(quarq(purge), 2,
               "purge asks before it forgets jobs, and there is no terminal to ask on: give --yes "
               "(see quarq purge --help)");
  command_options typed;
  typed.terminal = true;
  typed.input = "n\n";
  const auto no = quarq(purge, typed);
  EXPECT_EQ(no.exit_code, 1);
  EXPECT_EQ(no.err, "Forget all queued jobs of queue default at " + broker::without_password(url()) +
                        "? [y/N] quarq: nothing was purged\n");
  EXPECT_EQ(state_of("a"), "queued");
  typed.input = "y\n";
  const auto yes = quarq(purge, typed);
  EXPECT_EQ(yes.exit_code, 0);
  EXPECT_EQ(yes.out, "1 purged\n");
  EXPECT_EQ(quarq({"job", "a"}).exit_code, 1);
  enqueued({"t"});
  enqueued({"t"});
  EXPECT_EQ(quarq({"purge", "--state", "queued", "--yes", "--json"}).out, "{\"purged\": 2}\n");
}

// ---- what goes wrong

TEST_P(cli, wrong_command_lines_are_refused_in_a_line) {
  const std::vector<std::pair<words, std::string>> lines = {
      {{"frobnicate"},
       "\"frobnicate\" is not a command: expected queues, jobs, job, enqueue, cancel, requeue, purge, "
       "workers, "
       "help (see quarq --help)"},
      {{},
       "no command was given: expected queues, jobs, job, enqueue, cancel, requeue, purge, workers, help "
       "(see quarq --help)"},
      {{"jobs", "--frob"}, "The following argument was not expected: --frob (see quarq jobs --help)"},
      {{"job"}, "ID is required (see quarq job --help)"},
      {{"jobs", "--state", "ded"},
       "--state: expected queued, deferred, running, succeeded, failed, cancelled, expired or dead, got "
       "\"ded\" (see quarq jobs --help)"},
      {{"jobs", "--limit", "0"},
       "--limit: expected a whole number from 1 to 1000000, got \"0\" (see quarq jobs --help)"},
      {{"enqueue", "t", "1", "hello"},
       "argument 2 (hello): JSON, line 1, column 1: syntax error; a string needs its quotes: '\"text\"', or "
       "give --string (see quarq enqueue --help)"},
      {{"enqueue", "t", "{\"a\": 1,}"},
       "argument 1 ({\"a\": 1,}): JSON, line 1, column 9: syntax error; a string needs its quotes: "
       "'\"text\"', or give --string (see quarq enqueue --help)"},
      {{"enqueue", "t", "--delay", "5m"},
       "--delay: expected a duration like 10s, 5min, 1h30min, 250ms or 2d, got \"5m\" (see quarq enqueue "
       "--help)"},
      {{"enqueue", "t", "--at", "2030-01-31"},
       "--at: expected a time with its zone, like 2030-01-31T08:30:00Z or 2030-01-31T08:30+01:00, got "
       "\"2030-01-31\" (see quarq enqueue --help)"},
      {{"enqueue", "t", "--priority", "12"},
       "--priority: expected a whole number from 0 to 9, got \"12\" (see quarq enqueue --help)"},
      {{"queues", "--queue", "a b"},
       "queue name \"a b\": expected 1 to 100 characters without white space and braces (see quarq queues "
       "--help)"},
      {{"queues", "--broker", "http://x"},
       "\"http:\" is not a broker that is known: use sqlite:FILE, sqlite::memory:, redis://HOST, "
       "rediss://HOST, redis+unix://PATH or redis+sentinel://HOST,HOST; or arq://HOST, arqs://HOST, "
       "arq+unix://PATH, arq+sentinel://HOST,HOST for python-arq's jobs "
       "(see quarq queues --help)"},
  };
  for (const auto& [line, message] : lines) expect_error(quarq(line), 2, message);
}

TEST_P(cli, a_reader_that_goes_away_changes_nothing_and_is_not_complained_about) {
  enqueued({"t", "--id", "a"});
  command_options unread;
  unread.output_closed = true;
  const auto r = quarq({"cancel", "a"}, unread);
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_EQ(r.signal, 0);
  EXPECT_EQ(r.err, "");
  EXPECT_EQ(state_of("a"), "cancelled");
}

command_result quarq_alone(words arguments, command_options options = {}) {
  arguments.insert(arguments.begin(), quarq_path);
  options.environment.push_back("QUARQ_BROKER");
  return run_command(std::move(arguments), std::move(options));
}

TEST(cli_alone, a_missing_file_is_an_error_and_is_not_made) {
  const temp_dir folder;
  command_options there;
  there.folder = folder.path();
  const words commands[] = {{"queues"},
                            {"jobs"},
                            {"job", "a"},
                            {"workers"},
                            {"cancel", "a"},
                            {"requeue", "--all-dead"},
                            {"purge", "--state", "dead", "--yes"}};
  for (const auto& line : commands) {
    expect_error(quarq_alone(line, there), 1,
                 "no such file: jobs.db (--broker or QUARQ_BROKER say where the jobs are)");
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
  expect_good(quarq_alone({"enqueue", "t"}, there));
  EXPECT_TRUE(std::filesystem::exists(folder / "jobs.db"));
  expect_good(quarq_alone({"queues"}, there));
}

TEST(cli_alone, a_file_that_is_no_database_is_named) {
  const temp_dir folder;
  const std::string file = folder / "notes.txt";
  std::ofstream(file) << std::string(5000, 'x');
  const auto r = quarq_alone({"queues", "--broker", "sqlite:" + file});
  EXPECT_EQ(r.exit_code, 1);
  EXPECT_NE(r.err.find(file), std::string::npos) << r.err;
  EXPECT_NE(r.err.find("not a database"), std::string::npos) << r.err;
  EXPECT_EQ(lines_of(r.err).size(), 1u) << r.err;
}

TEST(cli_alone, memory_is_refused_since_nothing_is_in_it) {
  expect_error(quarq_alone({"queues", "--broker", "sqlite::memory:"}), 2,
               "sqlite::memory: belongs to one process: a command would find nothing in it (see quarq queues "
               "--help)");
}

TEST(cli_alone, a_server_that_is_away_is_named_without_its_password) {
  redis_server server;
  const auto port = std::to_string(server.port());
  server.kill();
  const auto r = quarq_alone({"queues", "--broker", "redis://ann:secret@127.0.0.1:" + port});
  EXPECT_EQ(r.exit_code, 1);
  EXPECT_NE(r.err.find("127.0.0.1:" + port), std::string::npos) << r.err;
  EXPECT_EQ(r.err.find("secret"), std::string::npos) << r.err;
  EXPECT_EQ(lines_of(r.err).size(), 1u) << r.err;
}

TEST(cli_alone, version_and_help) {
  const auto version = quarq_alone({"--version"});
  expect_good(version);
  EXPECT_TRUE(version.out.starts_with("quarq ")) << version.out;
  const auto help = quarq_alone({"help"});
  expect_good(help);
  EXPECT_EQ(help.out, quarq_alone({"--help"}).out);
  for (const auto* command : {"queues", "jobs", "job", "enqueue", "cancel", "requeue", "purge", "workers"}) {
    EXPECT_NE(help.out.find(std::string("\n  ") + command + " "), std::string::npos) << command;
    const auto about = quarq_alone({"help", command});
    expect_good(about);
    EXPECT_NE(about.out.find(std::string("Usage: quarq ") + command), std::string::npos) << about.out;
    EXPECT_EQ(about.out, quarq_alone({command, "--help"}).out);
  }
}

}  // namespace

}  // namespace quarq::test::cli_tests
