// Between threads; with coroutines: blocking_queue_async.cpp.
#include <atomic>
#include <chrono>
#include <latch>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <quarq/blocking_queue.hpp>
#include <quarq/errors.hpp>

namespace quarq::test {
namespace {

using namespace std::chrono_literals;

TEST(blocking_queue, keeps_the_order) {
  blocking_queue<int> queue;
  for (int i = 0; i < 100; ++i) queue.push(i);
  EXPECT_EQ(queue.size(), 100u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(queue.pop(), i);
  EXPECT_EQ(queue.try_pop(), std::nullopt);
}

TEST(blocking_queue, moves_what_can_only_be_moved) {
  blocking_queue<std::unique_ptr<int>> queue(1);
  queue.push(std::make_unique<int>(1));
  auto kept = std::make_unique<int>(2);
  EXPECT_FALSE(queue.try_push(std::move(kept)));
  ASSERT_TRUE(kept);
  EXPECT_EQ(**queue.pop(), 1);
  EXPECT_TRUE(queue.try_push(std::move(kept)));
  EXPECT_EQ(**queue.pop(), 2);
}

TEST(blocking_queue, a_full_one_blocks_until_there_is_room) {
  blocking_queue<int> queue(2);
  EXPECT_TRUE(queue.try_push(1));
  EXPECT_TRUE(queue.try_push(2));
  EXPECT_FALSE(queue.try_push(3));
  std::jthread pusher([&] {
    for (int i = 3; i < 1000; ++i) queue.push(i);
  });
  for (int i = 1; i < 1000; ++i) {
    EXPECT_EQ(queue.pop(), i);
    EXPECT_LE(queue.size(), 2u);
  }
}

TEST(blocking_queue, an_empty_one_blocks_until_there_is_an_item) {
  blocking_queue<int> there, back;
  std::jthread other([&] {
    while (const auto n = there.pop()) back.push(*n + 1);
    back.close();
  });
  for (int i = 0; i < 1000; ++i) {
    there.push(i);
    EXPECT_EQ(back.pop(), i + 1);
  }
  there.close();
  EXPECT_EQ(back.pop(), std::nullopt);
}

TEST(blocking_queue, pop_for_waits_as_long_as_it_is_told) {
  blocking_queue<int> queue;
  EXPECT_EQ(queue.pop_for(0s), std::nullopt);
  EXPECT_EQ(queue.pop_for(-1s), std::nullopt);
  const auto before = std::chrono::steady_clock::now();
  EXPECT_EQ(queue.pop_for(10ms), std::nullopt);
  EXPECT_GE(std::chrono::steady_clock::now() - before, 10ms);
  std::jthread pusher([&] { queue.push(7); });
  EXPECT_EQ(queue.pop_for(std::chrono::nanoseconds::max()), 7);
  queue.close();
  EXPECT_EQ(queue.pop_for(1h), std::nullopt);
}

TEST(blocking_queue, push_for_waits_as_long_as_it_is_told) {
  blocking_queue<std::unique_ptr<int>> queue(1);
  EXPECT_TRUE(queue.push_for(std::make_unique<int>(1), 0s));
  auto kept = std::make_unique<int>(2);
  EXPECT_FALSE(queue.push_for(std::move(kept), -1s));
  const auto before = std::chrono::steady_clock::now();
  EXPECT_FALSE(queue.push_for(std::move(kept), 10ms));
  EXPECT_GE(std::chrono::steady_clock::now() - before, 10ms);
  ASSERT_TRUE(kept) << "it is still the caller's";
  std::jthread popper([&] { EXPECT_EQ(**queue.pop(), 1); });
  EXPECT_TRUE(queue.push_for(std::move(kept), std::chrono::nanoseconds::max()));
  popper.join();
  queue.close();
  EXPECT_THROW(queue.push_for(std::make_unique<int>(3), 1h), closed_error);
  EXPECT_EQ(**queue.pop(), 2);
}

TEST(blocking_queue, push_for_copies_what_it_is_lent) {
  blocking_queue<std::string> queue(1);
  const std::string text = "a text that is too long for its string to hold";
  EXPECT_TRUE(queue.push_for(text, 0s));
  EXPECT_FALSE(queue.push_for(text, 0s));
  EXPECT_EQ(queue.pop(), text);
}

TEST(blocking_queue, a_closed_one_gives_what_it_has_and_takes_nothing) {
  blocking_queue<int> queue;
  queue.push(1);
  EXPECT_FALSE(queue.is_closed());
  queue.close();
  queue.close();
  EXPECT_TRUE(queue.is_closed());
  EXPECT_THROW(queue.push(2), closed_error);
  EXPECT_THROW(queue.try_push(2), closed_error);
  EXPECT_EQ(queue.pop(), 1);
  EXPECT_EQ(queue.pop(), std::nullopt);
}

TEST(blocking_queue, close_wakes_threads_that_wait) {
  blocking_queue<int> empty, full(1);
  full.push(1);
  std::atomic<int> nothing = 0, refused = 0;
  {
    std::vector<std::jthread> waiting;
    for (int i = 0; i < 3; ++i) {
      waiting.emplace_back([&] {
        if (!empty.pop()) ++nothing;
      });
      waiting.emplace_back([&] {
        try {
          full.push(2);
        } catch (const closed_error&) {
          ++refused;
        }
      });
    }
    empty.close();
    full.close();
  }
  EXPECT_EQ(nothing, 3);
  EXPECT_EQ(refused, 3);
}

TEST(blocking_queue, many_producers_and_consumers_lose_nothing) {
  for (std::size_t capacity : {0, 1, 7}) {
    blocking_queue<int> queue(capacity);
    std::atomic<long> sum = 0, count = 0;
    {
      std::vector<std::jthread> consumers, producers;
      for (int t = 0; t < 4; ++t) {
        consumers.emplace_back([&] {
          while (const auto n = queue.pop()) {
            sum += *n;
            ++count;
          }
        });
        producers.emplace_back([&] {
          for (int i = 1; i <= 1000; ++i) queue.push(i);
        });
      }
      producers.clear();
      queue.close();
    }
    EXPECT_EQ(count, 4000);
    EXPECT_EQ(sum, 4L * 500500);
  }
}

TEST(blocking_queue, join_waits_until_all_is_dealt_with) {
  blocking_queue<int> queue;
  queue.join();
  std::atomic<int> dealt_with = 0;
  std::jthread consumer([&] {
    while (queue.pop()) {
      ++dealt_with;
      queue.task_done();
    }
  });
  for (int i = 0; i < 100; ++i) queue.push(i);
  queue.join();
  EXPECT_EQ(dealt_with, 100);
  queue.close();
}

TEST(blocking_queue, task_done_more_often_than_pushed_is_an_error) {
  blocking_queue<int> queue;
  EXPECT_THROW(queue.task_done(), std::logic_error);
  queue.push(1);
  queue.pop();
  queue.task_done();
  EXPECT_THROW(queue.task_done(), std::logic_error);
}

TEST(blocking_queue, as_long_as_possible_is_long_in_every_unit) {
  blocking_queue<int> queue(1);
  std::latch popping(1);
  std::jthread pushes([&] {
    popping.wait();
    for (int i = 0; i < 3; ++i) queue.push(i);
  });
  popping.count_down();
  EXPECT_EQ(queue.pop_for(std::chrono::hours::max()), 0);
  EXPECT_EQ(queue.pop_for(std::chrono::duration<double>(1e300)), 1);
  EXPECT_EQ(queue.pop_for(std::chrono::nanoseconds::max()), 2);
  queue.push(3);
  std::jthread pops([&] { queue.pop(); });
  EXPECT_TRUE(queue.push_for(4, std::chrono::seconds::max()));
  EXPECT_FALSE(queue.push_for(5, std::chrono::hours::min()));
}

}  // namespace
}  // namespace quarq::test
