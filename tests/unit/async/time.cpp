// Waiting for a time, and time limits.
#include <chrono>
#include <cmath>
#include <limits>
#include <optional>
#include <stdexcept>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <quarq/detail/duration.hpp>
#include <quarq/errors.hpp>
#include <quarq/shield.hpp>
#include <quarq/time.hpp>

#include "support/on_loop.hpp"

namespace quarq::test::time_tests {
namespace {

using namespace std::chrono_literals;
using quarq::detail::after;
using quarq::detail::clamped;
using std::chrono::nanoseconds;
using long_seconds = std::chrono::duration<double>;

// ---- units

TEST(clamped, what_fits_is_exact_and_rounded_up) {
  EXPECT_EQ(clamped<nanoseconds>(3s), nanoseconds(3'000'000'000));
  EXPECT_EQ(clamped<nanoseconds>(-3s), nanoseconds(-3'000'000'000));
  EXPECT_EQ(clamped<std::chrono::milliseconds>(1ns), 1ms);
  EXPECT_EQ(clamped<std::chrono::milliseconds>(-1ns), 0ms);
  EXPECT_EQ(clamped<nanoseconds>(long_seconds(1.5)), 1500ms);
  EXPECT_EQ(clamped<nanoseconds>(std::chrono::duration<int, std::ratio<1, 3>>(1)), nanoseconds(333'333'334));
}

TEST(clamped, what_does_not_fit_is_the_most_there_is) {
  constexpr auto most = nanoseconds::max(), least = nanoseconds::min();
  EXPECT_EQ(clamped<nanoseconds>(std::chrono::hours::max()), most);
  EXPECT_EQ(clamped<nanoseconds>(std::chrono::hours::min()), least);
  EXPECT_EQ(clamped<nanoseconds>(std::chrono::seconds::max()), most);
  EXPECT_EQ(clamped<nanoseconds>(std::chrono::milliseconds::max()), most);
  EXPECT_EQ(clamped<nanoseconds>(std::chrono::years(300)), most);
  EXPECT_EQ(clamped<nanoseconds>(nanoseconds::max()), most);
  EXPECT_EQ(clamped<nanoseconds>(std::chrono::duration<std::uint64_t>::max()), most);
  EXPECT_EQ(clamped<nanoseconds>(long_seconds(INFINITY)), most);
  EXPECT_EQ(clamped<nanoseconds>(long_seconds(-1e300)), least);
  EXPECT_EQ(clamped<nanoseconds>(long_seconds(NAN)), nanoseconds(0));
  EXPECT_EQ(after(std::chrono::hours::max()), std::chrono::steady_clock::time_point::max());
  EXPECT_EQ(after(nanoseconds::max()), std::chrono::steady_clock::time_point::max());
  EXPECT_LT(after(std::chrono::hours::min()), std::chrono::steady_clock::now());
}

// ---- sleeping

// Whether a coroutine still waits after many turns of its loop.
bool still_waits(awaitable<void> work) {
  boost::asio::io_context loop(1);
  bool ended = false;
  boost::asio::co_spawn(loop, std::move(work), [&](const std::exception_ptr&) { ended = true; });
  boost::asio::co_spawn(loop, sleep_for(20ms), boost::asio::detached);
  loop.run_for(100ms);
  return !ended;
}

TEST(time, as_long_as_possible_is_long_in_every_unit) {
  EXPECT_TRUE(still_waits(sleep_for(std::chrono::hours::max())));
  EXPECT_TRUE(still_waits(sleep_for(std::chrono::seconds::max())));
  EXPECT_TRUE(still_waits(sleep_for(std::chrono::milliseconds::max())));
  EXPECT_TRUE(still_waits(sleep_for(nanoseconds::max())));
  EXPECT_TRUE(still_waits(sleep_for(std::chrono::years(300))));
  EXPECT_TRUE(still_waits(sleep_for(long_seconds(1e300))));
  EXPECT_TRUE(still_waits(sleep_until(std::chrono::sys_seconds::max())));
  EXPECT_TRUE(still_waits(sleep_until(std::chrono::system_clock::time_point::max())));
}

TEST(time, the_past_is_over_in_every_unit) {
  run_on_loop(sleep_for(std::chrono::hours::min()));
  run_on_loop(sleep_for(nanoseconds::min()));
  run_on_loop(sleep_for(0s));
  run_on_loop(sleep_until(std::chrono::sys_seconds::min()));
}

// ---- with_timeout

awaitable<int> later(int value) {
  co_await sleep_for(1ms);
  co_return value;
}

TEST(with_timeout, as_long_as_possible_is_no_limit_in_every_unit) {
  EXPECT_EQ(run_on_loop(with_timeout(later(1), std::chrono::milliseconds::max())), 1);
  EXPECT_EQ(run_on_loop(with_timeout(later(2), std::chrono::hours::max())), 2);
  EXPECT_EQ(run_on_loop(with_timeout(later(3), long_seconds(INFINITY))), 3);
  run_on_loop(with_timeout(sleep_for(1ms), std::chrono::seconds::max()));
}

// Ends when it wants to, which is after its limit.
awaitable<int> stubborn(int value) {
  for (bool slept = false; !slept;) {
    try {
      co_await sleep_for(50ms);
      slept = true;
    } catch (const boost::system::system_error&) {
      co_return value;
    }
  }
  co_return -1;
}

awaitable<int> fail_when_cancelled() {
  bool cancelled = false;
  try {
    co_await sleep_for(1h);
  } catch (const boost::system::system_error&) {
    cancelled = true;
  }
  if (cancelled) throw std::runtime_error("could not clean up");
  co_return 1;
}

TEST(with_timeout, a_value_that_comes_nevertheless_is_returned) {
  EXPECT_EQ(run_on_loop(with_timeout(shield(later(7)), 0ms)), 7);
  EXPECT_EQ(run_on_loop(with_timeout(stubborn(8), 1ms)), 8);
  run_on_loop(with_timeout(shield(sleep_for(2ms)), 0ms));
}

TEST(with_timeout, whatever_else_comes_of_work_that_it_cancelled_is_timed_out) {
  EXPECT_THROW(run_on_loop(with_timeout(sleep_for(1h), 1ms)), timed_out);
  EXPECT_THROW(run_on_loop(with_timeout(fail_when_cancelled(), 1ms)), timed_out);
}

}  // namespace
}  // namespace quarq::test::time_tests
