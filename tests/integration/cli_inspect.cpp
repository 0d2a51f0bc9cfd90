// The commands that show queues, jobs and workers.
#include <string>

#include <quarq/codec.hpp>

#include "broker/broker.hpp"
#include "integration/cli_test.hpp"
#include "model/record.hpp"
#include "support/redis_fixture.hpp"

namespace quarq::test::cli_tests {
namespace {

using namespace std::chrono_literals;
namespace json = boost::json;

class cli_inspect : public cli_test {};

INSTANTIATE_TEST_SUITE_P(at, cli_inspect, testing::ValuesIn(cli_brokers()),
                         [](const auto& p) { return p.param.name; });

TEST_P(cli_inspect, queues_are_counted) {
  enqueued({"t"});
  enqueued({"t", "--delay", "1h"});
  enqueued({"t", "--queue", "other"});
  auto all = quarq_json({"queues"});
  for (auto& one : all.as_array()) one.as_object().erase("lately");
  EXPECT_EQ(json::serialize(all),
            R"([{"queue":"default","queued":1,"deferred":1,"running":0,"dead":0,"kept":0,"workers":0,)"
            R"("paused":false,"unserved":"jobs are ready, and no live worker serves queue default"},)"
            R"({"queue":"other","queued":1,"deferred":0,"running":0,"dead":0,"kept":0,"workers":0,)"
            R"("paused":false,"unserved":"jobs are ready, and no live worker serves queue other"}])");
  EXPECT_EQ(quarq_json({"queues", "--queue", "other"}).as_array().size(), 1u);
  const auto people = quarq({"queues"});
  expect_good(people);
  EXPECT_EQ(people.out,
            "QUEUE    QUEUED  DEFERRED  RUNNING  DEAD  KEPT  WORKERS  ENQUEUED  ENDED  FAILED\n"
            "default       1         1        0     0     0        0   0.4/min\n"
            "other         1         0        0     0     0        0   0.2/min\n"
            "jobs are ready, and no live worker serves queue default\n"
            "jobs are ready, and no live worker serves queue other\n");
}

TEST_P(cli_inspect, a_paused_queue_is_shown_as_such) {
  enqueued({"t"});
  expect_good(quarq({"pause"}));
  const auto all = quarq_json({"queues"});
  EXPECT_EQ(all.at(0).at("paused"), true);
  EXPECT_EQ(all.at(0).at("unserved"), "jobs are ready, and queue default is paused");
  EXPECT_EQ(quarq({"queues"}).out,
            "QUEUE    QUEUED  DEFERRED  RUNNING  DEAD  KEPT  WORKERS  ENQUEUED  ENDED  FAILED  STATUS\n"
            "default       1         0        0     0     0        0   0.2/min                 paused\n"
            "jobs are ready, and queue default is paused\n");
  EXPECT_EQ(quarq({"workers"}).out,
            "no worker serves queue default\nqueue default is paused: no worker takes its jobs\n");
}

TEST_P(cli_inspect, jobs_are_listed_by_state_and_in_all_states) {
  enqueued({"greet", "\"Ann\"", "--attempts", "1", "--id", "bad"});
  enqueued({"add", "1", "2", "--id", "good"});
  work();
  enqueued({"add", "3", "4", "--id", "new"});
  enqueued({"add", "5", "6", "--id", "later", "--delay", "1h"});
  const auto ids = [&](strings arguments) {
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
  EXPECT_TRUE(lines[0].starts_with("ID     STATE      TASK   ATTEMPTS  WHEN")) << lines[0];
  EXPECT_TRUE(lines[1].starts_with("new    queued     add           0  ")) << lines[1];
  EXPECT_NE(lines[2].find("in 59 min"), std::string::npos) << lines[2];
  EXPECT_TRUE(lines[3].ends_with("std::runtime_error: no greeting for Ann")) << lines[3];
  EXPECT_EQ(quarq({"jobs", "--state", "dead"}).out, "no dead jobs in queue default\n");
  EXPECT_EQ(ids({"--state", "queued,deferred"}), "new later ");
  EXPECT_EQ(ids({"--error", "no greeting for A"}), "bad ");
  EXPECT_EQ(quarq({"jobs", "--state", "dead,failed", "--older-than", "1h"}).out,
            "no failed and dead jobs that are older than 1 h in queue default\n");
}

TEST_P(cli_inspect, jobs_of_one_task_are_listed) {
  for (int i = 0; i < 3; ++i) {
    enqueued({"greet", "\"Ann\"", "--id", "greet" + std::to_string(i)});
    enqueued({"add", "1", "2", "--id", "add" + std::to_string(i)});
  }
  const auto all = quarq_json({"jobs", "--task", "add"});
  ASSERT_EQ(all.at("jobs").as_array().size(), 3u);
  for (const auto& job : all.at("jobs").as_array()) EXPECT_EQ(job.at("task").as_string(), "add");
  EXPECT_EQ(all.at("cut").as_array().size(), 0u);
  const auto two = quarq_json({"jobs", "--task", "greet", "--limit", "2"});
  EXPECT_EQ(two.at("jobs").as_array().size(), 2u);
  EXPECT_EQ(two.at("cut").as_array().size(), 1u);
  EXPECT_EQ(quarq({"jobs", "--task", "tidy"}).out, "no jobs of task tidy in queue default\n");
  EXPECT_EQ(quarq({"jobs", "--task", "tidy", "--state", "dead"}).out,
            "no dead jobs of task tidy in queue default\n");
}

TEST_P(cli_inspect, a_job_is_found_in_whatever_queue_it_is) {
  enqueued({"t", "--id", "here"});
  enqueued({"t", "--id", "there", "--queue", "other"});
  EXPECT_EQ(quarq_json({"job", "there"}).at("queue").as_string(), "other");
  EXPECT_EQ(quarq_json({"job", "there", "--queue", "other"}).at("queue").as_string(), "other");
  EXPECT_EQ(quarq_json({"job", "here"}).at("queue").as_string(), "default");
  expect_error(quarq({"job", "there", "--queue", "default"}), 1,
               "no job with id \"there\" in queue default, but in queue other: say --queue other");
  expect_error(quarq({"job", "nowhere"}), 1,
               "no job with id \"nowhere\": it never was, or it has ended and its result is no longer kept");
  EXPECT_EQ(quarq({"cancel", "there"}).out, "there: not found in queue default, but in queue other\n");
  EXPECT_EQ(quarq({"requeue", "there"}).err,
            "quarq: no job with id \"there\" in this queue, but in queue other\n");
}

TEST_P(cli_inspect, a_job_that_waits_for_its_next_try_shows_why_the_last_one_failed) {
  enqueued({"greet", "\"Ann\"", "--attempts", "2", "--id", "again"});
  auto o = options();
  o.burst = true;
  work(o, backoff::constant(1h));
  const auto job = quarq_json({"job", "again"});
  EXPECT_EQ(job.at("state").as_string(), "deferred");
  EXPECT_EQ(job.at("attempts").as_int64(), 1);
  EXPECT_EQ(job.at("error_type").as_string(), "std::runtime_error");
  EXPECT_EQ(job.at("error").as_string(), "no greeting for Ann");
  EXPECT_TRUE(job.at("finished_at").is_string());
  EXPECT_NE(quarq({"job", "again"}).out.find("\nfailed     20"), std::string::npos);
  EXPECT_NE(quarq({"jobs", "--state", "deferred"}).out.find("std::runtime_error: no greeting"),
            std::string::npos);
}

TEST_P(cli_inspect, a_dead_job_that_is_requeued_has_no_error_any_more) {
  enqueued({"greet", "\"Ann\"", "--attempts", "2", "--id", "twice"});
  auto o = options();
  o.burst = o.burst_includes_deferred = true;
  work(o, backoff::constant(0ms));
  auto job = quarq_json({"job", "twice"});
  EXPECT_EQ(job.at("state").as_string(), "dead");
  EXPECT_EQ(job.at("attempts").as_int64(), 2);
  expect_good(quarq({"requeue", "twice"}));
  job = quarq_json({"job", "twice"});
  EXPECT_EQ(job.at("state").as_string(), "queued");
  EXPECT_TRUE(job.at("error").is_null());
}

TEST_P(cli_inspect, a_list_that_was_cut_says_so) {
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

TEST_P(cli_inspect, long_arguments_are_cut_in_tables_between_characters) {
  std::string many;
  for (int i = 0; i < 50; ++i) many += "ü€😀";
  enqueued({"t", "-s", many});
  const auto lines = lines_of(quarq({"jobs"}).out);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_TRUE(lines[1].ends_with("…")) << lines[1];
  EXPECT_LT(lines[1].size(), 400u);
  EXPECT_NO_THROW(to_msgpack(lines[1])) << "not UTF-8";
}

TEST_P(cli_inspect, a_hostile_job_can_not_play_with_the_terminal) {
  // ESC, DEL, the one-byte CSI of C1, and a right-to-left override.
  const std::string hostile =
      "\x1b[2J\x7f\xc2\x9b"
      "31m\xe2\x80\xae";
  enqueued({"t" + hostile, "-s", hostile, "--id", "i" + hostile});
  const std::string safe = R"(\u001b[2J\u007f\u009b31m\u202e)";
  for (const strings& line : {strings{"jobs"}, strings{"job", "i" + hostile}, strings{"jobs", "--json"}}) {
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
awaitable<void> enqueue_garbage(broker_fixture& place) {
  const std::string garbage = "\xc1\xff nothing of ours";
  if (const auto* arq = dynamic_cast<arq_fixture*>(&place)) {
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

TEST_P(cli_inspect, a_payload_that_can_not_be_read_hides_no_other_job) {
  run_on_loop(enqueue_garbage(place()));
  enqueued({"add", "1", "2", "--id", "fine"});
  const auto all = quarq_json({"jobs"}).at("jobs");
  ASSERT_EQ(all.as_array().size(), 2u);
  EXPECT_EQ(all.at(0).at("error_type"), "quarq::decode_error");
  EXPECT_TRUE(all.at(0).at("error").as_string().starts_with("job payload: "));
  EXPECT_TRUE(all.at(0).at("arguments").is_null());
  EXPECT_EQ(all.at(1).at("id"), "fine");
}

}  // namespace
}  // namespace quarq::test::cli_tests
