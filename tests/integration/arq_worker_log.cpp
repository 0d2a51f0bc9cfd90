// The log of a worker on arq's keys, as its program writes it: the lines that arq's operators know.
#include <csignal>
#include <memory>
#include <regex>

#include <gtest/gtest.h>

#include <quarq/quarq.hpp>

#include "integration/arq_python.hpp"
#include "programs/log_tasks.hpp"
#include "support/on_loop.hpp"
#include "support/process.hpp"

namespace quarq::test::arq_worker_log_tests {
namespace {

using namespace std::chrono_literals;
using strings = std::vector<std::string>;

const std::string seconds = R"( *\d+\.\d\ds )";

/// Whether one of the lines is "12:30:01: " and then what the pattern says. Any job may be late on a machine
/// that has much else to do.
bool has_line(const std::string& log, const std::string& pattern) {
  const std::regex wanted("\\d\\d:\\d\\d:\\d\\d: " + pattern + R"(( delayed=\d+\.\d\ds)?)");
  std::istringstream lines(log);
  for (std::string line; std::getline(lines, line);) {
    if (std::regex_match(line, wanted)) return true;
  }
  return false;
}

std::size_t count(const std::string& in, const std::string& text) {
  std::size_t found = 0;
  for (auto at = in.find(text); at != in.npos; at = in.find(text, at + 1)) ++found;
  return found;
}

class arq_worker_log : public testing::Test {
 protected:
  process& start(strings options = {}, std::map<std::string, std::string> environment = {}) {
    options.insert(options.begin(), {program("log_worker"), "--broker", url_});
    worker_ = std::make_unique<process>(std::move(options), std::move(environment));
    return *worker_;
  }

  void expect_line(const std::string& pattern) const {
    EXPECT_TRUE(eventually([&] { return has_line(worker_->log(), pattern); }, default_timeout))
        << pattern << "\n"
        << worker_->log();
  }
  void expect_lines(const strings& patterns) const {
    for (const auto& each : patterns) expect_line(each);
  }

  void expect_no(const std::string& text) const {
    EXPECT_EQ(worker_->log().find(text), std::string::npos) << worker_->log();
  }

  /// Runs what is in the queue, to its end.
  void drain(strings options = {}) {
    options.push_back("--burst");
    auto& worker = start(std::move(options));
    const auto end = worker.wait(default_timeout);
    ASSERT_TRUE(end && end->code == 0) << worker.log();
  }

  template <class R>
  void enqueue(call<R> what) {
    const auto client = [&]() -> awaitable<void> {
      queue q(url_);
      co_await q.enqueue(what);
    };
    run_on_loop(client);
  }

  static redis_server_options on_disk() {
    redis_server_options o;
    o.appendonly = true;
    return o;
  }

  redis_server server_{on_disk()};
  std::string url_ = arq_url(server_);
  std::unique_ptr<process> worker_;
};

TEST_F(arq_worker_log, tells_what_the_worker_can_do_and_of_its_server) {
  start({}, {{"QUARQ_TEST_CRON", "1"}});
  expect_lines(
      {"Starting worker for 7 functions: the_task, echo, fail, come_again, stumble, wait_long, cron:tick",
       R"(redis_version=[\d.]+ mem_usage=[\d.]+[KMG] clients_connected=\d+ db_keys=\d+)",
       // A cron job is known by its name.
       seconds + R"(→ cron:tick\(\))", seconds + "← cron:tick ● "});
}

TEST_F(arq_worker_log, shows_calls_and_results_as_python_does) {
  python_enqueue_at(server_, "one", std::to_string(now_ms() - 2'000));
  enqueue(echo("it's\nhere").id("two"));
  enqueue(echo(std::string(200, 'x')).id("three"));
  drain();
  const std::string cut = std::string(78, 'x') + "…";
  expect_lines({seconds + R"(→ one:the_task\(1, 'x', a=True\) delayed=\d+\.\d\ds)",
                seconds + "← one:the_task ● 42", seconds + R"(→ two:echo\("it's\\nhere"\))",
                seconds + R"(← two:echo ● "it's\\nhere")", seconds + R"(→ three:echo\(')" + cut + R"(\))",
                seconds + "← three:echo ● '" + cut});
}

TEST_F(arq_worker_log, shows_no_results_if_it_is_not_to) {
  python_enqueue(server_, "one");
  drain({"--no-log-results"});
  expect_line(seconds + "← one:the_task ● ");
}

TEST_F(arq_worker_log, tells_of_retries) {
  start();
  enqueue(come_again().id("one"));
  enqueue(stumble().id("two"));
  expect_lines({seconds + "↻ one:come_again retrying job in 0.50s", seconds + R"(→ one:come_again\(\) try=2)",
                seconds + "↻ one:come_again retrying job in 0.25s", seconds + R"(→ one:come_again\(\) try=3)",
                seconds + "← one:come_again ● 3",
                seconds + R"(↻ two:stumble retrying job in 0\.\d\ds, RuntimeError: not yet)",
                seconds + R"(→ two:stumble\(\) try=2)", seconds + "← two:stumble ● 2"});
}

TEST_F(arq_worker_log, tells_of_jobs_that_failed_or_never_ran) {
  enqueue(fail("no such page").id("fails"));
  enqueue(come_again().id("insists").attempts(1));
  enqueue(nobodys().id("unknown").attempts(1));
  python_enqueue(server_, "noise", "no pickle");
  ask(server_, {"ZADD", "arq:queue", std::to_string(now_ms()), "gone"});
  python_enqueue(server_, "lost");
  ask(server_, {"SET", "arq:retry:lost", "5"});
  python_enqueue(server_, "unwanted");
  python_abort(server_, "unwanted");
  drain({"--unknown-task-timeout", "0"});
  expect_lines({seconds + "! fails:fail failed, ValueError: no such page",
                seconds + "! insists:come_again max retries 1 exceeded",
                "job unknown, function 'nobodys' not found", "deserializing job noise failed: .+",
                "job gone expired", seconds + "! lost:the_task max retries 5 exceeded",
                seconds + "⊘ unwanted:the_task aborted before start"});
  expect_no("→ unwanted");
  expect_no("shutdown");
}

TEST_F(arq_worker_log, levels_are_those_of_arq) {
  ask(server_, {"ZADD", "arq:queue", std::to_string(now_ms()), "gone"});
  python_enqueue(server_, "one");
  enqueue(fail("no such page").id("fails"));
  drain({"--log-level", "warn"});
  expect_line("job gone expired");
  expect_line(seconds + "! fails:fail failed, ValueError: no such page");
  expect_no("the_task");
  ask(server_, {"ZADD", "arq:queue", std::to_string(now_ms()), "gone"});
  enqueue(fail("no such page").id("again"));
  drain({"--log-level", "error"});
  expect_line(seconds + "! again:fail failed, ValueError: no such page");
  expect_no("expired");
}

TEST_F(arq_worker_log, tells_of_a_running_job_that_is_aborted) {
  start();
  enqueue(wait_long().id("one"));
  expect_line(seconds + R"(→ one:wait_long\(\))");
  python_abort(server_, "one");
  expect_line(seconds + "⊘ one:wait_long aborted");
}

TEST_F(arq_worker_log, tells_of_a_shutdown_that_waits_for_nothing) {
  auto& worker = start({"--shutdown-timeout", "0"});
  python_enqueue(server_, "one");
  enqueue(wait_long().id("two"));
  expect_lines({seconds + "← one:the_task ● 42", seconds + R"(→ two:wait_long\(\))"});
  worker.signal(SIGTERM);
  ASSERT_TRUE(worker.wait(default_timeout));
  expect_lines({"shutdown on SIGTERM ◆ 1 jobs complete ◆ 0 failed ◆ 0 retries ◆ 1 ongoing to cancel",
                seconds + "↻ two:wait_long cancelled, will be run again"});
  expect_no("allow_pick_jobs");
}

TEST_F(arq_worker_log, tells_of_a_shutdown_that_waits) {
  auto& worker = start({"--shutdown-timeout", "1000"});
  enqueue(wait_long().id("one"));
  expect_line(seconds + R"(→ one:wait_long\(\))");
  worker.signal(SIGINT);
  expect_lines({"Setting allow_pick_jobs to `False`",
                "shutdown on SIGINT ◆ 0 jobs complete ◆ 0 failed ◆ 0 retries ◆ 1 to be completed"});
  worker.signal(SIGTERM);
  ASSERT_TRUE(worker.wait(default_timeout));
  expect_lines(
      {"shutdown on SIGTERM, wait complete ◆ 0 jobs complete ◆ 0 failed ◆ 0 retries ◆ 1 ongoing to cancel",
       seconds + "↻ one:wait_long cancelled, will be run again"});
}

TEST_F(arq_worker_log, tells_of_its_health_when_that_has_changed) {
  url_ = arq_url(server_, "?health_check_interval=1");
  start();
  expect_line("Starting worker .*");
  python_enqueue(server_, "one");
  expect_line(
      R"(recording health: \w{3}-\d\d \d\d:\d\d:\d\d j_complete=1 j_failed=0 j_retried=0 j_ongoing=0 queued=0)");
}

TEST_F(arq_worker_log, other_brokers_lines_are_quarqs) {
  url_ = server_.url();
  enqueue(echo("hello").id("one"));
  drain();
  const auto log = worker_->log();
  EXPECT_TRUE(std::regex_search(log, std::regex(R"(\d\d\.\d\d\d info  started  task=echo id=one try=1/5)")))
      << log;
  EXPECT_TRUE(std::regex_search(log, std::regex(R"(info  finished task=echo id=one took=.* result="hello")")))
      << log;
  expect_no("→");
}

TEST_F(arq_worker_log, an_outage_is_told_once_and_so_is_its_end) {
  for (const auto& url : {arq_url(server_), server_.url()}) {
    url_ = url;
    server_.kill();
    const auto& worker = start();
    const auto address = "127.0.0.1:" + std::to_string(server_.port()) + ": ";
    const auto logged = [&](std::size_t times, const std::string& what) {
      return eventually([&] { return count(worker.log(), address + what) == times; }, default_timeout);
    };
    EXPECT_TRUE(logged(1, "Connection refused; connecting again until it answers")) << worker.log();
    server_.restart();
    EXPECT_TRUE(logged(1, "connected")) << worker.log();
    EXPECT_TRUE(
        worker.logs(url.starts_with("arq") ? "6 functions" : "it handles the_task, echo", default_timeout))
        << worker.log();
    server_.kill();
    // "the server closed the connection" or "Connection reset by peer".
    // A server that has just been started may be connected to, and say that it still reads its file.
    const auto outages = [&] {
      return count(worker.log(), "; connecting again until it answers") - count(worker.log(), "LOADING");
    };
    EXPECT_TRUE(eventually([&] { return outages() == 2; }, default_timeout)) << worker.log();
    server_.restart();
    EXPECT_TRUE(eventually([&] { return count(worker.log(), address + "connected") >= 2; }, default_timeout))
        << worker.log();
    EXPECT_EQ(outages(), 2u) << worker.log();
    EXPECT_EQ(count(worker.log(), "could not"), 0u) << worker.log();
  }
}

TEST_F(arq_worker_log, a_level_of_the_environment_holds_unless_the_command_line_says_otherwise) {
  const auto lines = [this](strings options) {
    python_enqueue(server_, "one");
    options.push_back("--burst");
    auto& worker = start(std::move(options), {{"QUARQ_LOG", "warn"}});
    EXPECT_TRUE(worker.wait(default_timeout));
    return worker.log();
  };
  EXPECT_EQ(lines({}), "");
  EXPECT_NE(lines({"--log-level", "info"}).find("Starting worker"), std::string::npos);
}

}  // namespace
}  // namespace quarq::test::arq_worker_log_tests
