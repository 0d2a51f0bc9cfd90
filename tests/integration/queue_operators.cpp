// What programs are told of their jobs and queues: attempts, labels, lists, what has happened; at every broker.
#include "integration/worker_test.hpp"

namespace quarq::test::queue_operators_tests {
namespace {

constexpr task<int(int)> twice{"twice", "n"};
constexpr task<void(std::string)> note{"note", "text"};

class queue_operators : public worker_test {};
AT_EACH_BROKER(queue_operators);

awaitable<int> fail_twice(context& ctx, int n) {
  if (ctx.attempt() < 3) throw std::runtime_error("attempt " + std::to_string(ctx.attempt()));
  co_return 2 * n;
}

awaitable<int> always_fail(context& ctx, int) {
  throw std::runtime_error("attempt " + std::to_string(ctx.attempt()));
  co_return 0;
}

TEST_P(queue_operators, the_attempts_of_a_job_are_told_with_its_result) {
  worker w(options());
  w.handle(twice, fail_twice, {.retry = backoff::constant(1ms).attempts(5)});
  serve(w, [&](queue q) -> awaitable<void> {
    const auto job = co_await q.enqueue(twice(21));
    const int result = co_await job.result(default_timeout);
    EXPECT_EQ(result, 42);
    const auto info = co_await job.info();
    EXPECT_EQ(info.history.size(), 3u);
    for (std::size_t i = 0; i < info.history.size(); ++i) {
      const auto& one = info.history[i];
      EXPECT_EQ(one.number, static_cast<int>(i) + 1);
      EXPECT_EQ(one.worker, info.worker);
      EXPECT_EQ(one.error_type, i < 2 ? "std::runtime_error" : "");
      EXPECT_EQ(one.error, i < 2 ? "attempt " + std::to_string(i + 1) : "");
      EXPECT_TRUE(one.started_at && one.finished_at && *one.started_at <= *one.finished_at);
      if (i > 0) {
        EXPECT_LE(info.history[i - 1].finished_at, one.started_at);
      }
    }
  });
}

TEST_P(queue_operators, of_many_attempts_the_latest_ten_are_told) {
  worker w(options());
  w.handle(twice, always_fail, {.retry = backoff::constant(1ms).attempts(14)});
  serve(w, [&](queue q) -> awaitable<void> {
    const auto job = co_await q.enqueue(twice(1));
    const auto thrown = co_await error_of(job.result(default_timeout));
    EXPECT_NE(thrown.as<retries_exhausted>(), nullptr) << thrown.what;
    const auto info = co_await job.info();
    EXPECT_EQ(info.history.size(), 10u);
    for (std::size_t i = 0; i < info.history.size(); ++i) {
      EXPECT_EQ(info.history[i].number, static_cast<int>(i) + 5);
      EXPECT_EQ(info.history[i].error, "attempt " + std::to_string(i + 5));
    }
  });
}

struct seen_labels {
  std::map<std::string, std::string> headers;
  std::vector<std::string> tags;
  int version = 0;
  std::string traceparent;
};

constexpr const char* trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

TEST_P(queue_operators, labels_of_a_call_reach_its_handler_and_its_trace_what_that_enqueues) {
  worker w(options());
  seen_labels seen, of_child;
  const auto look = [](context& ctx) {
    return seen_labels{ctx.headers(), ctx.tags(), ctx.version(), ctx.traceparent()};
  };
  w.handle(twice, [&](context& ctx, int n) -> awaitable<int> {
    seen = look(ctx);
    const auto child = co_await ctx.enqueue(note("child"));
    co_await child.result(default_timeout);
    co_return n;
  });
  w.handle(note, [&](context& ctx, std::string) -> awaitable<void> {
    of_child = look(ctx);
    co_return;
  });
  serve(w, [&](queue q) -> awaitable<void> {
    auto call = twice(1).header("traceparent", trace).header("tracestate", "a=b").header("customer", "42");
    const auto job = co_await q.enqueue(std::move(call).tag("urgent").tag("invoice").version(3));
    co_await job.result(default_timeout);
    const auto plain = co_await q.enqueue(note("plain"));
    co_await plain.result(default_timeout);
  });
  EXPECT_EQ(seen.headers.at("customer"), "42");
  EXPECT_EQ(seen.headers.size(), 3u);
  EXPECT_EQ(seen.tags, (std::vector<std::string>{"urgent", "invoice"}));
  EXPECT_EQ(seen.version, 3);
  EXPECT_EQ(seen.traceparent, trace);
  EXPECT_EQ(of_child.traceparent, "");
  EXPECT_TRUE(of_child.headers.empty());
  EXPECT_EQ(of_child.version, 0);
}

TEST_P(queue_operators, what_a_traced_job_enqueues_belongs_to_its_trace) {
  worker w(options());
  std::vector<std::map<std::string, std::string>> headers;
  w.handle(twice, [](context& ctx, int n) -> awaitable<int> {
    const auto child = co_await ctx.enqueue(note("child"));
    co_await child.result(default_timeout);
    const auto own = co_await ctx.enqueue(note("child").header("traceparent", "another"));
    co_await own.result(default_timeout);
    co_return n;
  });
  w.handle(note, [&](context& ctx, std::string) -> awaitable<void> {
    headers.push_back(ctx.headers());
    co_return;
  });
  serve(w, [&](queue q) -> awaitable<void> {
    const auto job = co_await q.enqueue(twice(1).header("traceparent", trace).header("tracestate", "a=b"));
    co_await job.result(default_timeout);
  });
  ASSERT_EQ(headers.size(), 2u);
  EXPECT_EQ(headers[0].at("traceparent"), trace);
  EXPECT_EQ(headers[0].at("tracestate"), "a=b");
  EXPECT_EQ(headers[1].at("traceparent"), "another");
}

TEST_P(queue_operators, labels_of_a_waiting_job_are_shown_and_it_is_found_by_them) {
  without_worker([&](queue q) -> awaitable<void> {
    const auto job = co_await q.enqueue(note("for ann").tag("urgent").header("customer", "42").version(7));
    co_await q.enqueue(note("for bob"));
    const auto info = co_await job.info();
    EXPECT_EQ(info.headers.at("customer"), "42");
    EXPECT_EQ(info.tags, strings(1, "urgent"));
    EXPECT_EQ(info.version, 7);
    auto found = co_await q.list(job_filter{.tag = "urgent"});
    EXPECT_EQ(found.jobs.size(), 1u);
    found = co_await q.list(job_filter{.text = "bob"});
    EXPECT_EQ(found.jobs.size(), 1u);
    EXPECT_EQ(found.jobs.at(0).arguments, "[\"for bob\"]");
    found = co_await q.list(job_filter{.id_prefix = job.id()});
    EXPECT_EQ(found.jobs.size(), 1u);
    const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
    found = co_await q.list(job_filter{.enqueued_from = now - 1min, .enqueued_until = now + 1min});
    EXPECT_EQ(found.jobs.size(), 2u);
    found = co_await q.list(job_filter{.enqueued_from = now + 1min});
    EXPECT_EQ(found.jobs.size(), 0u);
    const auto counted = co_await q.count(job_filter{.state = job_state::queued});
    EXPECT_EQ(counted.count, 2u);
    const auto unnamed = co_await error_of(q.purge(job_filter{.tag = "urgent"}));
    EXPECT_NE(unnamed.as<usage_error>(), nullptr) << unnamed.what;
    const auto purged = co_await q.purge(job_filter{.state = job_state::queued, .tag = "urgent"});
    EXPECT_EQ(purged, 1u);
  });
}

TEST_P(queue_operators, labels_out_of_range_are_refused) {
  without_worker([&](queue q) -> awaitable<void> {
    const auto refused = [&](call<void> c) -> awaitable<std::string> {
      const auto t = co_await error_of(q.enqueue(std::move(c)));
      EXPECT_NE(t.as<usage_error>(), nullptr) << t.what;
      co_return t.what;
    };
    auto text = co_await refused(note("").header("a b", "c"));
    EXPECT_NE(text.find("note: header \"a b\""), std::string::npos) << text;
    text = co_await refused(note("").header("a", "\xff"));
    EXPECT_NE(text.find("header a"), std::string::npos) << text;
    text = co_await refused(note("").tag(""));
    EXPECT_NE(text.find("tag"), std::string::npos) << text;
    text = co_await refused(note("").header("a", std::string(5'000, 'x')));
    EXPECT_NE(text.find("4096"), std::string::npos) << text;
    text = co_await refused(note("").version(-1));
    EXPECT_NE(text.find("version"), std::string::npos) << text;
  });
}

awaitable<task_stats> stats_of(queue q, std::string task) {
  const auto now = std::chrono::system_clock::now();
  const auto all = co_await q.stats(now - 5min, now + 1min, 10min);
  task_stats sum;
  for (const auto& one : all) {
    if (one.task == task) sum.add(one.counts);
  }
  co_return sum;
}

TEST_P(queue_operators, workers_and_clients_report_what_has_happened) {
  worker w(options());
  w.handle(twice, fail_twice, {.retry = backoff::constant(1ms).attempts(5)});
  w.handle(note, [](context&, std::string) -> awaitable<void> { co_return; });
  serve(w, [&](queue q) -> awaitable<void> {
    const auto one = co_await q.enqueue(twice(1));
    std::vector<call<void>> calls;
    for (int i = 0; i < 10; ++i) calls.push_back(note("x"));
    const auto others = co_await q.enqueue(std::move(calls));
    co_await one.result(default_timeout);
    for (const auto& job : others) co_await job->result(default_timeout);
    const auto deadline = std::chrono::steady_clock::now() + default_timeout;
    auto of_notes = co_await stats_of(q, "note");
    while (of_notes.succeeded < 10 && std::chrono::steady_clock::now() < deadline) {
      co_await sleep_for(10ms);
      of_notes = co_await stats_of(q, "note");
    }
    EXPECT_EQ(of_notes.enqueued, 10u);
    EXPECT_EQ(of_notes.started, 10u);
    EXPECT_EQ(of_notes.succeeded, 10u);
    EXPECT_EQ(of_notes.waited.count(), 10u);
    EXPECT_EQ(of_notes.ran.count(), 10u);
    const auto of_twice = co_await stats_of(q, "twice");
    EXPECT_EQ(of_twice.enqueued, 1u);
    EXPECT_EQ(of_twice.started, 3u);
    EXPECT_EQ(of_twice.retried, 2u);
    EXPECT_EQ(of_twice.succeeded, 1u);
    EXPECT_EQ(of_twice.waited.count(), 1u);
    EXPECT_EQ(of_twice.ran.count(), 3u);
  });
}

}  // namespace
}  // namespace quarq::test::queue_operators_tests
