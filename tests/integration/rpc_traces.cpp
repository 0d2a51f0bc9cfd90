// Spans of calls over HTTP, and how they are joined with those of jobs.
#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

#include <quarq/http/client.hpp>
#include <quarq/quarq.hpp>
#include <quarq/rpc/http_machines.hpp>
#include <quarq/rpc/server.hpp>
#include <quarq/trace.hpp>

#include "base/log.hpp"
#include "support/errors.hpp"
#include "support/kept_spans.hpp"
#include "support/on_loop.hpp"
#include "support/served.hpp"
#include "support/temp_dir.hpp"
#include "trace/traceparent.hpp"

namespace quarq::test::rpc_traces_tests {
namespace {

using namespace std::chrono_literals;

constexpr task<int(int)> twice{"twice", "n"};
constexpr task<std::string()> whose{"whose"};
constexpr task<std::string()> state{"state"};
constexpr task<void()> hang{"hang"};
constexpr task<int(int)> enqueue_more{"enqueue_more", "n"};
constexpr task<int(int)> outer{"outer", "n"};
constexpr task<int(int)> later{"later", "n"};

constexpr const char* caller = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// A server, and a client of it.
class rpc_traces : public testing::Test {
 protected:
  rpc_traces() { base::set_log_level("off"); }

  trace_options kept(double ratio = 1) {
    trace_options how;
    how.exporter = spans_;
    how.sampling.ratio = ratio;
    return how;
  }

  kept_span of(const std::string& name, span_kind kind) const {
    auto found = spans_->named(name);
    std::erase_if(found, [&](const auto& one) { return one.kind != kind; });
    EXPECT_EQ(found.size(), 1u) << name;
    return found.empty() ? kept_span() : found.front();
  }
  std::string post(const std::string& task, const http::fields& headers) {
    http::client web;
    http::request_options options;
    options.body = "[]";
    options.content_type = "application/json";
    options.headers = headers;
    return run_on_loop(web.post(url() + "/rpc/" + task, options)).body;
  }
  http_machines hosts() const { return http_machines({url()}); }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(running_.port); }
  std::string broker() const { return "sqlite:" + (dir_ / "jobs.db"); }

  const std::shared_ptr<kept_spans> spans_ = std::make_shared<kept_spans>();

 private:
  handlers all() {
    handlers h;
    h.handle(twice, [this](int n) -> awaitable<int> {
      if (n < 0) throw std::runtime_error("too little");
      if (n == 0 && unready_-- > 0) throw quarq::retry_after(0ms, "not ready");
      co_return 2 * n;
    });
    h.handle(whose, [](context& ctx) -> awaitable<std::string> { co_return ctx.traceparent(); });
    h.handle(state, [this](context& ctx) -> awaitable<std::string> {
      const auto found = ctx.headers().find("tracestate");
      const bool is_last = found == ctx.headers().end() || ctx.deadline();
      if (is_last) co_return found == ctx.headers().end() ? "" : found->second;
      // Once more, by its own context.
      const auto there = hosts().within(ctx);
      std::string seen = co_await there.run(state);
      co_return seen;
    });
    h.handle(hang, []() -> awaitable<void> { co_await sleep_for(1min); });
    h.handle(enqueue_more, [](context& ctx, int n) -> awaitable<int> {
      co_await ctx.enqueue(later(n), {.queue = "more"});
      co_return n;
    });
    return h;
  }
  rpc::server_options options() const {
    rpc::server_options o;
    o.http.port = 0;
    o.calls.broker = broker();
    return o;
  }

  const temp_dir dir_;
  std::atomic<int> unready_ = 1;
  rpc::server server_{all(), options()};
  served_calls running_{server_};
};

int run_twice(const http_machines& hosts, int n) {
  return run_on_loop(hosts.idempotent().run(twice, n));
}

TEST_F(rpc_traces, a_call_has_a_span_on_each_side) {
  const tracing traces(kept());
  EXPECT_EQ(run_twice(hosts(), 4), 8);
  const auto client = of("twice", span_kind::client), server = of("twice", span_kind::server);
  EXPECT_TRUE(is_root(client));
  EXPECT_TRUE(is_child(server, client));
  for (const auto& one : {client, server}) {
    EXPECT_EQ(attribute(one, "rpc.system.name"), "quarq");
    EXPECT_EQ(attribute(one, "rpc.method"), "twice");
    EXPECT_EQ(attribute(one, "rpc.response.status_code"), "ok");
    EXPECT_EQ(one.status, span_status::unset);
    EXPECT_LE(one.start, one.end);
  }
  EXPECT_EQ(attribute(client, "server.address"), "127.0.0.1");
  EXPECT_EQ("http://127.0.0.1:" + attribute(client, "server.port"), url());
  EXPECT_EQ(attribute(client, "quarq.attempts"), "1");
  EXPECT_EQ(attribute(server, "quarq.attempt"), "1");
}

TEST_F(rpc_traces, all_attempts_of_a_call_are_in_one_span_of_the_client) {
  const tracing traces(kept());
  EXPECT_EQ(run_twice(hosts(), 0), 0);
  const auto client = of("twice", span_kind::client);
  EXPECT_EQ(attribute(client, "quarq.attempts"), "2");
  auto served = spans_->named("twice");
  std::erase_if(served, [](const auto& one) { return one.kind != span_kind::server; });
  ASSERT_EQ(served.size(), 2u);
  EXPECT_EQ(attribute(served[0], "rpc.response.status_code"), "unavailable");
  EXPECT_EQ(attribute(served[0], "error.type"), "quarq::retry_after");
  EXPECT_EQ(attribute(served[1], "quarq.attempt"), "2");
  for (const auto& one : served) EXPECT_TRUE(is_child(one, client));
}

TEST_F(rpc_traces, a_failure_has_its_code_and_type) {
  const tracing traces(kept());
  EXPECT_EQ(error_of<rpc::call_error>([&] { run_twice(hosts(), -1); }), "too little");
  for (const auto side : {span_kind::client, span_kind::server}) {
    const auto one = of("twice", side);
    EXPECT_EQ(attribute(one, "rpc.response.status_code"), "unknown");
    EXPECT_EQ(attribute(one, "error.type"), "std::runtime_error");
    EXPECT_EQ(one.status, span_status::error);
    EXPECT_EQ(one.status_message, "too little");
  }
}

TEST_F(rpc_traces, wrong_arguments_are_not_the_servers_fault) {
  const tracing traces(kept());
  post("twice", {});
  const auto server = of("twice", span_kind::server);
  EXPECT_EQ(attribute(server, "rpc.response.status_code"), "invalid_argument");
  EXPECT_EQ(attribute(server, "error.type"), "");
  EXPECT_EQ(server.status, span_status::unset);
  post("made_up", {});
  EXPECT_EQ(spans_->all().size(), 1u) << "names that nobody handles are not recorded";
}

TEST_F(rpc_traces, a_call_that_is_given_up_is_cancelled_on_both_sides) {
  const tracing traces(kept());
  run_on_loop([&]() -> awaitable<void> {
    const auto there = hosts();
    const auto t = co_await error_of<timed_out>(with_timeout(there.run(hang), 50ms));
    EXPECT_NE(t, "(no error)");
    co_await until([&] { return spans_->named("hang").size() == 2; });
  });
  for (const auto side : {span_kind::client, span_kind::server})
    EXPECT_EQ(attribute(of("hang", side), "rpc.response.status_code"), "canceled");
}

TEST_F(rpc_traces, a_trace_goes_through_jobs_and_calls) {
  const tracing traces(kept());
  worker_options o;
  o.broker = broker();
  o.burst = true;
  worker w(o);
  w.handle(outer, [this](int n) -> awaitable<int> {
    const auto there = hosts();
    const int result = co_await there.run(enqueue_more, n);
    co_return result;
  });
  run_on_loop([&]() -> awaitable<void> {
    queue jobs(broker());
    co_await jobs.enqueue(outer(1));
    jobs.close();
    co_await w.run();
  });
  const auto attempt = of("process default", span_kind::consumer);
  const auto client = of("enqueue_more", span_kind::client), server = of("enqueue_more", span_kind::server);
  EXPECT_TRUE(is_child(client, attempt));
  EXPECT_TRUE(is_child(server, client));
  EXPECT_TRUE(is_child(of("send more", span_kind::producer), server));
}

TEST_F(rpc_traces, belong_to_the_callers_trace) {
  const tracing traces(kept(0));
  const auto answer = post("whose", {{"traceparent", caller}});
  const auto server = of("whose", span_kind::server);
  EXPECT_EQ(trace::to_traceparent(server.context), answer.substr(1, answer.size() - 2));
  kept_span callers;
  callers.context = *trace::parse_traceparent(caller);
  EXPECT_TRUE(is_child(server, callers));
}

TEST_F(rpc_traces, a_call_that_is_not_recorded_says_so) {
  const tracing traces(kept(0));
  const auto whose_trace = run_on_loop([&]() -> awaitable<std::string> {
    const auto there = hosts();
    auto result = co_await there.run(whose);
    co_return result;
  });
  EXPECT_TRUE(whose_trace.starts_with("00-") && whose_trace.ends_with("-00")) << whose_trace;
  EXPECT_TRUE(spans_->all().empty());
}

TEST_F(rpc_traces, without_tracing_traces_are_passed_on_and_nothing_else_is_sent) {
  EXPECT_EQ(post("whose", {{"traceparent", caller}}), '"' + std::string(caller) + '"');
  EXPECT_EQ(post("whose", {}), "\"\"");
  EXPECT_EQ(post("state", {{"traceparent", caller}, {"tracestate", "vendor=1"}}), "\"vendor=1\"");
  EXPECT_EQ(post("state", {{"tracestate", "vendor=1"}}), "\"\"")
      << "there is no trace that it could belong to";
}

}  // namespace
}  // namespace quarq::test::rpc_traces_tests
