// Functions on threads: their values, their exceptions, and the threads.
#include <algorithm>
#include <atomic>
#include <functional>
#include <future>
#include <latch>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <pthread.h>

#include <quarq/gather.hpp>
#include <quarq/run.hpp>
#include <quarq/thread_pool.hpp>
#include <quarq/time.hpp>

#include "support/on_loop.hpp"
#include "unit/threads/thread_pools.hpp"

namespace quarq::test {
namespace {

using namespace std::chrono_literals;

TEST(thread_pool, yields_the_value_of_a_function_on_another_thread) {
  thread_pool threads;
  EXPECT_EQ(run(threads.run(add, 40, 2)), 42);
  EXPECT_NE(run(threads.run([] { return std::this_thread::get_id(); })), std::this_thread::get_id());
  bool ran = false;
  run(threads.run([&] { ran = true; }));
  EXPECT_TRUE(ran);
}

TEST(thread_pool, what_can_only_be_moved_is_moved_there_and_back) {
  thread_pool threads;
  const auto twice = [](std::unique_ptr<int> n) { return std::make_unique<int>(*n * 2); };
  EXPECT_EQ(*run(threads.run(twice, std::make_unique<int>(21))), 42);
  std::packaged_task<std::unique_ptr<int>(int)> owner([](int n) { return std::make_unique<int>(n); });
  auto value = owner.get_future();
  run(threads.run(std::move(owner), 7));
  EXPECT_EQ(*value.get(), 7);
}

TEST(thread_pool, a_value_needs_no_default_constructor) {
  struct number {
    explicit number(int n) : value(n) {}
    int value;
  };
  thread_pool threads;
  EXPECT_EQ(run(threads.run([](int n) { return number(n); }, 3)).value, 3);
}

TEST(thread_pool, a_returned_reference_is_copied) {
  thread_pool threads;
  static const std::string text = "text";
  const auto get = []() -> const std::string& { return text; };
  static_assert(std::is_same_v<decltype(threads.run(get)), awaitable<std::string>>);
  EXPECT_EQ(run(threads.run(get)), "text");
}

TEST(thread_pool, calls_members_and_references) {
  thread_pool threads;
  struct counter {
    int value = 0;
    int next() { return ++value; }
  } one;
  EXPECT_EQ(run(threads.run(&counter::next, &one)), 1);
  const auto increment = [](int& n) { ++n; };
  run(threads.run(increment, std::ref(one.value)));
  EXPECT_EQ(one.value, 2);
}

TEST(thread_pool, rethrows_the_very_exception) {
  struct special {
    std::unique_ptr<int> owned;
  };
  thread_pool threads;
  int* where = nullptr;
  const auto fail = [&] {
    auto owned = std::make_unique<int>(5);
    where = owned.get();
    throw special{std::move(owned)};
  };
  try {
    run(threads.run(fail));
    ADD_FAILURE() << "nothing was thrown";
  } catch (const special& e) {
    EXPECT_EQ(e.owned.get(), where);
  }
}

TEST(thread_pool, many_exceptions_cross_from_many_threads) {
  thread_pool threads(sized(4));
  const auto fail = [](int n) { throw std::runtime_error(std::to_string(n)); };
  const auto expect = [&](int n) -> awaitable<void> {
    std::string message;
    try {
      co_await threads.run(fail, n);
    } catch (const std::exception& e) {
      message = e.what();
    }
    EXPECT_EQ(message, std::to_string(n));
  };
  std::vector<awaitable<void>> all;
  for (int i = 0; i < 500; ++i) all.push_back(expect(i));
  run(gather(std::move(all)));
}

TEST(thread_pool, function_and_arguments_are_destroyed_before_the_value_arrives) {
  thread_pool threads;
  std::atomic<int> alive = 0;
  const auto body = [&]() -> awaitable<void> {
    const auto f = [c = counted(alive)](counted) { return 1; };
    counted argument(alive);
    auto call = threads.run(f, std::move(argument));
    EXPECT_EQ(alive, 3);
    co_await std::move(call);
    EXPECT_EQ(alive, 1);
  };
  run_on_loop(body);
}

TEST(thread_pool, a_call_that_is_not_awaited_does_nothing) {
  std::atomic<int> alive = 0;
  bool ran = false;
  thread_pool threads;
  {
    const auto f = [&, c = counted(alive)] { ran = true; };
    const auto call = threads.run(f);
    EXPECT_EQ(alive, 2);
  }
  EXPECT_EQ(alive, 0);
  EXPECT_FALSE(ran);
}

TEST(thread_pool, runs_a_thousand_at_once_in_place) {
  thread_pool threads(sized(3));
  std::vector<awaitable<int>> all;
  for (int i = 0; i < 1000; ++i) all.push_back(threads.run(add, i, 1));
  const auto values = run(gather(std::move(all)));
  ASSERT_EQ(values.size(), 1000u);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(values[static_cast<std::size_t>(i)], i + 1);
}

TEST(thread_pool, serves_several_loops_on_several_threads) {
  thread_pool threads(sized(2));
  std::atomic<int> sum = 0;
  {
    std::vector<std::jthread> loops;
    for (int t = 0; t < 4; ++t) {
      loops.emplace_back([&] {
        const auto body = [&]() -> awaitable<void> {
          for (int i = 0; i < 200; ++i) {
            const int n = co_await threads.run(add, i, 0);
            EXPECT_EQ(n, i);
            ++sum;
          }
        };
        run(body());
      });
    }
  }
  EXPECT_EQ(sum, 800);
}

TEST(thread_pool, has_as_many_threads_as_it_is_told) {
  thread_pool threads(sized(5));
  EXPECT_EQ(threads.size(), 5u);
  std::latch all_there(5);
  std::vector<awaitable<void>> all;
  for (int i = 0; i < 5; ++i) all.push_back(threads.run([&] { all_there.arrive_and_wait(); }));
  run(gather(std::move(all)));
  EXPECT_EQ(thread_pool().size(), std::max(1u, std::thread::hardware_concurrency()));
}

std::string name_of_this_thread() {
  char name[16] = {};
  pthread_getname_np(pthread_self(), name, sizeof name);
  return name;
}

TEST(thread_pool, its_threads_have_names) {
  thread_pool_options options = sized(1);
  options.name = "word counters of the talk";
  thread_pool threads(options);
  EXPECT_EQ(run(threads.run(name_of_this_thread)), "word counters-0");
  options.name = "io";
  options.size = 2;
  thread_pool two(options);
  const auto name = run(two.run(name_of_this_thread));
  EXPECT_TRUE(name == "io-0" || name == "io-1") << name;
}

TEST(thread_pool, a_coroutine_function_runs_on_a_loop_of_its_own) {
  thread_pool threads(sized(2));
  static_assert(std::is_same_v<decltype(threads.run(slow_text, 1)), awaitable<std::string>>);
  EXPECT_EQ(run(threads.run(slow_text, 17)), "17");
  const auto where = []() -> awaitable<std::thread::id> {
    co_await sleep_for(0ms);
    co_return std::this_thread::get_id();
  };
  EXPECT_NE(run(threads.run(where)), std::this_thread::get_id());
  const auto fails = []() -> awaitable<void> {
    co_await sleep_for(1ms);
    throw std::runtime_error("in a coroutine");
  };
  EXPECT_THROW(run(threads.run(fails)), std::runtime_error);
}

}  // namespace
}  // namespace quarq::test
