// The limits that a worker keeps, the order in which it takes jobs, and how it ends.
#include <algorithm>
#include <atomic>
#include <thread>

#include "integration/worker_test.hpp"

namespace quarq::test::worker_options_tests {
namespace {

constexpr task<int(int)> step{"step"};
constexpr task<int(int)> plain_step{"plain_step"};

/// How many are at work, and how many were at most.
struct gauge {
  int now = 0, max = 0;
  void enter() { max = std::max(max, ++now); }
  void leave() { --now; }
};

class worker_options_test : public worker_test {
 protected:
  static awaitable<void> send(queue q, int count) {
    std::vector<call<int>> calls;
    for (int i = 0; i < count; ++i) calls.push_back(step(i));
    co_await q.enqueue(std::move(calls));
  }

  /// Serves while nothing is done but waiting for this many jobs to be done.
  void serve_until_done(worker& w, std::size_t jobs, const body& first) {
    serve(w, [&](queue q) -> awaitable<void> {
      co_await first(q);
      co_await until([&] { return w.jobs_done() >= jobs; });
    });
  }
};

TEST_P(worker_options_test, no_more_jobs_run_at_once_than_it_says) {
  gauge g;
  auto o = options();
  o.concurrency = 3;
  worker w(o);
  w.handle(step, [&](int n) -> awaitable<int> {
    g.enter();
    co_await sleep_for(2ms);
    g.leave();
    co_return n;
  });
  serve_until_done(w, 30, [](queue q) { return send(q, 30); });
  EXPECT_EQ(g.max, 3);
}

TEST_P(worker_options_test, no_more_plain_functions_run_at_once_than_there_are_threads) {
  std::atomic<int> now{0}, max{0};
  auto o = options();
  o.threads = 2;
  worker w(o);
  w.handle(step, [&](int n) {
    const int here = ++now;
    int seen = max;
    while (seen < here && !max.compare_exchange_weak(seen, here)) {
    }
    std::this_thread::sleep_for(2ms);
    --now;
    return n;
  });
  serve_until_done(w, 30, [](queue q) { return send(q, 30); });
  EXPECT_LE(max, 2);
}

TEST_P(worker_options_test, busy_threads_do_not_hold_up_the_loop) {
  std::atomic<bool> go{false};
  auto o = options();
  o.threads = 1;
  worker w(o);
  w.handle(plain_step, [&](int n) {
    while (!go) std::this_thread::sleep_for(1ms);
    return n;
  });
  w.handle(step, [](int n) -> awaitable<int> { co_return n; });
  serve(w, [&](queue q) -> awaitable<void> {
    const auto blocked = co_await q.enqueue(plain_step(1));
    const auto quick = co_await q.enqueue(step(2));
    const auto error = co_await error_of(quick.result(default_timeout));
    EXPECT_EQ(error.what, "nothing was thrown");
    go = true;
    const int one = co_await blocked.result(default_timeout);
    EXPECT_EQ(one, 1);
  });
}

TEST_P(worker_options_test, the_highest_priority_goes_first_and_then_the_oldest) {
  if (!powers().priorities) GTEST_SKIP() << "it refuses priorities";
  std::vector<int> order;
  auto o = options();
  o.concurrency = 1;
  worker w(o);
  w.handle(step, [&](int n) -> awaitable<int> {
    order.push_back(n);
    co_return n;
  });
  latch started, go;
  constexpr task<int(int)> hold{"hold"};
  w.handle(hold, [&](int n) -> awaitable<int> {
    started.open();
    co_await go.wait();
    co_return n;
  });
  serve_until_done(w, 6, [&](queue q) -> awaitable<void> {
    co_await q.enqueue(hold(0));
    co_await started.wait();
    std::vector<call<int>> calls;
    calls.push_back(step(1));
    calls.push_back(step(2).priority(0));
    calls.push_back(step(3).priority(9));
    calls.push_back(step(4).priority(9));
    calls.push_back(step(5));
    co_await q.enqueue(std::move(calls));
    go.open();
  });
  EXPECT_EQ(order, (std::vector<int>{3, 4, 1, 5, 2}));
}

TEST_P(worker_options_test, queues_are_asked_by_their_weights) {
  // While both have jobs, and one job at a time is claimed, each claim asks one queue first.
  auto o = options();
  o.queues = {{"often", 3}, {"seldom", 1}};
  o.concurrency = 1;
  constexpr int each = 400;
  std::vector<std::string> order;
  worker w(o);
  w.handle(step, [&](context& ctx, int n) -> awaitable<int> {
    order.push_back(ctx.queue_name());
    co_return n;
  });
  latch filled;
  w.on_startup([&](context&) -> awaitable<void> { co_await filled.wait(); });
  serve_until_done(w, 2 * each, [&](queue) -> awaitable<void> {
    co_await send(queue(url(), "often"), each);
    co_await send(queue(url(), "seldom"), each);
    filled.open();
  });
  // Of the first 400, about 300 are from the heavier queue; this far off by chance once in 10^12.
  const auto often = std::count(order.begin(), order.begin() + each, "often");
  EXPECT_GT(often, 240);
  EXPECT_LT(often, 360);
}

TEST_P(worker_options_test, burst_ends_when_nothing_is_queued_and_leaves_what_is_deferred) {
  auto o = options();
  o.burst = true;
  worker w(o);
  w.handle(step, [](int n) { return n; });
  without_worker([&](queue q) -> awaitable<void> {
    co_await send(q, 20);
    const auto later = co_await q.enqueue(step(1).delay(1h));
    co_await w.run();
    const auto status = co_await later.state();
    EXPECT_EQ(status, job_state::deferred);
  });
  EXPECT_EQ(w.jobs_done(), 20u);
}

TEST_P(worker_options_test, it_stops_after_so_many_jobs) {
  auto o = options();
  o.max_jobs = 7;
  worker w(o);
  w.handle(step, [](int n) { return n; });
  without_worker([&](queue q) -> awaitable<void> {
    co_await send(q, 20);
    co_await w.run();
  });
  EXPECT_EQ(w.jobs_done(), 7u);
}

TEST_P(worker_options_test, stop_lets_running_jobs_end) {
  latch started, go;
  worker w(options());
  w.handle(step, [&](int n) -> awaitable<int> {
    started.open();
    co_await go.wait();
    co_return n;
  });
  without_worker([&](queue q) -> awaitable<void> {
    const auto job = co_await q.enqueue(step(1));
    std::vector<awaitable<void>> both;
    both.push_back(w.run());
    both.push_back([](worker& stopped, latch& begun, latch& end) -> awaitable<void> {
      co_await begun.wait();
      std::thread([&] { stopped.stop(); }).join();
      co_await sleep_for(5ms);
      end.open();
    }(w, started, go));
    co_await gather(std::move(both));
    const auto status = co_await job.state();
    EXPECT_EQ(status, job_state::succeeded);
  });
}

TEST_P(worker_options_test, without_grace_stop_hands_running_jobs_back_and_another_worker_runs_them) {
  latch started;
  auto o = options();
  o.shutdown_timeout = 0ms;
  worker w(o);
  w.handle(step, [&](int n) -> awaitable<int> {
    started.open();
    co_await sleep_for(1h);
    co_return n;
  });
  worker second(options());
  second.options().max_jobs = 1;
  second.handle(step, [](context& ctx, int) { return ctx.attempt(); });
  without_worker([&](queue q) -> awaitable<void> {
    const auto job = co_await q.enqueue(step(1));
    std::vector<awaitable<void>> both;
    both.push_back(w.run());
    both.push_back([](worker& stopped, latch& begun) -> awaitable<void> {
      co_await begun.wait();
      stopped.stop();
    }(w, started));
    co_await gather(std::move(both));
    co_await second.run();
    const int attempts = co_await job.result(default_timeout);
    EXPECT_EQ(attempts, 1);
  });
}

TEST_P(worker_options_test, a_worker_that_is_stopped_before_it_runs_does_not_run) {
  worker w(options());
  w.handle(step, [](int n) { return n; });
  w.stop();
  run_to_end(w);
  EXPECT_EQ(w.jobs_done(), 0u);
}

TEST_P(worker_options_test, as_long_as_possible_is_long) {
  auto o = options();
  for (auto* const one :
       {&o.lease, &o.burst_timeout, &o.shutdown_timeout, &o.cancel_timeout, &o.unknown_task_timeout})
    *one = std::chrono::milliseconds::max();
  worker w(o);
  bool was_asked_to_stop = false;
  event started, go_on;
  w.handle(step, [&](context& ctx, int n) -> awaitable<int> {
    started.set();
    co_await go_on.wait();
    was_asked_to_stop = ctx.stop_token().stop_requested();
    co_return n;
  });
  serve(w, [&](queue q) -> awaitable<void> {
    const auto job = co_await q.enqueue(step(7));
    co_await started.wait();
    w.stop();
    for (int turn = 0; turn < 100; ++turn) co_await sleep_for(1ms);
    go_on.set();
    const auto answer = co_await job.result(std::chrono::hours::max());
    EXPECT_EQ(answer, 7);
  });
  EXPECT_FALSE(was_asked_to_stop);
}

TEST_P(worker_options_test, what_makes_no_sense_is_refused) {
  const auto refused = [&](const worker_options& o) {
    worker w(o);
    w.handle(step, [](int n) { return n; });
    try {
      run_to_end(w);
    } catch (const usage_error& e) {
      return std::string(e.what());
    }
    return std::string("it ran");
  };
  auto o = options();
  o.queues.clear();
  EXPECT_EQ(refused(o), "a worker needs at least one queue");
  o = options();
  o.queues = {{"mail", 0}};
  EXPECT_EQ(refused(o), "queue mail: weight: expected at least 1, got 0");
  o = options();
  o.queues = {{"my mail", 1}};
  EXPECT_EQ(refused(o),
            "queue name \"my mail\": expected 1 to 100 characters without white space and braces");
  o = options();
  o.concurrency = 0;
  EXPECT_EQ(refused(o), "option concurrency: expected 1 to 1000000, got 0");
  o = options();
  o.lease = 999ms;
  EXPECT_EQ(refused(o), "option lease: expected at least 1000 ms, got 999");
  o = options();
  o.threads = static_cast<std::size_t>(-1);
  EXPECT_EQ(refused(o), "option threads: expected 0 to 4096, got 18446744073709551615");
  o = options();
  o.processes = 1'025;
  EXPECT_EQ(refused(o), "option processes: expected 0 to 1024, got 1025");
  o = options();
  o.shutdown_timeout = -1ms;
  EXPECT_EQ(refused(o), "option shutdown_timeout: expected at least 0 ms, got -1");
  o = options();
  o.cancel_timeout = -1ms;
  EXPECT_EQ(refused(o), "option cancel_timeout: expected at least 0 ms, got -1");
  o = options();
  o.blocked_after = 99ms;
  EXPECT_EQ(refused(o), "option blocked_after: expected 0 or at least 100 ms, got 99");
  o = options();
  o.broker = "nowhere:";
  EXPECT_NE(refused(o).find("nowhere:"), std::string::npos);
  worker none(options());
  EXPECT_THROW(run_to_end(none), usage_error);
  worker twice(options());
  twice.handle(step, [](int n) { return n; });
  twice.handle(step, [](int n) { return n; });
  EXPECT_THROW(run_to_end(twice), usage_error);
}

AT_EACH_BROKER(worker_options_test);

}  // namespace
}  // namespace quarq::test::worker_options_tests
