// `quarq cron`, and what `quarq job` shows of what a job says of itself.
#include "integration/cli_test.hpp"

namespace quarq::test::cli_tests {
namespace {

class cli_cron : public cli_test {
 protected:
  /// A worker plans its cron jobs, and ends.
  void plan() const {
    auto o = options();
    o.burst = true;
    worker w(o);
    w.cron("nightly", [] {}, "30 3 * * *");
    run_on_loop(w.run());
  }
};

INSTANTIATE_TEST_SUITE_P(at, cli_cron, testing::ValuesIn(cli_brokers()),
                         [](const auto& p) { return p.param.name; });

TEST_P(cli_cron, pauses_resumes_and_runs_a_cron_job) {
  plan();
  EXPECT_EQ(one_line(quarq({"cron", "pause", "nightly"})), "nightly: paused: its planned runs are skipped");
  EXPECT_EQ(one_line(quarq({"cron", "pause", "nightly"})), "nightly: was paused already");
  const auto paused = quarq_json({"cron"}).as_array();
  ASSERT_EQ(paused.size(), 1u);
  EXPECT_EQ(paused[0].at("name"), "nightly");
  EXPECT_EQ(paused[0].at("queue"), "default");
  EXPECT_EQ(paused[0].at("paused"), true);
  EXPECT_TRUE(paused[0].at("next").is_string());
  const auto table = lines_of(quarq({"cron", "list"}).out);
  ASSERT_EQ(table.size(), 2u);
  EXPECT_TRUE(table[1].starts_with("nightly  default  20")) << table[1];
  EXPECT_TRUE(table[1].ends_with("paused")) << table[1];
  EXPECT_EQ(one_line(quarq({"cron", "resume", "nightly"})), "nightly: resumed");
  EXPECT_EQ(one_line(quarq({"cron", "resume", "nightly"})), "nightly: was not paused");
  const auto ran = quarq_json({"cron", "run", "nightly"}).as_array();
  const std::string id = ran.at(0).at("id").as_string().c_str();
  EXPECT_EQ(quarq_json({"job", id}).at("task"), "cron:nightly");
}

TEST_P(cli_cron, says_what_is_wrong_with_a_name) {
  plan();
  expect_error(
      quarq({"cron", "pause", "daily"}), 1,
      "no cron job daily is known to the broker: no worker announces it, and no run of it is planned; "
      "say --queue QUEUE if it is to come");
  EXPECT_EQ(one_line(quarq({"cron", "pause", "daily", "--queue", "default"})),
            "daily: paused: its planned runs are skipped (nobody in queue default knows it now)");
  expect_error(quarq({"cron", "stop", "nightly"}), 2,
               "cron: expected list, pause, resume or run, got \"stop\" (see quarq cron --help)");
  expect_error(quarq({"cron", "pause"}), 2,
               "cron pause: expected the name of a cron job (see quarq cron --help)");
  expect_error(
      quarq({"cron", "pause", "a:b"}), 2,
      "cron \"a:b\": name: expected 1 to 150 characters without white space and colons (see quarq cron "
      "--help)");
}

TEST_P(cli_cron, a_job_shows_its_log_and_its_progress) {
  const auto id = enqueued({"add", "2", "3"});
  auto o = options();
  o.burst = true;
  worker w(o);
  w.handle(add, [](context& ctx, int a, int b) {
    for (int i = 0; i < 101; ++i) ctx.log("line " + std::to_string(i) + "\x1b[31m");
    ctx.progress(1, 3);
    return a + b;
  });
  run_on_loop(w.run());
  const auto job = quarq_json({"job", id});
  EXPECT_EQ(job.at("log").as_array().size(), 100u);
  EXPECT_EQ(job.at("log").at(99).at("text"), "line 100\x1b[31m");
  EXPECT_EQ(job.at("log_lines_cut"), 1);
  EXPECT_EQ(job.at("progress").at("done"), 1);
  EXPECT_EQ(job.at("progress").at("total"), 3);
  const auto text = quarq({"job", id}).out;
  EXPECT_NE(text.find("\nprogress   1 of 3 (33 %)\n"), std::string::npos) << text;
  EXPECT_NE(text.find("\nlog\n  ... 1 older lines are not kept\n  20"), std::string::npos) << text;
  EXPECT_TRUE(text.ends_with("  line 100\\u001b[31m\n")) << text;
}

}  // namespace
}  // namespace quarq::test::cli_tests
