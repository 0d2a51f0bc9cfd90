// A worker's /metrics, /healthz and /readyz.
#include <regex>

#include <quarq/http/client.hpp>

#include "integration/worker_test.hpp"
#include "support/captured_log.hpp"
#include "support/openmetrics.hpp"

namespace quarq::test::worker_metrics_tests {
namespace {

constexpr task<int(int)> twice{"twice"};
constexpr task<void()> fails{"fails"};

class worker_metrics : public worker_test {
 protected:
  worker_options with_metrics() const {
    auto o = options();
    o.metrics = "127.0.0.1:0";
    return o;
  }
  // Of the last server that said where it listens.
  static std::string url(const captured_log& log, const std::string& path) {
    const auto text = log.text();
    const auto at = text.rfind("listening on http://");
    if (at == text.npos) throw std::runtime_error("nothing listens: " + text);
    const auto begin = at + std::string("listening on ").size();
    return text.substr(begin, text.find('\n', begin) - begin) + path;
  }
};

TEST_P(worker_metrics, count_what_jobs_do) {
  const captured_log log;
  worker w(with_metrics());
  w.handle(twice, [](int n) { return 2 * n; });
  w.handle(fails, []() -> awaitable<void> { throw std::runtime_error("no"); },
           {.retry = backoff::constant(0ms).attempts(2)});
  metrics_page page;
  http::response answer;
  http::client client;
  serve(w, [&](queue q) -> awaitable<void> {
    for (int i = 0; i < 3; ++i) {
      const auto job = co_await q.enqueue(twice(i));
      co_await job.result(default_timeout);
    }
    const auto failing = co_await q.enqueue(fails());
    const auto failure = co_await error_of(failing.result(default_timeout));
    EXPECT_NE(failure.as<retries_exhausted>(), nullptr) << failure.what;
    const auto where = url(log, "/metrics");
    auto got = co_await client.get(where);
    answer = std::move(got);
  });
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.headers["Content-Type"], "application/openmetrics-text; version=1.0.0; charset=utf-8");
  page = read_openmetrics(answer.body);
  using labels = std::map<std::string, std::string>;
  const labels of_twice{{"queue", "default"}, {"task", "twice"}};
  EXPECT_EQ(page.value("quarq_attempts_started_total", of_twice), 3);
  EXPECT_EQ(page.value("quarq_attempts_ended_total",
                       {{"queue", "default"}, {"task", "twice"}, {"outcome", "succeeded"}}),
            3);
  EXPECT_EQ(page.value("quarq_attempts_ended_total",
                       {{"queue", "default"}, {"task", "fails"}, {"outcome", "retried"}}),
            1);
  EXPECT_EQ(page.value("quarq_attempts_ended_total",
                       {{"queue", "default"}, {"task", "fails"}, {"outcome", "dead"}}),
            1);
  EXPECT_EQ(page.value("quarq_attempt_run_seconds_count", of_twice), 3);
  // Of first attempts.
  EXPECT_EQ(page.value("quarq_job_wait_seconds_count", labels{{"queue", "default"}}), 4);
  EXPECT_EQ(page.value("quarq_worker_ready"), 1);
  EXPECT_EQ(page.value("quarq_worker_concurrency"), 100);
  EXPECT_GT(page.value("process_resident_memory_bytes").value_or(0), 1e6);
  EXPECT_GT(page.value("process_start_time_seconds").value_or(0), 1.6e9);
  EXPECT_EQ(answer.body.find("default_timeout"), std::string::npos);
}

TEST_P(worker_metrics, tell_whether_the_worker_is_ready) {
  const captured_log log;
  worker w(with_metrics());
  w.handle(twice, [](int n) { return 2 * n; });
  int starting = 0, alive = 0, serving = 0;
  std::string why;
  http::client client;
  w.on_startup([&](context&) -> awaitable<void> {
    const auto ready = url(log, "/readyz");
    const auto first = co_await client.get(ready);
    starting = first.status;
    why = first.body;
    const auto health = url(log, "/healthz");
    const auto second = co_await client.get(health);
    alive = second.status;
  });
  serve(w, [&](queue q) -> awaitable<void> {
    const auto job = co_await q.enqueue(twice(1));
    co_await job.result(default_timeout);
    const auto ready = url(log, "/readyz");
    const auto third = co_await client.get(ready);
    serving = third.status;
  });
  EXPECT_EQ(starting, 503);
  EXPECT_EQ(why, "the worker is starting\n");
  EXPECT_EQ(alive, 200);
  EXPECT_EQ(serving, 200);
}

TEST_P(worker_metrics, have_no_server_unless_asked_for) {
  const captured_log log;
  worker w(options());
  w.handle(twice, [](int n) { return 2 * n; });
  serve(w, [&](queue q) -> awaitable<void> {
    const auto job = co_await q.enqueue(twice(1));
    co_await job.result(default_timeout);
  });
  EXPECT_FALSE(log.has("listening on"));
}

std::vector<broker_kind> some_brokers() {
  std::vector<broker_kind> chosen;
  for (const auto& kind : broker_kinds()) {
    if (kind.name == "sqlite_memory" || kind.name == "redis_appendonly") chosen.push_back(kind);
  }
  return chosen;
}

INSTANTIATE_TEST_SUITE_P(at, worker_metrics, testing::ValuesIn(some_brokers()),
                         testing::PrintToStringParamName());

TEST(worker_metrics_address, must_be_one) {
  for (const auto* const wrong :
       {"9100", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "nowhere:9100", ":9100"}) {
    worker_options o;
    o.broker = "sqlite::memory:";
    o.metrics = wrong;
    worker w(o);
    w.handle(twice, [](int n) { return 2 * n; });
    EXPECT_THROW(run_on_loop(w.run()), usage_error) << wrong;
  }
}

}  // namespace
}  // namespace quarq::test::worker_metrics_tests
