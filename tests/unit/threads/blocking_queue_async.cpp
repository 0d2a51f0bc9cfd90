// Between coroutines of several loops, and between them and threads.
#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>
#include <gtest/gtest.h>

#include <quarq/blocking_queue.hpp>
#include <quarq/errors.hpp>
#include <quarq/gather.hpp>
#include <quarq/run.hpp>
#include <quarq/time.hpp>

#include "support/on_loop.hpp"

namespace quarq::test {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;

TEST(blocking_queue, coroutines_wait_without_blocking_their_loop) {
  blocking_queue<std::string> queue(1);
  std::vector<std::string> got;
  const auto popper = [&]() -> awaitable<void> {
    while (true) {
      auto text = co_await queue.async_pop();
      if (!text) break;
      got.push_back(*text);
    }
  };
  const auto pusher = [&]() -> awaitable<void> {
    for (int i = 0; i < 10; ++i) {
      auto text = std::to_string(i);
      co_await queue.async_push(std::move(text));
    }
    queue.close();
  };
  const auto both = [&]() -> awaitable<void> { co_await gather(popper(), pusher()); };
  run_on_loop(both);
  ASSERT_EQ(got.size(), 10u);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(got[static_cast<std::size_t>(i)], std::to_string(i));
}

TEST(blocking_queue, threads_and_coroutines_of_several_loops_mix) {
  blocking_queue<int> queue(3);
  std::atomic<long> sum = 0, count = 0;
  const auto pop_all = [&]() -> awaitable<void> {
    while (true) {
      const auto n = co_await queue.async_pop();
      if (!n) break;
      sum += *n;
      ++count;
      queue.task_done();
    }
  };
  const auto push_all = [&]() -> awaitable<void> {
    for (int i = 1; i <= 300; ++i) co_await queue.async_push(i);
  };
  std::vector<std::jthread> consumers, producers;
  for (int t = 0; t < 2; ++t) {
    consumers.emplace_back([&] { run(gather(pop_all(), pop_all())); });
    consumers.emplace_back([&] {
      while (const auto n = queue.pop()) {
        sum += *n;
        ++count;
        queue.task_done();
      }
    });
    producers.emplace_back([&] { run(gather(push_all(), push_all())); });
    producers.emplace_back([&] {
      for (int i = 1; i <= 300; ++i) queue.push(i);
    });
  }
  producers.clear();
  run(queue.async_join());
  EXPECT_EQ(count, 1800);
  EXPECT_EQ(sum, 6L * 45150);
  queue.close();
}

TEST(blocking_queue, close_wakes_coroutines_that_wait) {
  blocking_queue<int> empty, full(1);
  full.push(1);
  int nothing = 0, refused = 0;
  const auto pops = [&]() -> awaitable<void> {
    const auto n = co_await empty.async_pop();
    if (!n) ++nothing;
  };
  const auto pushes = [&]() -> awaitable<void> {
    try {
      co_await full.async_push(2);
    } catch (const closed_error&) {
      ++refused;
    }
  };
  const auto closes = [&]() -> awaitable<void> {
    co_await sleep_for(0ms);
    empty.close();
    full.close();
  };
  const auto all = [&]() -> awaitable<void> {
    co_await gather(pops(), pops(), pushes(), pushes(), closes());
  };
  run_on_loop(all);
  EXPECT_EQ(nothing, 2);
  EXPECT_EQ(refused, 2);
}

TEST(blocking_queue, its_end_is_heard_by_coroutines_that_wait) {
  auto queue = std::make_unique<blocking_queue<int>>();
  auto full = std::make_unique<blocking_queue<int>>(1);
  full->push(1);
  int nothing = 0, refused = 0;
  const auto pops = [&]() -> awaitable<void> {
    const auto n = co_await queue->async_pop();
    if (!n) ++nothing;
  };
  const auto refusing = [&](awaitable<void> what) -> awaitable<void> {
    try {
      co_await std::move(what);
    } catch (const closed_error&) {
      ++refused;
    }
  };
  const auto ends = [&]() -> awaitable<void> {
    co_await sleep_for(0ms);
    queue.reset();
    full.reset();
  };
  const auto all = [&]() -> awaitable<void> {
    co_await gather(pops(), refusing(full->async_push(2)), refusing(full->async_join()), ends());
  };
  run_on_loop(all);
  EXPECT_EQ(nothing, 1);
  EXPECT_EQ(refused, 2);
}

TEST(blocking_queue, a_cancelled_pop_loses_nothing) {
  blocking_queue<int> queue;
  const auto body = [&]() -> awaitable<void> {
    EXPECT_EQ(queue.size(), 0u);
    try {
      co_await with_timeout(queue.async_pop(), 1ms);
      ADD_FAILURE() << "there was nothing to pop";
    } catch (const timed_out&) {
    }
    queue.push(1);
    const auto n = co_await queue.async_pop();
    EXPECT_EQ(n, 1);
  };
  run_on_loop(body);
}

TEST(blocking_queue, a_popper_woken_and_cancelled_wakes_the_next) {
  asio::io_context loop(1);
  blocking_queue<int> queue;
  asio::cancellation_signal cancel;
  std::optional<int> first, second;
  bool first_ended = false;
  const auto pop = [](blocking_queue<int>& from, std::optional<int>& into) -> awaitable<void> {
    into = co_await from.async_pop();
  };
  asio::co_spawn(loop, pop(queue, first),
                 asio::bind_cancellation_slot(cancel.slot(), [&](std::exception_ptr e) {
                   EXPECT_TRUE(e);
                   first_ended = true;
                 }));
  asio::co_spawn(loop, pop(queue, second), asio::detached);
  loop.poll();
  // The first is called, and cancelled before it comes to its turn.
  asio::post(loop, [&] {
    queue.push(5);
    cancel.emit(asio::cancellation_type::terminal);
  });
  loop.restart();
  loop.run_for(default_timeout);
  EXPECT_TRUE(first_ended);
  EXPECT_EQ(first, std::nullopt);
  EXPECT_EQ(second, 5);
}

TEST(blocking_queue, a_loop_that_ends_takes_no_item_along) {
  blocking_queue<int> queue, full(1);
  full.push(1);
  const auto pop = [](blocking_queue<int>& from) -> awaitable<void> { co_await from.async_pop(); };
  const auto push = [](blocking_queue<int>& into) -> awaitable<void> { co_await into.async_push(2); };
  {
    asio::io_context loop(1);
    for (int i = 0; i < 3; ++i) {
      asio::co_spawn(loop, pop(queue), asio::detached);
      asio::co_spawn(loop, push(full), asio::detached);
    }
    loop.poll();
    queue.push(7);
  }
  EXPECT_EQ(queue.pop_for(0s), 7);
  EXPECT_EQ(full.pop(), 1);
  EXPECT_EQ(full.try_pop(), std::nullopt);
}

TEST(blocking_queue, random_cancellations_lose_nothing) {
  blocking_queue<int> queue(2);
  long sum = 0, pushed = 0;
  std::atomic<long> taken_by_thread = 0;
  std::jthread thread([&] {
    while (const auto n = queue.pop()) taken_by_thread += *n;
  });
  const auto popper = [&]() -> awaitable<void> {
    for (int i = 0; i < 200; ++i) {
      auto pop = with_timeout(queue.async_pop(), std::chrono::microseconds(i % 5 * 40));
      try {
        const auto n = co_await std::move(pop);
        if (n) sum += *n;
      } catch (const timed_out&) {
      }
    }
  };
  const auto pusher = [&]() -> awaitable<void> {
    for (int i = 1; i <= 200; ++i) {
      auto one = with_timeout(queue.async_push(i), std::chrono::microseconds(i % 5 * 40));
      try {
        co_await std::move(one);
        pushed += i;
      } catch (const timed_out&) {
      }
    }
  };
  run(gather(popper(), pusher(), pusher(), popper()));
  queue.close();
  thread.join();
  EXPECT_EQ(sum + taken_by_thread, pushed);
}

}  // namespace
}  // namespace quarq::test
