// What a cancellation does to work that is queued or runs.
#include <atomic>
#include <latch>
#include <semaphore>
#include <stdexcept>
#include <stop_token>
#include <thread>

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <gtest/gtest.h>

#include <quarq/errors.hpp>
#include <quarq/gather.hpp>
#include <quarq/run.hpp>
#include <quarq/thread_pool.hpp>
#include <quarq/time.hpp>

#include "support/gate.hpp"
#include "unit/threads/thread_pools.hpp"

namespace quarq::test {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;

TEST(thread_pool, a_call_cancelled_in_the_queue_never_runs_and_ends_at_once) {
  thread_pool threads(sized(1));
  gate busy;
  threads.post([&] { busy.pass(); });
  busy.wait_until_reached();
  bool ran = false;
  std::atomic<int> alive = 0;
  const auto f = [&, c = counted(alive)] { ran = true; };
  const auto end = cancelled_after(threads.run(f), [] {});
  EXPECT_TRUE(end.ended);
  EXPECT_TRUE(is_aborted(end.failure));
  EXPECT_EQ(alive, 1);
  busy.open();
  run(threads.run([] {}));
  EXPECT_FALSE(ran);
}

TEST(thread_pool, a_running_function_hears_of_the_cancellation_and_is_waited_for) {
  thread_pool threads(sized(1));
  std::binary_semaphore running(0);
  std::atomic<bool> ended = false;
  const auto f = [&](std::stop_token stop, int argument) {
    EXPECT_EQ(argument, 5);
    running.release();
    std::binary_semaphore stopped(0);
    const std::stop_callback on_stop(stop, [&] { stopped.release(); });
    stopped.acquire();
    ended = true;
    throw std::runtime_error("stopped");
  };
  const auto end = cancelled_after(threads.run(f, 5), [&] { running.acquire(); });
  EXPECT_TRUE(ended);
  EXPECT_TRUE(end.ended);
  EXPECT_TRUE(is_aborted(end.failure));
}

awaitable<void> keep(awaitable<int> from, int& into) {
  into = co_await std::move(from);
}

TEST(thread_pool, a_value_in_spite_of_the_cancellation_is_delivered) {
  thread_pool threads(sized(1));
  gate busy;
  std::jthread opens;
  int value = 0;
  const auto f = [&] {
    busy.pass();
    return 42;
  };
  const auto end = cancelled_after(keep(threads.run(f), value), [&] {
    busy.wait_until_reached();
    opens = std::jthread([&] { busy.open(); });
  });
  EXPECT_TRUE(end.ended);
  EXPECT_FALSE(end.failure);
  EXPECT_EQ(value, 42);
}

TEST(thread_pool, has_a_deadline_as_all_awaitables) {
  thread_pool threads(sized(1));
  const auto until_stopped = [](std::stop_token stop) {
    std::binary_semaphore stopped(0);
    const std::stop_callback on_stop(stop, [&] { stopped.release(); });
    stopped.acquire();
    throw std::runtime_error("stopped");
  };
  EXPECT_THROW(run(with_timeout(threads.run(until_stopped), 5ms)), timed_out);
}

TEST(thread_pool, a_failure_beside_it_stops_it) {
  thread_pool threads(sized(2));
  std::latch running(1);
  const auto until_stopped = [&](std::stop_token stop) {
    running.count_down();
    std::binary_semaphore stopped(0);
    const std::stop_callback on_stop(stop, [&] { stopped.release(); });
    stopped.acquire();
  };
  const auto fails = [&] {
    running.wait();
    throw std::runtime_error("first");
  };
  try {
    run(gather(threads.run(until_stopped), threads.run(fails)));
    ADD_FAILURE() << "nothing was thrown";
  } catch (const std::exception& e) {
    EXPECT_STREQ(e.what(), "first");
  }
}

TEST(thread_pool, a_coroutine_function_is_cancelled) {
  thread_pool threads(sized(1));
  std::binary_semaphore running(0);
  bool was_cancelled = false;
  const auto body = [&]() -> awaitable<void> {
    running.release();
    try {
      co_await sleep_for(24h);
    } catch (const boost::system::system_error& e) {
      was_cancelled = e.code() == asio::error::operation_aborted;
      throw;
    }
  };
  const auto end = cancelled_after(threads.run(body), [&] { running.acquire(); });
  EXPECT_TRUE(end.ended);
  EXPECT_TRUE(is_aborted(end.failure));
  EXPECT_TRUE(was_cancelled);
}

}  // namespace
}  // namespace quarq::test
