// quarq::run on a thread of a pool: no deadlock, and no work in the wrong place.
#include <atomic>
#include <functional>
#include <stdexcept>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <quarq/gather.hpp>
#include <quarq/run.hpp>
#include <quarq/thread_pool.hpp>
#include <quarq/time.hpp>

#include "support/gate.hpp"
#include "unit/threads/thread_pools.hpp"

namespace quarq::test {
namespace {

using namespace std::chrono_literals;

TEST(thread_pool, run_from_inside_is_no_deadlock) {
  thread_pool one(sized(1));
  EXPECT_EQ(run(one.run(nested_run, std::cref(one), 1)), 2);
  EXPECT_EQ(run(one.run(nested_run, std::cref(one), 3)), 4);
  EXPECT_EQ(run(one.run(nested_run, std::cref(one), 50)), 51);
  thread_pool two(sized(2));
  std::vector<awaitable<int>> all;
  for (int i = 0; i < 1000; ++i) all.push_back(two.run(nested_run, std::cref(two), 3));
  for (const int n : run(gather(std::move(all)))) EXPECT_EQ(n, 4);
}

int fibonacci(const thread_pool& threads, int n) {
  if (n < 2) return n;
  const auto [a, b] = run(gather(threads.run(fibonacci, std::cref(threads), n - 1),
                                 threads.run(fibonacci, std::cref(threads), n - 2)));
  return a + b;
}

TEST(thread_pool, work_divides_itself) {
  for (std::size_t size : {1, 2, 4}) {
    thread_pool threads(sized(size));
    EXPECT_EQ(run(threads.run(fibonacci, std::cref(threads), 10)), 55);
  }
}

TEST(thread_pool, what_waits_for_a_timer_is_not_held_up_by_other_work) {
  thread_pool threads(sized(1));
  std::atomic<bool> is_queued = false;
  bool has_ended = false, had_ended = false;
  const auto wait = [&]() -> awaitable<void> {
    while (!is_queued) co_await sleep_for(1ms);
    co_await sleep_for(1ms);
    has_ended = true;
  };
  const auto other = [&] { had_ended = has_ended; };
  const auto announce = [&]() -> awaitable<void> {
    is_queued = true;
    co_return;
  };
  std::vector<awaitable<void>> all;
  all.push_back(threads.run(wait));
  all.push_back(threads.run(other));
  all.push_back(announce());
  run(gather(std::move(all)));
  EXPECT_TRUE(had_ended) << "it began in the middle of what waits";
}

TEST(thread_pool, a_thread_that_waits_for_nothing_of_its_own_is_woken_for_new_work) {
  // No timer runs on the waiting loop: only the pool can wake it.
  thread_pool threads(sized(1)), other(sized(1));
  gate held;
  int answer = 0;
  const auto waits = [&] { return run(other.run([&] { held.pass(); })); };
  std::jthread outside([&] {
    held.wait_until_reached();
    answer = run(threads.run(add, 2, 3));
    held.open();
  });
  run(threads.run(waits));
  outside.join();
  EXPECT_EQ(answer, 5);
}

TEST(thread_pool, a_helped_function_may_run_loops_itself) {
  thread_pool threads(sized(1));
  const auto outer = [&] {
    const auto inner = [] { return run(slow_text(3)); };
    return run(threads.run(inner));
  };
  EXPECT_EQ(run(threads.run(outer)), "3");
}

TEST(thread_pool, pools_may_wait_for_each_other) {
  thread_pool a(sized(1)), b(sized(1));
  const auto last = [] { return 5; };
  const auto middle = [&] { return run(a.run(last)); };
  const auto first = [&] { return run(b.run(middle)); };
  EXPECT_EQ(run(a.run(first)), 5);
}

TEST(thread_pool, run_inside_a_coroutine_is_still_refused) {
  thread_pool threads(sized(1));
  const auto wrong = [&]() -> awaitable<void> {
    co_await sleep_for(0ms);
    run(sleep_for(0ms));
  };
  EXPECT_THROW(run(threads.run(wrong)), std::logic_error);
}

TEST(thread_pool, run_from_inside_a_full_pool_is_no_deadlock) {
  thread_pool threads(bounded(1, 1));
  std::vector<awaitable<int>> all;
  for (int i = 0; i < 50; ++i) all.push_back(threads.run(nested_run, std::cref(threads), 3));
  for (const int n : run(gather(std::move(all)))) EXPECT_EQ(n, 4);
}

}  // namespace
}  // namespace quarq::test
