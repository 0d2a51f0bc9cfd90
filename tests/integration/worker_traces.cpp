// Spans of calls and attempts, at every broker.
#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>

#include <boost/json.hpp>

#include <quarq/client.hpp>
#include <quarq/trace.hpp>

#include "integration/worker_test.hpp"
#include "model/trace_context.hpp"
#include "support/captured_log.hpp"
#include "support/kept_spans.hpp"
#include "trace/traceparent.hpp"

namespace quarq::test::worker_traces_tests {
namespace {

constexpr task<int(int number)> outer{"outer", "number"};
constexpr task<int(int number)> inner{"inner", "number"};
constexpr task<std::string(std::string broker)> in_child{"in_child", "broker"};

constexpr const char* caller = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
constexpr const char* unsampled_caller = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

std::vector<call<int>> inner_calls(int count) {
  std::vector<call<int>> all;
  for (int i = 1; i <= count; ++i) all.push_back(inner(i));
  return all;
}

// Of one without a trace, of one that is not recorded, and of one that is.
std::vector<call<int>> calls_of_callers() {
  std::vector<call<int>> all;
  all.push_back(outer(1));
  all.push_back(outer(2).header("traceparent", unsampled_caller));
  all.push_back(outer(3).header("traceparent", caller));
  return all;
}

class worker_traces : public worker_test {
 protected:
  trace_options kept(trace_sampling sampling = {1, true}) const {
    trace_options o;
    o.exporter = spans_;
    o.sampling = sampling;
    return o;
  }
  /// A job of `outer` whose handler enqueues two of `inner`, by its context and by a queue of its own.
  void run_nested(trace_options how) {
    const tracing traces(std::move(how));
    worker w(options());
    const queue own(url());
    w.handle(outer, [&](context& ctx, int n) -> awaitable<int> {
      of_outer_ = ctx.traceparent();
      const auto first = co_await ctx.enqueue(inner(n));
      co_await first.result(default_timeout);
      const auto second = co_await own.enqueue(inner(n + 1));
      co_await second.result(default_timeout);
      co_return n;
    });
    w.handle(inner, [](int n) { return n; });
    serve(w, [&](queue q) -> awaitable<void> {
      const auto job = co_await q.enqueue(outer(1));
      id_ = job.id();
      co_await job.result(default_timeout);
    });
  }

  const std::shared_ptr<kept_spans> spans_ = std::make_shared<kept_spans>();
  std::string id_, of_outer_;
};

TEST_P(worker_traces, have_a_span_of_the_call_and_one_of_the_attempt_which_links_to_it) {
  run_nested(kept());
  const auto send = spans_->of("send default", "outer");
  const auto process = spans_->of("process default", "outer");
  EXPECT_EQ(send.kind, span_kind::producer);
  EXPECT_EQ(process.kind, span_kind::consumer);
  EXPECT_TRUE(is_root(send));
  EXPECT_TRUE(is_root(process));
  EXPECT_NE(send.context.trace_id, process.context.trace_id);
  EXPECT_TRUE(leads_to(process, send));
  EXPECT_GE(process.start.time_since_epoch(), send.start.time_since_epoch() - 1s);
  EXPECT_GE(process.end, process.start);
  EXPECT_EQ(trace::to_traceparent(process.context), of_outer_) << "what the handler's context says";
  for (const auto& one : {send, process}) {
    EXPECT_EQ(attribute(one, "messaging.system"), "quarq");
    EXPECT_EQ(attribute(one, "messaging.destination.name"), "default");
    EXPECT_EQ(attribute(one, "messaging.message.id"), id_);
    EXPECT_EQ(attribute(one, "error.type"), "");
    EXPECT_EQ(one.status, span_status::unset);
  }
  EXPECT_EQ(attribute(send, "messaging.operation.type"), "send");
  EXPECT_EQ(attribute(process, "messaging.operation.type"), "process");
  EXPECT_EQ(attribute(process, "quarq.attempt"), "1");
  EXPECT_EQ(attribute(process, "quarq.state"), "succeeded");
  // Others are files and sockets of this machine.
  const bool has_port = url().starts_with("redis://") || url().starts_with("arq://");
  EXPECT_EQ(attribute(send, "server.address"), has_port ? "127.0.0.1" : "");
  EXPECT_EQ(attribute(process, "server.port").empty(), !has_port);
}

TEST_P(worker_traces, what_a_handler_enqueues_is_a_child_of_its_attempt) {
  run_nested(kept());
  const auto process = spans_->of("process default", "outer");
  auto sent = spans_->named("send default");
  std::erase_if(sent, [](const auto& one) { return attribute(one, "quarq.task") != "inner"; });
  ASSERT_EQ(sent.size(), 2u) << "by the context, and by a queue of its own";
  for (const auto& one : sent) EXPECT_TRUE(is_child(one, process));
}

TEST_P(worker_traces, attempts_can_be_children_so_that_one_trace_has_all) {
  auto how = kept();
  how.attempts_are_children = true;
  run_nested(how);
  const auto send = spans_->of("send default", "outer");
  const auto process = spans_->of("process default", "outer");
  EXPECT_TRUE(is_child(process, send));
  EXPECT_TRUE(process.links.empty());
  const auto all = spans_->all();
  EXPECT_EQ(all.size(), 6u);
  for (const auto& one : all) EXPECT_EQ(one.context.trace_id, send.context.trace_id) << one.name;
}

TEST_P(worker_traces, each_attempt_of_a_job_has_a_span) {
  const tracing traces(kept());
  worker w(options());
  w.handle(outer,
           [](context& ctx, int n) -> awaitable<int> {
             if (ctx.attempt() == 1) throw std::runtime_error("not yet");
             co_return n;
           },
           {.retry = backoff::constant(1ms).attempts(2)});
  serve(w, [&](queue q) -> awaitable<void> {
    const auto job = co_await q.enqueue(outer(1));
    co_await job.result(default_timeout);
  });
  const auto send = spans_->of("send default", "outer");
  const auto attempts = spans_->named("process default");
  ASSERT_EQ(attempts.size(), 2u);
  for (const auto& one : attempts) EXPECT_TRUE(leads_to(one, send));
  EXPECT_EQ(attribute(attempts[0], "quarq.attempt"), "1");
  EXPECT_EQ(attribute(attempts[0], "quarq.state"), "deferred");
  EXPECT_EQ(attribute(attempts[0], "error.type"), "std::runtime_error");
  EXPECT_EQ(attempts[0].status, span_status::error);
  EXPECT_EQ(attempts[0].status_message, "not yet");
  EXPECT_EQ(attribute(attempts[1], "quarq.attempt"), "2");
  EXPECT_EQ(attribute(attempts[1], "quarq.state"), "succeeded");
  EXPECT_EQ(attempts[1].status, span_status::unset);
}

TEST_P(worker_traces, belong_to_the_callers_and_keep_its_state) {
  const tracing traces(kept());
  worker w(options());
  std::map<std::string, std::string> headers;
  w.handle(outer, [&](context& ctx, int n) -> awaitable<int> {
    headers = ctx.headers();
    co_return n;
  });
  serve(w, [&](queue q) -> awaitable<void> {
    const auto job = co_await q.enqueue(outer(1).header("traceparent", caller).header("tracestate", "a=b"));
    co_await job.result(default_timeout);
  });
  const auto send = spans_->of("send default", "outer");
  const auto process = spans_->of("process default", "outer");
  kept_span of_caller;
  of_caller.context = *trace::parse_traceparent(caller);
  EXPECT_TRUE(is_child(send, of_caller));
  EXPECT_EQ(send.context.trace_state, "a=b");
  EXPECT_TRUE(leads_to(process, send));
  EXPECT_EQ(process.links.at(0).trace_state, "a=b");
  EXPECT_EQ(process.context.trace_state, "") << "it begins a trace of its own";
  EXPECT_EQ(headers.at("traceparent"), trace::to_traceparent(send.context));
  EXPECT_EQ(headers.at("tracestate"), "a=b");
}

TEST_P(worker_traces, are_recorded_as_the_sampling_says) {
  std::vector<std::map<std::string, std::string>> headers;
  const tracing traces(kept({0, true}));
  worker w(options());
  w.handle(outer, [&](context& ctx, int n) -> awaitable<int> {
    headers.push_back(ctx.headers());
    co_return n;
  });
  serve(w, [&](queue q) -> awaitable<void> {
    auto calls = calls_of_callers();
    for (auto& one : calls) {
      const auto job = co_await q.enqueue(std::move(one));
      co_await job.result(default_timeout);
    }
  });
  ASSERT_EQ(headers.size(), 3u);
  EXPECT_TRUE(headers[0].empty()) << "what is not recorded leaves no mark";
  EXPECT_EQ(headers[1].at("traceparent"), unsampled_caller);
  EXPECT_NE(headers[2].at("traceparent"), caller);
  EXPECT_EQ(spans_->all().size(), 2u) << "those of the third";
}

TEST_P(worker_traces, of_a_batch_have_a_span_for_each_call_and_one_for_all) {
  const tracing traces(kept());
  worker w(options());
  w.handle(inner, [](int n) { return n; });
  serve(w, [&](queue q) -> awaitable<void> {
    auto calls = inner_calls(3);
    const auto jobs = co_await q.enqueue(std::move(calls));
    for (const auto& job : jobs) co_await job->result(default_timeout);
  });
  const auto created = spans_->named("create default");
  const auto sent = spans_->named("send default");
  const auto processed = spans_->named("process default");
  ASSERT_EQ(created.size(), 3u);
  ASSERT_EQ(sent.size(), 1u);
  ASSERT_EQ(processed.size(), 3u);
  EXPECT_EQ(sent[0].kind, span_kind::client);
  EXPECT_EQ(attribute(sent[0], "messaging.batch.message_count"), "3");
  ASSERT_EQ(sent[0].links.size(), 3u);
  for (std::size_t i = 0; i < created.size(); ++i) {
    EXPECT_EQ(created[i].kind, span_kind::producer);
    EXPECT_EQ(sent[0].links[i].span_id, created[i].context.span_id);
    const auto links_here = [&](const auto& one) { return leads_to(one, created[i]); };
    EXPECT_EQ(std::count_if(processed.begin(), processed.end(), links_here), 1);
  }
}

TEST_P(worker_traces, of_a_batch_can_have_one_span_for_all) {
  auto how = kept();
  how.create_spans = false;
  const tracing traces(how);
  worker w(options());
  w.handle(inner, [](int n) { return n; });
  serve(w, [&](queue q) -> awaitable<void> {
    auto calls = inner_calls(2);
    const auto jobs = co_await q.enqueue(std::move(calls));
    for (const auto& job : jobs) co_await job->result(default_timeout);
  });
  const auto sent = spans_->named("send default");
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].kind, span_kind::producer);
  EXPECT_TRUE(sent[0].links.empty());
  const auto processed = spans_->named("process default");
  ASSERT_EQ(processed.size(), 2u);
  for (const auto& one : processed) EXPECT_TRUE(leads_to(one, sent[0]));
}

TEST_P(worker_traces, say_why_a_call_was_not_stored) {
  const tracing traces(kept());
  without_worker([&](queue q) -> awaitable<void> {
    co_await q.enqueue(inner(1).id("one"));
    const auto failure = co_await error_of(q.enqueue(inner(2).id("one")));
    EXPECT_NE(failure.as<duplicate_job>(), nullptr);
  });
  const auto sent = spans_->named("send default");
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(sent[0].status, span_status::unset);
  EXPECT_EQ(sent[1].status, span_status::error);
  EXPECT_EQ(attribute(sent[1], "error.type"), "quarq::duplicate_job");
}

TEST_P(worker_traces, name_what_log_lines_belong_to) {
  const captured_log log;
  const tracing traces(kept());
  auto o = options();
  o.log_lines = log_format::json;
  worker w(o);
  w.handle(inner, [](int n) { return n; });
  serve(w, [&](queue q) -> awaitable<void> {
    const auto job = co_await q.enqueue(inner(1));
    co_await job.result(default_timeout);
  });
  const auto process = spans_->of("process default", "inner");
  const auto header = trace::to_traceparent(process.context);
  const auto ids =
      "\"trace_id\":\"" + header.substr(3, 32) + "\",\"span_id\":\"" + header.substr(36, 16) + "\"";
  EXPECT_EQ(log.count(ids), 2u) << "started and finished: " << log.text();
}

// In a process there is nothing of the worker's: the handler passes its trace on by itself.
std::string enqueue_from_child(context& ctx, std::string broker) {
  client own(broker);
  own.enqueue(inner(1).header("traceparent", ctx.traceparent()));
  return ctx.traceparent();
}

TEST_P(worker_traces, go_on_through_a_process) {
  if (url().find(":memory:") != std::string::npos) GTEST_SKIP() << "another process can't reach it";
  const tracing traces(kept());
  auto o = options();
  o.processes = 1;
  worker w(o);
  w.handle(in_child, &enqueue_from_child, {.on = level::process});
  w.handle(inner, [](int n) { return n; });
  std::string of_child;
  serve(w, [&](queue q) -> awaitable<void> {
    const auto job = co_await q.enqueue(in_child(url()));
    auto said = co_await job.result(default_timeout);
    of_child = std::move(said);
    const auto holds = [&] { return spans_->named("process default").size() == 2; };
    const auto deadline = std::chrono::steady_clock::now() + default_timeout;
    while (!holds() && std::chrono::steady_clock::now() < deadline) co_await sleep_for(1ms);
  });
  const auto process = spans_->of("process default", "in_child");
  EXPECT_EQ(of_child, trace::to_traceparent(process.context));
  EXPECT_TRUE(leads_to(spans_->of("process default", "inner"), process));
}

AT_EACH_BROKER(worker_traces);

}  // namespace
}  // namespace quarq::test::worker_traces_tests
