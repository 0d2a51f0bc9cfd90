// quarq enqueue: what reaches the job, and what is printed.
#include "integration/cli_test.hpp"
#include "support/default_timeout.hpp"
#include "support/process.hpp"

namespace quarq::test::cli_tests {
namespace {

using namespace std::chrono_literals;
namespace json = boost::json;

class cli_enqueue : public cli_test {};

INSTANTIATE_TEST_SUITE_P(at, cli_enqueue, testing::ValuesIn(cli_brokers()),
                         [](const auto& p) { return p.param.name; });

TEST_P(cli_enqueue, enqueue_prints_the_id_and_a_worker_runs_the_job) {
  const auto id = enqueued({"add", "2", "3"});
  EXPECT_EQ(id.size(), 26u);
  EXPECT_EQ(state_of(id), "queued");
  work();
  const auto job = quarq_json({"job", id});
  EXPECT_EQ(job.at("state"), "succeeded");
  EXPECT_EQ(job.at("result"), 5);
  EXPECT_EQ(job.at("task"), "add");
  EXPECT_EQ(job.at("attempts"), 1);
  EXPECT_FALSE(job.at("worker").as_string().empty());
  for (const auto* name : {"enqueued_at", "started_at", "finished_at"}) {
    EXPECT_TRUE(job.at(name).is_string()) << name;
  }
}

TEST_P(cli_enqueue, arguments_travel_as_the_json_they_are) {
  const json::value arguments = json::parse(R"([[1, 2], {}, [], "", -5, {"a": [true, null, "ü"]}])");
  strings line = {"t", "--id", "a"};
  for (const auto& a : arguments.as_array()) line.push_back(json::serialize(a));
  enqueued(line);
  EXPECT_EQ(quarq_json({"job", "a"}).at("arguments"), arguments);
}

TEST_P(cli_enqueue, with_string_arguments_need_no_quotes_and_may_look_like_anything) {
  enqueued({"t", "-s", "--id", "a", "plain", "[1]", "{}", "--", "--flag", "jobs"});
  EXPECT_EQ(json::serialize(quarq_json({"job", "a"}).at("arguments")),
            R"(["plain","[1]","{}","--flag","jobs"])");
}

TEST_P(cli_enqueue, options_of_a_job_reach_it) {
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

TEST_P(cli_enqueue, at_sets_the_moment) {
  enqueued({"t", "--id", "later", "--at", "2200-01-31T08:30:00.25+01:00"});
  EXPECT_EQ(quarq_json({"job", "later"}).at("due_at"), "2200-01-31T07:30:00.250Z");
}

TEST_P(cli_enqueue, attempts_and_keep_are_obeyed) {
  enqueued({"greet", "\"Ann\"", "--attempts", "1", "--id", "once"});
  enqueued({"add", "1", "2", "--keep", "0", "--id", "gone"});
  work();
  EXPECT_EQ(state_of("once"), "failed");
  expect_error(quarq({"job", "gone"}), 1,
               "no job with id \"gone\": it never was, or it has ended and its result is no longer kept");
}

TEST_P(cli_enqueue, a_taken_id_is_refused) {
  enqueued({"t", "--id", "mine"});
  expect_error(quarq({"enqueue", "t", "--id", "mine"}), 1,
               "a job with id \"mine\" is queued, running or kept already");
}

TEST_P(cli_enqueue, a_result_that_is_not_kept_is_printed_to_who_waits) {
  process waiting({quarq_path, "enqueue", "add", "2", "40", "--keep", "0", "--wait", "--broker", url()});
  auto one = options();
  one.max_jobs = 1;
  work(one);
  const auto end = waiting.wait(default_timeout);
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(end->code, 0) << waiting.log();
  EXPECT_EQ(waiting.output(), "42\n");
}

TEST_P(cli_enqueue, a_job_of_which_nothing_is_kept_is_an_error_and_no_result) {
  process waiting({quarq_path, "enqueue", "t", "--keep", "0", "--wait", "--id", "gone", "--broker", url()});
  const auto is_queued = [&] { return quarq({"job", "gone"}).exit_code == 0; };
  ASSERT_TRUE(eventually(is_queued, default_timeout));
  expect_good(quarq({"purge", "--state", "queued", "--yes"}));
  const auto end = waiting.wait(default_timeout);
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(end->code, 1);
  EXPECT_EQ(waiting.output(), "");
  EXPECT_NE(waiting.log().find("no job with id \"gone\""), std::string::npos) << waiting.log();
}

TEST_P(cli_enqueue, wait_prints_the_result) {
  process waiting({quarq_path, "enqueue", "add", "2", "40", "--wait", "--broker", url()});
  auto one = options();
  one.max_jobs = 1;
  work(one);
  const auto end = waiting.wait(default_timeout);
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(end->code, 0) << waiting.log();
  EXPECT_EQ(waiting.output(), "42\n");
}

TEST_P(cli_enqueue, wait_reports_the_jobs_error) {
  process waiting({quarq_path, "enqueue", "greet", "\"Ann\"", "--attempts", "1", "--id", "a", "--wait=1min",
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

TEST_P(cli_enqueue, wait_reports_the_jobs_error_as_json_and_by_the_exit_code) {
  process waiting({quarq_path, "enqueue", "greet", "\"Ann\"", "--attempts", "1", "--id", "a\"b\\c",
                   "--wait=1min", "--json", "--broker", url()});
  auto one = options();
  one.max_jobs = 1;
  work(one);
  const auto end = waiting.wait(default_timeout);
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(end->code, 1);
  const auto said = boost::json::parse(waiting.output());
  EXPECT_EQ(said.at("id"), "a\"b\\c");
  EXPECT_EQ(said.at("state"), "failed");
  EXPECT_EQ(said.at("error"), "no greeting for Ann");
  EXPECT_TRUE(said.at("result").is_null());
}

TEST_P(cli_enqueue, wait_gives_up_in_time_and_the_job_stays) {
  expect_error(quarq({"enqueue", "add", "1", "2", "--id", "a", "--wait=50ms"}), 1,
               "job a has not ended within 50 ms");
  EXPECT_EQ(state_of("a"), "queued");
}

}  // namespace
}  // namespace quarq::test::cli_tests
