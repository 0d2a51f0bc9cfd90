// The end of a pool, or of a loop, with work in flight.
#include <atomic>
#include <optional>
#include <semaphore>
#include <stdexcept>
#include <stop_token>
#include <thread>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
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

namespace asio = boost::asio;

TEST(thread_pool, its_end_waits_for_all_that_is_queued) {
  std::atomic<int> ran = 0;
  {
    thread_pool threads(sized(2));
    for (int i = 0; i < 100; ++i) threads.post([&] { threads.post([&] { ++ran; }); });
  }
  EXPECT_EQ(ran, 100);
}

TEST(thread_pool, its_end_may_drop_what_is_queued_and_stop_what_runs) {
  std::atomic<int> ran = 0, alive = 0;
  std::atomic<bool> was_stopped = false;
  std::exception_ptr running_failure, queued_failure;
  std::binary_semaphore running(0), all_queued(0);
  std::jthread loops;
  {
    thread_pool threads(sized(1, shutdown::cancel));
    const auto until_stopped = [&](std::stop_token stop) {
      running.release();
      std::binary_semaphore stopped(0);
      const std::stop_callback on_stop(stop, [&] { stopped.release(); });
      stopped.acquire();
      was_stopped = true;
      throw std::runtime_error("stopped");
    };
    const auto queued = [&, c = counted(alive)] { ++ran; };
    loops = std::jthread([&] {
      const auto catching = [](awaitable<void> work, std::exception_ptr& failure) -> awaitable<void> {
        try {
          co_await std::move(work);
        } catch (...) {
          failure = std::current_exception();
        }
      };
      const auto says_so = [&]() -> awaitable<void> {
        all_queued.release();
        co_return;
      };
      run(gather(catching(threads.run(until_stopped), running_failure),
                 catching(threads.run(queued), queued_failure), says_so()));
    });
    all_queued.acquire();
    running.acquire();
    for (int i = 0; i < 200; ++i) threads.post([&, c = counted(alive)] { ++ran; });
  }
  loops.join();
  EXPECT_EQ(alive, 0);
  EXPECT_EQ(ran, 0);
  EXPECT_TRUE(was_stopped);
  EXPECT_THROW(std::rethrow_exception(running_failure), cancelled);
  EXPECT_THROW(std::rethrow_exception(queued_failure), cancelled);
}

TEST(thread_pool, a_call_made_before_and_awaited_after_the_end_is_cancelled) {
  std::optional<thread_pool> threads(sized(1));
  auto call = threads->run(add, 1, 2);
  threads.reset();
  EXPECT_THROW(run(std::move(call)), cancelled);
}

TEST(thread_pool, who_waits_for_a_place_when_it_ends_is_cancelled) {
  std::exception_ptr failure;
  gate busy;
  std::binary_semaphore waits(0);
  std::jthread loop;
  {
    thread_pool threads(bounded(1, 1));
    threads.post([&] { busy.pass(); });
    busy.wait_until_reached();
    threads.post([] {});
    auto call = threads.run([] {});
    loop = std::jthread([&] {
      const auto catching = [&]() -> awaitable<void> {
        try {
          co_await std::move(call);
        } catch (...) {
          failure = std::current_exception();
        }
      };
      const auto says_so = [&]() -> awaitable<void> {
        waits.release();
        co_return;
      };
      run(gather(catching(), says_so()));
      busy.open();
    });
    waits.acquire();
  }
  loop.join();
  EXPECT_THROW(std::rethrow_exception(failure), cancelled);
}

TEST(thread_pool, the_loop_may_end_while_its_work_runs_and_is_queued) {
  std::atomic<int> alive = 0;
  std::atomic<bool> stopped = false, ran = false;
  {
    thread_pool threads(sized(1));
    std::binary_semaphore running(0);
    {
      asio::io_context loop(1);
      const auto f = [&](std::stop_token stop, counted) {
        running.release();
        std::binary_semaphore heard(0);
        const std::stop_callback on_stop(stop, [&] { heard.release(); });
        heard.acquire();
        stopped = true;
        throw std::runtime_error("nobody hears this");
      };
      const auto queued = [&, c = counted(alive)] { ran = true; };
      asio::co_spawn(loop, threads.run(f, counted(alive)), asio::detached);
      asio::co_spawn(loop, threads.run(queued), asio::detached);
      loop.poll();
      running.acquire();
    }
  }
  EXPECT_TRUE(stopped);
  EXPECT_FALSE(ran);
  EXPECT_EQ(alive, 0);
}

TEST(thread_pool, the_loop_may_end_while_it_waits_for_a_place) {
  thread_pool threads(bounded(1, 1));
  gate busy;
  threads.post([&] { busy.pass(); });
  busy.wait_until_reached();
  {
    asio::io_context loop(1);
    for (int i = 0; i < 3; ++i) asio::co_spawn(loop, threads.run([] {}), asio::detached);
    loop.poll();
  }
  busy.open();
  run(threads.run([] {}));
}

TEST(thread_pool, pools_come_and_go_with_work_in_flight) {
  for (int i = 0; i < 100; ++i) {
    const auto end = i % 2 ? shutdown::cancel : shutdown::drain;
    std::optional<thread_pool> threads(bounded(2, i % 3 ? 0 : 4, end));
    std::atomic<int> ended = 0;
    std::binary_semaphore begun(0);
    std::jthread loop([&] {
      const auto one = [&](awaitable<int> call) -> awaitable<void> {
        try {
          co_await std::move(call);
        } catch (const cancelled&) {
        }
        ++ended;
      };
      std::vector<awaitable<void>> all;
      for (int n = 0; n < 50; ++n) all.push_back(one(threads->run(add, n, 1)));
      begun.release();
      run(gather(std::move(all)));
    });
    begun.acquire();
    threads.reset();
    loop.join();
    EXPECT_EQ(ended, 50);
  }
}

TEST(thread_pool, calls_may_come_one_by_one_while_the_pool_ends) {
  for (int i = 0; i < 100; ++i) {
    std::optional<thread_pool> threads(bounded(4, 0));
    std::binary_semaphore begun(0);
    int ended = 0;
    std::jthread loop([&] {
      std::vector<awaitable<int>> all;
      for (int n = 0; n < 100; ++n) all.push_back(threads->run(add, n, 1));
      begun.release();
      const auto in_turn = [&]() -> awaitable<void> {
        for (auto& call : all) {
          try {
            co_await std::move(call);
          } catch (const cancelled&) {
          }
          ++ended;
        }
      };
      run(in_turn());
    });
    begun.acquire();
    threads.reset();
    loop.join();
    EXPECT_EQ(ended, 100);
  }
}

TEST(thread_pool, random_cancellations_lose_nothing) {
  thread_pool threads(bounded(2, 8));
  std::atomic<int> started = 0, ended = 0;
  int values = 0, aborted = 0;
  const auto work = [&] {
    ++started;
    std::this_thread::yield();
    ++ended;
  };
  const auto one = [&](int n) -> awaitable<void> {
    auto call = with_timeout(threads.run(work), std::chrono::microseconds(n % 7 * 50));
    try {
      co_await std::move(call);
      ++values;
    } catch (const timed_out&) {
      ++aborted;
    }
  };
  std::vector<awaitable<void>> all;
  for (int n = 0; n < 500; ++n) all.push_back(one(n));
  run(gather(std::move(all)));
  EXPECT_EQ(values + aborted, 500);
  EXPECT_GE(started, values);
  run(threads.run([] {}));
}

}  // namespace
}  // namespace quarq::test
