// What quarq offers for users' tests. It stands outside of quarq's namespaces, as users' tests do.
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include <quarq/quarq.hpp>
#include <quarq/testing.hpp>

#include "base/log.hpp"

using namespace std::chrono_literals;
using quarq::awaitable;

namespace users_tests {
namespace {

constexpr quarq::task<int(int)> twice{"twice", "number"};
constexpr quarq::task<std::string(std::string, int)> greet{"greet", "name", "times"};

template <class F>
std::string thrown_by(F f) {
  try {
    f();
  } catch (const quarq::error& e) {
    return e.what();
  }
  return "nothing was thrown";
}

class testing_tools : public ::testing::Test {
 protected:
  testing_tools() { quarq::base::set_log_level("off"); }

  /// Runs `body` alongside the worker.
  template <class Body>
  void serve(quarq::worker& w, Body body) {
    const auto then_stop = [&]() -> awaitable<void> {
      std::exception_ptr failure;
      try {
        co_await body(quarq::queue("sqlite::memory:"));
      } catch (...) {
        failure = std::current_exception();
      }
      w.stop();
      if (failure) std::rethrow_exception(failure);
    };
    quarq::run(both(w.run(), then_stop()));
  }

 private:
  static awaitable<void> both(awaitable<void> a, awaitable<void> b) {
    co_await quarq::gather(std::move(a), std::move(b));
  }
};

// ---- run_now

TEST_F(testing_tools, a_call_runs_here_and_now_with_its_retries) {
  std::vector<int> attempts;
  quarq::worker w;
  const auto third_time = [&](quarq::context& ctx, int n) {
    attempts.push_back(ctx.attempt());
    if (ctx.attempt() < 3) throw std::runtime_error("busy");
    return 2 * n;
  };
  w.handle(twice, third_time, {.retry = quarq::backoff::constant(1h).attempts(5)});
  int recorded = 0;
  w.after_commit([&](quarq::context&, const quarq::job_end&) -> awaitable<void> {
    ++recorded;
    co_return;
  });
  EXPECT_EQ(quarq::run(quarq::testing::run_now(w, twice(21).delay(24h))), 42);
  EXPECT_EQ(attempts, (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(recorded, 3);
  EXPECT_EQ(w.jobs_done(), 0u);
  EXPECT_EQ(quarq::run(quarq::testing::run_now(w, twice(1))), 2) << "it can be done again";
}

TEST_F(testing_tools, a_call_that_fails_throws_what_its_result_would) {
  quarq::worker w;
  w.handle(twice,
           [](int) -> awaitable<int> {
             throw std::runtime_error("busy");
             co_return 0;
           },
           {.retry = quarq::backoff::constant(1h).attempts(2)});
  const auto exhausted = thrown_by([&] { quarq::run(quarq::testing::run_now(w, twice(1))); });
  EXPECT_EQ(exhausted, "busy");
  const auto unknown = thrown_by([&] { quarq::run(quarq::testing::run_now(w, twice(1).attempts(0))); });
  EXPECT_EQ(unknown, "twice: option attempts: expected 1 to 1000000, got 0");
}

TEST_F(testing_tools, a_handler_enqueues_into_the_store_of_its_own_run) {
  quarq::worker w({.broker = "redis://nowhere.invalid"});
  w.handle(twice, [](int n) -> awaitable<int> { co_return 2 * n; });
  w.handle(greet, [](quarq::context& ctx, std::string name, int times) -> awaitable<std::string> {
    const auto part = co_await ctx.enqueue(twice(times));
    const int doubled = co_await part.result(1min);
    co_return name + " " + std::to_string(doubled);
  });
  EXPECT_EQ(quarq::run(quarq::testing::run_now(w, greet("Ann", 4))), "Ann 8");
}

TEST_F(testing_tools, a_call_sees_the_state_of_the_worker) {
  quarq::worker w;
  w.emplace<int>(3);
  w.handle(twice, [](quarq::context& ctx, int n) { return n * ctx.state<int>(); });
  EXPECT_EQ(quarq::run(quarq::testing::run_now(w, twice(5))), 15);
}

TEST_F(testing_tools, a_worker_that_cannot_start_says_so) {
  quarq::worker w;
  w.handle(twice, [](int n) -> awaitable<int> { co_return n; });
  w.on_startup([](quarq::context&) -> awaitable<void> {
    throw quarq::error("no database");
    co_return;
  });
  EXPECT_EQ(thrown_by([&] { quarq::run(quarq::testing::run_now(w, twice(1))); }), "no database");
}

// ---- enqueued

TEST_F(testing_tools, what_was_enqueued_can_be_looked_at) {
  const auto body = []() -> awaitable<void> {
    quarq::queue q("sqlite::memory:");
    co_await q.enqueue(greet("Ann", 1));
    co_await q.enqueue(twice(3));
    co_await q.enqueue(greet("Ben", 2).delay(1h));
    const auto greetings = co_await quarq::testing::enqueued(q, greet);
    const std::vector<std::tuple<std::string, int>> expected{{"Ann", 1}, {"Ben", 2}};
    EXPECT_EQ(greetings, expected);
    const auto numbers = co_await quarq::testing::enqueued(q, twice);
    EXPECT_EQ(numbers, std::vector<std::tuple<int>>(1, std::tuple<int>(3)));
  };
  quarq::run(body());
}

// ---- the clock

TEST_F(testing_tools, delays_and_retries_are_due_when_the_clock_is_moved) {
  quarq::testing::clock clock;
  quarq::worker w({.broker = "sqlite::memory:"});
  const auto second_time = [](quarq::context& ctx, int n) -> awaitable<int> {
    if (ctx.attempt() < 2) throw std::runtime_error("busy");
    co_return n;
  };
  w.handle(twice, second_time, {.retry = quarq::backoff::constant(2h).jitter(0).attempts(5)});
  serve(w, [&](quarq::queue q) -> awaitable<void> {
    const auto begin = clock.now();
    const auto job = co_await q.enqueue(twice(1).delay(24h));
    auto info = co_await job.info();
    EXPECT_EQ(info.state, quarq::job_state::deferred);
    EXPECT_EQ(info.enqueued_at, begin);
    EXPECT_EQ(info.due_at, begin + 24h);
    clock.advance(24h);
    while (info.attempts < 1 || info.state != quarq::job_state::deferred) {
      co_await quarq::sleep_for(1ms);
      info = co_await job.info();
    }
    clock.advance(2h);
    const int n = co_await job.result(1min);
    EXPECT_EQ(n, 1);
  });
}

TEST_F(testing_tools, jobs_expire_and_results_are_forgotten_when_the_clock_is_moved) {
  quarq::testing::clock clock;
  const auto expire = [&]() -> awaitable<void> {
    quarq::queue q("sqlite::memory:");
    const auto job = co_await q.enqueue(twice(1).expires(1h));
    clock.advance(2h);
    quarq::worker w({.broker = "sqlite::memory:", .burst = true});
    w.handle(twice, [](int n) -> awaitable<int> { co_return n; });
    co_await w.run();
    const auto state = co_await job.state();
    EXPECT_EQ(state, quarq::job_state::expired);
    clock.advance(24h);
    const auto ask = [&]() -> awaitable<bool> {
      try {
        co_await job.state();
      } catch (const quarq::job_not_found&) {
        co_return true;
      }
      co_return false;
    };
    const bool forgotten = co_await ask();
    EXPECT_TRUE(forgotten);
  };
  quarq::run(expire());
}

TEST_F(testing_tools, cron_jobs_run_when_the_clock_is_moved) {
  const quarq::testing::clock::time_point midnight = std::chrono::sys_days(std::chrono::January / 1 / 2030);
  quarq::testing::clock clock(midnight + 30min);
  quarq::worker w({.broker = "sqlite::memory:"});
  std::vector<quarq::testing::clock::time_point> runs;
  w.cron(
      "hourly",
      [&](quarq::context& ctx) -> awaitable<void> {
        runs.push_back(ctx.due_at());
        co_return;
      },
      "0 * * * *");
  serve(w, [&](quarq::queue q) -> awaitable<void> {
    for (std::size_t hour = 1; hour <= 3; ++hour) {
      // The next run is planned: a deferred job.
      auto planned = co_await quarq::testing::enqueued(q, quarq::task<void()>("cron:hourly"));
      while (planned.empty()) {
        co_await quarq::sleep_for(1ms);
        planned = co_await quarq::testing::enqueued(q, quarq::task<void()>("cron:hourly"));
      }
      clock.advance(1h);
      while (runs.size() < hour) co_await quarq::sleep_for(1ms);
    }
  });
  const std::vector<quarq::testing::clock::time_point> expected{midnight + 1h, midnight + 2h, midnight + 3h};
  EXPECT_EQ(runs, expected);
}

TEST_F(testing_tools, there_is_one_clock_at_a_time_and_it_comes_before_the_store) {
  {
    quarq::testing::clock first;
    EXPECT_THROW(quarq::testing::clock(), std::logic_error);
  }
  const auto body = []() -> awaitable<void> {
    quarq::queue q("sqlite::memory:");
    co_await q.enqueue(twice(1));
    EXPECT_THROW(quarq::testing::clock(), std::logic_error);
  };
  quarq::run(body());
  quarq::testing::clock again;
}

}  // namespace
}  // namespace users_tests
