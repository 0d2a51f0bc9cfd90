// The clock of real workers.
#include "workers/clock.hpp"

#include <gtest/gtest.h>
#include <time.h>

#include "support/on_loop.hpp"

namespace quarq::test::clock_tests {
namespace {

using namespace std::chrono_literals;
using workers::clock;
using workers::machine_clock;

clock::time_point read_kernel() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return clock::time_point(std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec));
}

TEST(machine_clock, goes_on_while_the_machine_is_suspended) {
  const auto before = read_kernel();
  const auto read = machine_clock().now();
  EXPECT_LE(before, read);
  EXPECT_LE(read, read_kernel());
}

// As after a suspension of a day: the two clocks are that far apart.
clock::time_point a_day_ahead() noexcept {
  return clock::time_point(std::chrono::steady_clock::now()) + 24h;
}

TEST(machine_clock, waits_no_longer_where_the_machine_was_suspended_before) {
  machine_clock time(a_day_ahead);
  const auto wait = [&]() -> awaitable<void> { co_await workers::sleep_for(time, 1ms); };
  const auto began = time.now();
  run_on_loop(wait());
  EXPECT_GE(time.now(), began + 1ms);
}

TEST(machine_clock, a_moment_that_has_passed_meanwhile_is_not_waited_for) {
  machine_clock time(a_day_ahead);
  const auto wait = [&]() -> awaitable<void> {
    const auto loop = co_await boost::asio::this_coro::executor;
    async::auto_reset_event never(loop);
    co_await time.wait_until(never, clock::time_point(std::chrono::steady_clock::now()) + 1h);
  };
  run_on_loop(wait());
}

TEST(machine_clock, a_wait_without_limit_ends_with_its_event) {
  machine_clock time(a_day_ahead);
  const auto wait = [&]() -> awaitable<void> {
    const auto loop = co_await boost::asio::this_coro::executor;
    async::auto_reset_event woken(loop);
    woken.set();
    co_await time.wait_until(woken, clock::time_point::max());
  };
  run_on_loop(wait());
}

}  // namespace
}  // namespace quarq::test::clock_tests
