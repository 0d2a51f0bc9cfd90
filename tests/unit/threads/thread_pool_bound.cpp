// A queue with a limit: who waits for a slot, and who gets it.
#include <atomic>
#include <latch>
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

TEST(thread_pool, a_full_queue_suspends_the_coroutine_and_not_its_loop) {
  thread_pool threads(bounded(1, 2));
  gate busy;
  threads.post([&] { busy.pass(); });
  busy.wait_until_reached();
  int ended = 0;
  std::atomic<int> started = 0;
  const auto one = [&]() -> awaitable<void> {
    co_await threads.run([&] { ++started; });
    ++ended;
  };
  const auto body = [&]() -> awaitable<void> {
    co_await sleep_for(1ms);
    EXPECT_EQ(started, 0);
    busy.open();
  };
  std::vector<awaitable<void>> all;
  for (int i = 0; i < 20; ++i) all.push_back(one());
  all.push_back(body());
  run(gather(std::move(all)));
  EXPECT_EQ(ended, 20);
}

TEST(thread_pool, a_full_queue_blocks_who_posts) {
  std::atomic<int> ran = 0, posted = 0;
  {
    thread_pool threads(bounded(1, 2));
    gate busy;
    threads.post([&] { busy.pass(); });
    busy.wait_until_reached();
    threads.post([&] { ++ran; });
    threads.post([&] { ++ran; });
    std::jthread third([&] {
      threads.post([&] { ++ran; });
      ++posted;
    });
    EXPECT_EQ(posted, 0);
    busy.open();
    third.join();
    EXPECT_EQ(posted, 1);
  }
  EXPECT_EQ(ran, 3);
}

TEST(thread_pool, a_full_queue_makes_its_own_thread_do_what_it_posts) {
  std::vector<int> order;
  {
    thread_pool threads(bounded(1, 1));
    std::latch posted(1);
    threads.post([&] {
      threads.post([&] { order.push_back(2); });
      threads.post([&] { order.push_back(1); });
      posted.count_down();
    });
    posted.wait();
  }
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
}

TEST(thread_pool, cancelled_while_it_waits_for_a_place) {
  thread_pool threads(bounded(1, 1));
  gate busy;
  threads.post([&] { busy.pass(); });
  busy.wait_until_reached();
  threads.post([] {});
  bool ran = false;
  const auto end = cancelled_after(threads.run([&] { ran = true; }), [] {});
  EXPECT_TRUE(is_aborted(end.failure));
  busy.open();
  // The places are all there still.
  for (int i = 0; i < 10; ++i) run(threads.run([] {}));
  EXPECT_FALSE(ran);
}

TEST(thread_pool, a_call_cancelled_in_the_queue_gives_its_place_back) {
  thread_pool threads(bounded(1, 1));
  gate busy;
  threads.post([&] { busy.pass(); });
  busy.wait_until_reached();
  for (int i = 0; i < 5; ++i) {
    const auto end = cancelled_after(threads.run([] {}), [] {});
    EXPECT_TRUE(is_aborted(end.failure));
  }
  std::atomic<bool> ran = false;
  // Would block for ever if the place were still taken.
  threads.post([&] { ran = true; });
  busy.open();
  run(threads.run([] {}));
  EXPECT_TRUE(ran);
}

}  // namespace
}  // namespace quarq::test
