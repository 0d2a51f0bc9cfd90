// Functions that are posted and forgotten: all run, in order, and none starves.
#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <future>
#include <latch>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <quarq/run.hpp>
#include <quarq/thread_pool.hpp>

#include "unit/threads/thread_pools.hpp"

namespace quarq::test {
namespace {

TEST(thread_pool, posted_functions_all_run) {
  std::atomic<int> count = 0;
  {
    thread_pool threads(sized(3));
    std::vector<std::jthread> from;
    for (int t = 0; t < 3; ++t) {
      from.emplace_back([&] {
        for (int i = 0; i < 5000; ++i) threads.post([&] { ++count; });
      });
    }
    from.clear();
  }
  EXPECT_EQ(count, 15000);
}

TEST(thread_pool, posts_of_one_thread_start_in_order) {
  std::vector<int> order;
  {
    thread_pool threads(sized(1));
    for (int i = 0; i < 1000; ++i) threads.post([&, i] { order.push_back(i); });
  }
  ASSERT_EQ(order.size(), 1000u);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
  order.clear();
  {
    thread_pool threads(sized(1));
    threads.post([&] {
      for (int i = 0; i < 1000; ++i) threads.post([&, i] { order.push_back(i); });
    });
  }
  ASSERT_EQ(order.size(), 1000u);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

struct branch {
  void operator()() const {
    ++*count;
    if (depth == 0) return;
    for (int i = 0; i < 2; ++i) threads->post(branch{threads, count, depth - 1});
  }
  thread_pool* threads;
  std::atomic<int>* count;
  int depth;
};

TEST(thread_pool, posts_from_inside_spread_and_all_run) {
  std::atomic<int> count = 0;
  {
    thread_pool threads(sized(4));
    threads.post(branch{&threads, &count, 12});
  }
  EXPECT_EQ(count, (1 << 13) - 1);
}

TEST(thread_pool, posted_functions_of_any_size_are_destroyed_once) {
  std::atomic<int> alive = 0;
  struct big {
    std::array<char, 300> bytes = {};
  };
  {
    thread_pool threads(sized(2));
    for (int i = 0; i < 200; ++i) {
      threads.post([c = counted(alive)] {});
      threads.post([c = counted(alive), b = big()] { EXPECT_EQ(b.bytes[299], 0); });
    }
  }
  EXPECT_EQ(alive, 0);
}

TEST(thread_pool, work_behind_a_blocked_thread_is_taken_by_the_other) {
  // The second function is in the hands of whoever took many at once; it must not wait behind the first.
  for (int round = 0; round < 50; ++round) {
    std::latch last_ran(1);
    thread_pool threads(sized(2));
    threads.post([&] {
      for (int i = 0; i < 200; ++i) threads.post([] {});
      threads.post([&] { last_ran.count_down(); });
      last_ran.wait();
    });
  }
}

TEST(thread_pool, work_from_inside_does_not_starve_work_from_outside) {
  std::atomic<bool> end = false;
  std::function<void()> again;
  thread_pool threads(sized(1));
  again = [&] {
    if (!end) threads.post([&] { again(); });
  };
  threads.post([&] { again(); });
  EXPECT_EQ(run(threads.run(add, 1, 2)), 3);
  end = true;
}

TEST(thread_pool, work_from_outside_does_not_starve_work_from_inside) {
  std::atomic<bool> end = false;
  std::promise<void> ran;
  {
    thread_pool threads(sized(1));
    std::jthread outside([&] {
      while (!end) threads.post([] {});
    });
    threads.post([&] { threads.post([&] { ran.set_value(); }); });
    ran.get_future().wait();
    end = true;
  }
}

TEST(thread_pool_death, an_exception_that_leaves_a_posted_function_ends_the_program) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        thread_pool threads(sized(1));
        threads.post([] { throw std::runtime_error("nobody is here to catch this"); });
      },
      "nobody is here to catch this");
}

TEST(thread_pool_death, is_not_destroyed_by_one_of_its_own_threads) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        auto threads = std::make_unique<thread_pool>(sized(1));
        std::latch never(1);
        threads->post([&] { threads.reset(); });
        never.wait();
      },
      "destroyed by one of its own threads");
}

}  // namespace
}  // namespace quarq::test
