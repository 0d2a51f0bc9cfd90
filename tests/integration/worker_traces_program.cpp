// A worker's --trace, as its program and its /metrics show it.
#include <gtest/gtest.h>

#include <quarq/http/client.hpp>
#include <quarq/quarq.hpp>

#include "integration/worker_test.hpp"
#include "programs/fault_tasks.hpp"
#include "support/captured_log.hpp"
#include "support/openmetrics.hpp"
#include "support/otlp_receiver.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"
#include "trace/tracer.hpp"

namespace quarq::test::worker_traces_program_tests {
namespace {

class worker_trace_option : public testing::Test {
 protected:
  void enqueue_one() {
    run_on_loop([&]() -> awaitable<void> {
      queue q(url_);
      co_await q.enqueue(note(4711));
    });
  }
  process_end run(std::vector<std::string> more, std::map<std::string, std::string> environment = {}) {
    std::vector<std::string> words = {program("fault_worker"), "--broker", url_, "--burst"};
    words.insert(words.end(), more.begin(), more.end());
    process worker(std::move(words), std::move(environment));
    const auto end = worker.wait(default_timeout);
    log_ = worker.log();
    expect_no_secret("the worker", log_);
    return end.value_or(process_end());
  }

  const temp_dir folder_;
  const std::string url_ = "sqlite:" + (folder_ / "jobs.db");
  otlp_receiver receiver_;
  std::string log_;
};

TEST_F(worker_trace_option, sends_the_spans_before_the_program_ends) {
  enqueue_one();
  EXPECT_EQ(run({"--trace", receiver_.endpoint()}, {{"OTEL_SERVICE_NAME", "mailer"}}).code, 0) << log_;
  const auto spans = receiver_.spans();
  ASSERT_EQ(spans.size(), 1u) << log_;
  EXPECT_EQ(spans[0].name, "process default");
  EXPECT_EQ(spans[0].kind, 5);
  EXPECT_EQ(spans[0].of("quarq.task"), "note");
  EXPECT_EQ(spans[0].resource.at("service.name"), "mailer");
  EXPECT_EQ(receiver_.problems(), "");
}

TEST_F(worker_trace_option, takes_everything_from_the_environment) {
  enqueue_one();
  EXPECT_EQ(run({"--trace", "env"}, {{"OTEL_EXPORTER_OTLP_ENDPOINT", receiver_.endpoint()},
                                     {"OTEL_EXPORTER_OTLP_HEADERS", "x-key=hunter2"}})
                .code,
            0)
      << log_;
  EXPECT_EQ(receiver_.spans().size(), 1u) << log_;
  EXPECT_EQ(receiver_.headers("x-key").at(0), "hunter2");
  enqueue_one();
  EXPECT_EQ(run({"--trace", "env"}, {{"OTEL_EXPORTER_OTLP_ENDPOINT", receiver_.endpoint()},
                                     {"OTEL_TRACES_SAMPLER", "always_off"}})
                .code,
            0);
  enqueue_one();
  EXPECT_EQ(run({"--trace", "env"},
                {{"OTEL_EXPORTER_OTLP_ENDPOINT", receiver_.endpoint()}, {"OTEL_SDK_DISABLED", "true"}})
                .code,
            0);
  EXPECT_EQ(receiver_.requests(), 1u) << "neither of the others sends any";
}

TEST_F(worker_trace_option, that_is_no_url_is_a_mistake_of_the_command_line) {
  EXPECT_EQ(run({"--trace", "collector"}).code, 2);
  EXPECT_NE(log_.find("expected the URL of a collector, like http://127.0.0.1:4318"), std::string::npos)
      << log_;
}

TEST_F(worker_trace_option, ends_in_time_without_a_collector) {
  enqueue_one();
  receiver_.hold();
  EXPECT_EQ(run({"--trace", receiver_.endpoint()}).code, 0) << log_;
  EXPECT_TRUE(receiver_.spans().empty());
}

TEST(worker_trace_metrics, count_exported_and_dropped_spans) {
  base::set_log_level("off");
  const captured_log log;  // before there is a thread that logs
  otlp_receiver receiver;
  worker_options o;
  o.broker = "sqlite::memory:";
  o.trace = receiver.endpoint();
  o.metrics = "127.0.0.1:0";
  worker w(o);
  constexpr task<int(int)> twice{"twice"};
  w.handle(twice, [](int n) { return 2 * n; });
  metrics_page page;
  const auto look = [&]() -> awaitable<void> {
    queue q("sqlite::memory:");
    const auto job = co_await q.enqueue(twice(1));
    co_await job.result(default_timeout);
    // The receiver's thread says that it listens as well.
    auto text = log.text();
    const auto other = text.find(receiver.endpoint());
    if (other != text.npos) text.erase(other, receiver.endpoint().size());
    const auto at = text.find("http://127");
    const auto url = text.substr(at, text.find('\n', at) - at) + "/metrics";
    http::client client;
    const auto answer = co_await client.get(url);
    page = read_openmetrics(answer.body);
  };
  run_on_loop(alongside(w, look()));
  EXPECT_TRUE(page.value("quarq_spans_exported_total").has_value());
  EXPECT_EQ(page.value("quarq_spans_dropped_total"), 0);
  EXPECT_FALSE(trace::is_on()) << "the worker's tracer has ended with it";
  EXPECT_EQ(receiver.spans().size(), 2u) << "of the call, and of its attempt";
}

}  // namespace
}  // namespace quarq::test::worker_traces_program_tests
