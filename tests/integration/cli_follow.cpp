// quarq jobs --follow: what it prints while jobs start, end and fail, and while the broker is away.
#include <csignal>
#include <thread>

#include "integration/cli_test.hpp"
#include "support/process.hpp"
#include "support/redis_server.hpp"

namespace quarq::test::cli_follow_tests {
namespace {

using namespace cli_tests;

/// quarq jobs --follow, beside the test.
class follower {
 public:
  explicit follower(const std::string& url, strings more = {})
      : command_(words(more), {{"QUARQ_BROKER", url}}) {}

  /// What it has printed holds this, now or in time.
  bool prints(const std::string& text) const {
    return eventually([&] { return command_.output().find(text) != std::string::npos; }, default_timeout);
  }
  strings lines() const { return command_.lines(); }
  /// Ended by this signal.
  std::optional<process_end> end_by(int signal) {
    command_.signal(signal);
    return command_.wait(default_timeout);
  }
  test::process& command() { return command_; }

 private:
  static strings words(const strings& more) {
    strings all = {quarq_path, "jobs", "--follow"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  test::process command_;
};

void expect_ends_well(follower& one, int signal = SIGINT) {
  const auto end = one.end_by(signal);
  ASSERT_TRUE(end.has_value()) << one.command().log();
  EXPECT_EQ(end->code, 0) << one.command().log();
}

class cli_follow : public cli_test {
 protected:
  /// A worker whose jobs of `greet` fail once `may_fail` says so.
  void work_slowly(const std::function<bool()>& may_fail) const {
    auto o = options();
    o.burst = o.burst_includes_deferred = true;
    worker w(o);
    w.handle(greet,
             [&](std::string whom) {
               if (!eventually(may_fail, default_timeout)) throw std::logic_error("waited in vain");
               throw std::runtime_error("no\x1b[31m greeting for " + whom);
             },
             {.retry = backoff::constant(std::chrono::milliseconds(10)).attempts(2)});
    run_on_loop(w.run());
  }
};

INSTANTIATE_TEST_SUITE_P(at, cli_follow, testing::ValuesIn(cli_brokers()),
                         [](const auto& kind) { return kind.param.name; });

TEST_P(cli_follow, shows_each_attempt_of_a_job_and_its_end) {
  enqueued({"greet", "\"Ann\"", "--id", "slow"});
  follower shown(url());
  ASSERT_TRUE(shown.prints("  following  queue default at ")) << shown.command().log();
  work_slowly([&] {
    const auto text = shown.command().output();
    const bool is_second = text.find("  retried    slow") != std::string::npos;
    return text.find(is_second ? "  started    slow  greet  attempt 2" : "  started    slow  greet") !=
           std::string::npos;
  });
  ASSERT_TRUE(shown.prints("  dead       slow")) << shown.command().output();
  const auto text = shown.command().output();
  EXPECT_NE(text.find("  started    slow  greet  [\"Ann\"]\n"), std::string::npos) << text;
  EXPECT_NE(text.find(": std::runtime_error: no\\u001b[31m greeting for Ann\n"), std::string::npos) << text;
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  expect_ends_well(shown);
  EXPECT_EQ(shown.command().log(), "");
}

TEST_P(cli_follow, shows_the_end_of_a_job_that_was_too_quick_to_be_seen) {
  enqueued({"greet", "\"Bob\"", "--attempts", "1", "--id", "first"});
  follower shown(url(), {"--state", "dead,failed", "--json"});
  ASSERT_TRUE(shown.prints("\"event\": \"following\"")) << shown.command().log();
  enqueued({"greet", "\"Ann\"", "--attempts", "1", "--id", "quick"});
  work();
  ASSERT_TRUE(shown.prints("\"quick\"")) << shown.command().output();
  ASSERT_TRUE(shown.prints("\"first\"")) << shown.command().output();
  expect_ends_well(shown, SIGTERM);
  for (const auto& line : shown.lines()) {
    const auto event = boost::json::parse(line);
    if (event.at("event") == "following") continue;
    EXPECT_EQ(event.at("event"), "failed");
    const auto& job = event.at("job");
    EXPECT_EQ(job.at("error"), job.at("id") == "quick" ? "no greeting for Ann" : "no greeting for Bob");
    EXPECT_TRUE(event.at("at").is_string());
  }
}

TEST_P(cli_follow, counts_what_it_does_not_see) {
  enqueued({"add", "1", "2", "--keep", "0"});
  follower shown(url(), {"--json"});
  ASSERT_TRUE(shown.prints("following")) << shown.command().log();
  const auto deadline = std::chrono::steady_clock::now() + default_timeout;
  while (shown.command().output().find("\"unseen\"") == std::string::npos) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline) << shown.command().output();
    for (int i = 0; i < 5; ++i) enqueued({"add", "1", "2", "--keep", "0"});
    work();
  }
  expect_ends_well(shown);
}

TEST_P(cli_follow, shows_the_jobs_that_are_asked_for) {
  enqueued({"add", "1", "2", "--id", "other"});
  enqueued({"greet", "\"Ann\"", "--attempts", "1", "--id", "wanted"});
  follower shown(url(), {"--task", "greet"});
  ASSERT_TRUE(shown.prints("following")) << shown.command().log();
  work();
  ASSERT_TRUE(shown.prints("wanted")) << shown.command().output();
  expect_ends_well(shown);
  EXPECT_EQ(shown.command().output().find("other"), std::string::npos) << shown.command().output();
}

TEST_P(cli_follow, says_what_does_not_go_with_it) {
  expect_error(quarq({"jobs", "--follow", "--limit", "3"}), 2,
               "--limit: it is not for --follow, which lists nothing (see quarq jobs --help)");
}

TEST_P(cli_follow, ends_when_nobody_reads_it) {
  enqueued({"add", "1", "2"});
  command_options o;
  o.output_closed = true;
  const auto r = quarq({"jobs", "--follow"}, o);
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_EQ(r.err, "");
}

TEST(cli_follow_outage, says_that_the_broker_is_gone_and_goes_on_when_it_is_back) {
  redis_server server({.appendonly = true});
  follower shown(server.url());
  ASSERT_TRUE(shown.prints("following")) << shown.command().log();
  server.kill();
  ASSERT_TRUE(shown.command().logs("; trying again\n", default_timeout)) << shown.command().log();
  server.restart();
  ASSERT_TRUE(shown.command().logs("quarq: the broker answers again\n", default_timeout));
  const auto job =
      run_command({quarq_path, "enqueue", "greet", "1", "--attempts", "1", "--broker", server.url()});
  EXPECT_EQ(job.exit_code, 0) << job.err;
  worker_options o;
  o.broker = server.url();
  o.burst = true;
  worker w(o);
  w.handle(greet, [](std::string) {});
  run_on_loop(w.run());
  EXPECT_TRUE(shown.prints("  dead       ")) << shown.command().output();
  expect_ends_well(shown);
}

TEST(cli_follow_outage, ends_while_the_broker_does_not_answer) {
  redis_server server;
  follower shown(server.url());
  ASSERT_TRUE(shown.prints("following")) << shown.command().log();
  server.pause();
  ASSERT_TRUE(shown.command().logs("; trying again\n", default_timeout)) << shown.command().log();
  expect_ends_well(shown);
  server.resume();
}

}  // namespace
}  // namespace quarq::test::cli_follow_tests
