// What a worker's command line does, in a process of its own.
#include <csignal>
#include <sstream>

#include <boost/json.hpp>
#include <gtest/gtest.h>
#include <unistd.h>

#include <quarq/quarq.hpp>

#include "programs/fault_tasks.hpp"
#include "programs/log_tasks.hpp"
#include "support/forked.hpp"
#include "support/on_loop.hpp"
#include "support/process.hpp"
#include "support/redis_server.hpp"
#include "support/temp_dir.hpp"

namespace quarq::test::worker_main_tests {
namespace {

using namespace std::chrono_literals;

class worker_main : public testing::Test {
 protected:
  void enqueue(int count) {
    const auto client = [&]() -> awaitable<void> {
      queue q(url_);
      for (int i = 0; i < count; ++i) co_await q.enqueue(note(4711));
    };
    run_on_loop(client);
  }

  /// Its log, when it has ended by itself.
  std::string run(std::vector<std::string> options) {
    options.insert(options.begin(), {program("fault_worker"), "--broker", url_});
    process worker(std::move(options));
    const auto end = worker.wait(default_timeout);
    EXPECT_TRUE(end && end->code == 0) << worker.log();
    return worker.log();
  }

  /// A worker for the log, with what it logs as JSON, until it ends by itself.
  std::vector<boost::json::object> run_for_programs() {
    process worker({program("log_worker"), "--broker", url_, "--burst-deferred", "--log-format", "json"});
    const auto end = worker.wait(default_timeout);
    EXPECT_TRUE(end && end->code == 0) << worker.log();
    std::vector<boost::json::object> lines;
    std::istringstream log(worker.log());
    for (std::string line; std::getline(log, line);) {
      std::error_code broken;
      const auto read = boost::json::parse(line, broken);
      EXPECT_FALSE(broken) << line;
      if (!broken) lines.push_back(read.as_object());
    }
    return lines;
  }

  static int count(const std::string& text, const std::string& in) {
    int found = 0;
    for (auto at = in.find(text); at != std::string::npos; at = in.find(text, at + 1)) ++found;
    return found;
  }

  temp_dir dir_;
  std::string url_ = "sqlite:" + (dir_ / "jobs.db");
};

TEST_F(worker_main, logs_results_unless_told_not_to) {
  enqueue(1);
  auto log = run({"--burst"});
  EXPECT_EQ(count("finished task=note", log), 1) << log;
  EXPECT_EQ(count("result=4711", log), 1) << log;
  enqueue(1);
  log = run({"--burst", "--no-log-results"});
  EXPECT_EQ(count("finished task=note", log), 1) << log;
  EXPECT_EQ(count("result", log), 0) << log;
}

TEST_F(worker_main, a_burst_may_be_limited_to_some_jobs) {
  enqueue(5);
  auto log = run({"--burst", "--max-jobs", "2"});
  EXPECT_EQ(count("finished task=note", log), 2) << log;
  log = run({"--burst", "--max-jobs", "10"});
  EXPECT_EQ(count("finished task=note", log), 3) << log;
}

// ---- JSON lines

namespace json = boost::json;

/// The only line about this event and job.
json::object line_of(const std::vector<json::object>& lines, std::string_view event, std::string_view id) {
  std::vector<json::object> found;
  for (const auto& line : lines) {
    const auto *what = line.if_contains("event"), *whose = line.if_contains("id");
    if (what && whose && what->as_string() == event && whose->as_string() == id) found.push_back(line);
  }
  EXPECT_EQ(found.size(), 1u) << event << " of " << id;
  return found.empty() ? json::object() : found.front();
}

std::string text(const json::object& line, std::string_view member) {
  const auto* value = line.if_contains(member);
  return value && value->is_string() ? std::string(value->as_string()) : "(none)";
}

TEST_F(worker_main, json_lines_tell_all_of_a_job) {
  const std::string odd = "say \"no\", \\ and\n\t\x01 caf\xc3\xa9";
  const auto client = [&]() -> awaitable<void> {
    queue q(url_);
    auto a = echo(odd).id("a \"quoted\" id");
    co_await q.enqueue(std::move(a));
    auto b = fail(odd + std::string(2'000, 'x')).id("b");
    co_await q.enqueue(std::move(b));
    auto c = stumble().id("c");
    co_await q.enqueue(std::move(c));
  };
  run_on_loop(client);
  const auto lines = run_for_programs();
  for (const auto& line : lines) {
    const auto time = text(line, "time");
    EXPECT_EQ(time.size(), std::string_view("2026-11-22T14:14:20.272Z").size()) << time;
    EXPECT_EQ(time.substr(10, 1) + time.substr(19, 1) + time.substr(23), "T.Z") << time;
  }
  const auto started = line_of(lines, "started", "a \"quoted\" id");
  EXPECT_EQ(text(started, "level") + text(started, "task") + text(started, "queue"), "infoechodefault");
  EXPECT_EQ(started.at("attempt").as_int64(), 1);
  EXPECT_GE(started.at("max_attempts").as_int64(), 1);
  EXPECT_GE(started.at("waited_ms").to_number<double>(), 0);
  EXPECT_NE(text(started, "args").find("say \\\"no\\\""), std::string::npos) << text(started, "args");
  const auto finished = line_of(lines, "finished", "a \"quoted\" id");
  EXPECT_GT(finished.at("took_ms").to_number<double>(), 0);
  EXPECT_NE(text(finished, "result"), "(none)");

  const auto failed = line_of(lines, "failed", "b");
  EXPECT_EQ(text(failed, "level") + " " + text(failed, "error_type"), "error std::invalid_argument");
  EXPECT_EQ(text(failed, "error").substr(0, 10), "say \"no\", ");
  EXPECT_LT(text(failed, "error").size(), 1'100u);
  const auto retried = line_of(lines, "retried", "c");
  EXPECT_EQ(text(retried, "level") + " " + text(retried, "error"), "warn not yet");
  EXPECT_GE(retried.at("again_in_ms").to_number<double>(), 1);
}

TEST_F(worker_main, json_lines_tell_what_the_worker_does_and_says) {
  const auto lines = run_for_programs();
  ASSERT_GE(lines.size(), 2u);
  EXPECT_EQ(text(lines.front(), "event"), "serving");
  EXPECT_EQ(text(lines.front(), "broker"), url_);
  EXPECT_EQ(lines.front().at("queues").as_array().size(), 1u);
  EXPECT_EQ(lines.front().at("tasks").as_array().front().as_string(), "the_task");
  EXPECT_EQ(text(lines.back(), "event"), "stopped");
}

TEST_F(worker_main, what_keeps_it_from_running_is_a_json_line_too) {
  process worker(
      {program("log_worker"), "--broker", "sqlite:" + (dir_ / "missing/jobs.db"), "--log-format", "json"});
  const auto end = worker.wait(default_timeout);
  ASSERT_TRUE(end && end->code == 1) << worker.log();
  const auto log = worker.log();
  const auto line = json::parse(log.substr(log.rfind('\n', log.size() - 2) + 1)).as_object();
  EXPECT_EQ(text(line, "level"), "error");
  EXPECT_NE(text(line, "message").find("there is no folder"), std::string::npos) << worker.log();
}

// ---- what it says of itself

TEST_F(worker_main, names_its_tasks_at_its_start_and_in_its_help) {
  EXPECT_EQ(count("; it handles note, note_slowly, ", run({"--burst"})), 1);
  process help({program("fault_worker"), "--help"});
  ASSERT_TRUE(help.wait(default_timeout));
  EXPECT_EQ(count("\nIt handles note, note_slowly, ", help.output()), 1) << help.output();
  EXPECT_EQ(count("Usage: fault_worker ", help.output()), 1) << help.output();
  process version({program("fault_worker"), "--version"});
  const auto end = version.wait(default_timeout);
  EXPECT_TRUE(end && end->code == 0);
  EXPECT_EQ(version.output().find("fault_worker: a worker of quarq "), 0u) << version.output();
}

// ---- mistakes of those who start it

TEST_F(worker_main, a_burst_gives_up_a_broker_that_is_not_there) {
  redis_server server;
  const auto url = server.url();
  server.kill();
  process worker({program("fault_worker"), "--broker", url, "--burst", "--burst-timeout", "0.3"});
  const auto end = worker.wait(default_timeout);
  ASSERT_TRUE(end) << worker.log();
  EXPECT_EQ(end->code, 1);
  EXPECT_EQ(count("fault_worker: ", worker.log()), 1) << worker.log();
  EXPECT_GE(count("Connection refused", worker.log()), 1) << worker.log();
}

TEST_F(worker_main, a_wrong_password_ends_it_with_a_line_that_does_not_show_it) {
  const redis_server server({.password = "right"});
  process worker(
      {program("fault_worker"), "--broker", "redis://:s3cret@127.0.0.1:" + std::to_string(server.port())});
  const auto end = worker.wait(default_timeout);
  ASSERT_TRUE(end) << worker.log();
  EXPECT_EQ(end->code, 1);
  EXPECT_EQ(count("fault_worker: ", worker.log()), 1) << worker.log();
  EXPECT_EQ(count("does not accept the user and password", worker.log()), 1) << worker.log();
  EXPECT_EQ(count("s3cret", worker.log()), 0) << worker.log();
}

/// What main() prints, and the code it returns, in a process of its own.
template <class Prepare>
std::string said_by_main(const Prepare& prepare) {
  const temp_dir folder;
  forked alone([&] {
    if (!std::freopen((folder / "stderr").c_str(), "w", stderr)) return 100;
    worker w;
    prepare(w);
    std::string name = "program";
    char* arguments[] = {name.data(), nullptr};
    const int code = w.main(1, arguments);
    std::fflush(stderr);
    return code;
  });
  const int code = alone.wait();
  return std::to_string(code) + " " + read_file(folder / "stderr");
}

TEST(worker_main_alone, handlers_that_can_not_be_used_are_reported_in_a_line) {
  EXPECT_EQ(
      said_by_main([](worker& w) {
        const std::string captured = "x";
        w.handle(echo, [captured](std::string text) { return captured + text; }, {.on = level::process});
      }),
      "2 program: task \"echo\": its handler can't run in a process, since it has captures: it must be a "
      "function or a lambda without captures, and gets what it needs as arguments\n");
  EXPECT_EQ(said_by_main([](worker& w) {
              w.handle(note, [](int n) { return n; }).handle(note, [](int n) { return n; });
            }),
            "2 program: task \"note\" has a handler already\n");
  EXPECT_EQ(said_by_main([](worker& w) { w.cron("a:b", [] {}, "* * * * *"); }),
            "2 program: cron \"a:b\": name: expected 1 to 150 characters without white space and colons\n");
}

}  // namespace
}  // namespace quarq::test::worker_main_tests
