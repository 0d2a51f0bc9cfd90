// From any thread to a coroutine on its loop, and what the end of either does.
#include "async/completion.hpp"

#include <atomic>
#include <thread>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <gtest/gtest.h>

#include <quarq/gather.hpp>

#include "support/on_loop.hpp"

namespace quarq::test {
namespace {

namespace asio = boost::asio;
using async::completion;

awaitable<bool> wait_for_thread(int& runs) {
  const auto loop = co_await asio::this_coro::executor;
  const auto event = std::make_shared<completion>(loop);
  std::jthread other([event] { event->complete(); });
  const bool was_cancelled = co_await completion::wait(event, [] {});
  ++runs;
  co_return was_cancelled;
}

awaitable<void> count_runs(std::atomic<int>& count) {
  int runs = 0;
  const bool was_cancelled = co_await wait_for_thread(runs);
  EXPECT_FALSE(was_cancelled);
  count += runs;
}

TEST(completion, another_thread_ends_the_wait) {
  int runs = 0;
  const auto body = [&]() -> awaitable<void> {
    std::vector<awaitable<bool>> all;
    for (int i = 0; i < 100; ++i) all.push_back(wait_for_thread(runs));
    const auto ended = co_await gather(std::move(all));
    for (const bool was_cancelled : ended) EXPECT_FALSE(was_cancelled);
  };
  run_on_loop(body);
  EXPECT_EQ(runs, 100);
}

TEST(completion, what_happened_before_the_wait_counts) {
  const auto body = []() -> awaitable<void> {
    const auto loop = co_await asio::this_coro::executor;
    const auto event = std::make_shared<completion>(loop);
    event->complete();
    co_await asio::post(loop, asio::use_awaitable);
    co_await asio::post(loop, asio::use_awaitable);
    const bool was_cancelled = co_await completion::wait(event, [] {});
    EXPECT_FALSE(was_cancelled);
  };
  run_on_loop(body);
}

TEST(completion, a_cancelled_wait_goes_on_until_the_event) {
  asio::io_context loop(1);
  asio::cancellation_signal cancel;
  bool notified = false, ended = false;
  const auto event = std::make_shared<completion>(loop.get_executor());
  const auto body = [&]() -> awaitable<void> {
    const bool was_cancelled = co_await completion::wait(event, [&] { notified = true; });
    EXPECT_TRUE(was_cancelled);
    ended = true;
  };
  asio::co_spawn(loop, body, asio::bind_cancellation_slot(cancel.slot(), asio::detached));
  loop.poll();
  cancel.emit(asio::cancellation_type::terminal);
  cancel.emit(asio::cancellation_type::terminal);
  loop.poll();
  EXPECT_TRUE(notified);
  EXPECT_FALSE(ended);
  std::jthread([event] { event->complete(); }).join();
  loop.restart();
  loop.run();
  EXPECT_TRUE(ended);
}

TEST(completion, keeps_its_loop_from_running_out_of_work) {
  asio::io_context loop(1);
  bool ended = false;
  const auto event = std::make_shared<completion>(loop.get_executor());
  const auto body = [&]() -> awaitable<void> {
    co_await completion::wait(event, [] {});
    ended = true;
  };
  asio::co_spawn(loop, body, asio::detached);
  loop.poll();
  EXPECT_FALSE(loop.stopped());
  std::jthread other([event] { event->complete(); });
  loop.run();
  EXPECT_TRUE(ended);
}

struct says_goodbye {
  explicit says_goodbye(std::atomic<int>& c) : count(c) {}
  ~says_goodbye() { ++count; }
  std::atomic<int>& count;
};

awaitable<void> wait_with(std::shared_ptr<completion> event, std::shared_ptr<says_goodbye> kept) {
  co_await completion::wait(event, [] {});
  (void)kept;
}

TEST(completion, the_loop_may_end_first) {
  std::atomic<int> gone = 0;
  std::vector<std::shared_ptr<completion>> events;
  {
    asio::io_context loop(1);
    for (int i = 0; i < 10; ++i) {
      events.push_back(std::make_shared<completion>(loop.get_executor()));
      asio::co_spawn(loop, wait_with(events.back(), std::make_shared<says_goodbye>(gone)), asio::detached);
    }
    loop.poll();
    events.front()->complete();
    EXPECT_EQ(gone, 0);
  }
  EXPECT_EQ(gone, 10);
  for (const auto& event : events) event->complete();
}

TEST(completion, works_on_strands_of_a_loop_with_several_threads) {
  asio::io_context loop(2);
  std::atomic<int> ended = 0;
  for (int i = 0; i < 100; ++i) {
    asio::co_spawn(asio::make_strand(loop), count_runs(ended), asio::detached);
  }
  std::jthread one([&] { loop.run(); }), two([&] { loop.run(); });
  one.join();
  two.join();
  EXPECT_EQ(ended, 100);
}

TEST(completion, works_where_there_is_no_loop_but_a_pool_of_threads) {
  asio::thread_pool pool(1);
  std::atomic<int> ended = 0;
  for (int i = 0; i < 100; ++i) {
    asio::co_spawn(pool, count_runs(ended), asio::detached);
  }
  pool.join();
  EXPECT_EQ(ended, 100);
}

}  // namespace
}  // namespace quarq::test
