#include "broker/redis_common/server_clock.hpp"

#include <gtest/gtest.h>

namespace quarq::broker::redis_common {
namespace {

using namespace std::chrono_literals;
using wall_clock = server_clock<std::chrono::system_clock>;
using micros = wall_clock::micros;

constexpr wall_clock::local_time start{std::chrono::hours(500'000)};

micros unix_time(wall_clock::local_time t) {
  return t.time_since_epoch();
}

double ms(wall_clock::local_time t) {
  return static_cast<double>(t.time_since_epoch().count()) / 1000;
}

TEST(server_clock, our_clock_is_taken_where_it_may_be_right) {
  wall_clock clock;
  clock.heard(unix_time(start + 300us), start, start + 800us);
  EXPECT_DOUBLE_EQ(clock.next_ms(start + 1ms, 0), ms(start + 1ms));
}

TEST(server_clock, the_least_difference_that_explains_what_was_heard_is_assumed) {
  wall_clock ahead;
  ahead.heard(unix_time(start + 5s), start, start + 2ms);
  EXPECT_DOUBLE_EQ(ahead.next_ms(start + 1s, 0), ms(start + 1s + 5s - 2ms));
  wall_clock behind;
  behind.heard(unix_time(start - 5s), start, start + 2ms);
  EXPECT_DOUBLE_EQ(behind.next_ms(start + 1s, 0), ms(start + 1s - 5s));
}

TEST(server_clock, each_answer_says_more) {
  wall_clock clock;
  clock.heard(unix_time(start + 5s), start, start + 100ms);
  clock.heard(unix_time(start + 5s + 200ms), start + 199ms, start + 201ms);
  EXPECT_DOUBLE_EQ(clock.next_ms(start + 1s, 0), ms(start + 1s + 5s - 1ms));
}

TEST(server_clock, a_clock_that_was_set_is_followed) {
  wall_clock clock;
  clock.heard(unix_time(start), start, start + 1ms);
  clock.heard(unix_time(start + 1h), start + 1s, start + 1s + 1ms);
  EXPECT_GT(clock.next_ms(start + 2s, 0), ms(start + 59min));
}

TEST(server_clock, is_asked_again_now_and_then) {
  wall_clock clock;
  EXPECT_TRUE(clock.is_stale(start));
  clock.heard(unix_time(start), start, start + 1ms);
  EXPECT_FALSE(clock.is_stale(start + 10s));
  EXPECT_TRUE(clock.is_stale(start + 1min));
  clock.forget();
  EXPECT_TRUE(clock.is_stale(start + 2ms));
}

TEST(server_clock, no_moment_is_given_twice_and_none_of_a_batch_lies_ahead) {
  wall_clock clock;
  clock.heard(unix_time(start), start, start + 1ms);
  double last = 0;
  for (std::size_t left = 10'000; left-- > 0;) {
    const double next = clock.next_ms(start + 1s, left);
    EXPECT_GT(next, last);
    EXPECT_LE(next, ms(start + 1s));
    last = next;
  }
  EXPECT_GT(clock.next_ms(start + 1s, 0), last);
}

// By a clock of ours that nobody sets.

using steady = server_clock<std::chrono::steady_clock>;
constexpr steady::local_time began{};

micros said(std::chrono::milliseconds t) {
  return std::chrono::hours(500'000) + t;
}

TEST(server_clock, goes_on_from_what_the_server_said) {
  steady clock;
  EXPECT_FALSE(clock.latest(began));
  clock.heard(said(0ms), began, began + 2ms);
  EXPECT_EQ(clock.latest(began + 500ms), said(500ms));
}

TEST(server_clock, an_answer_that_lay_in_the_socket_while_we_stood_still_changes_nothing) {
  steady clock;
  clock.heard(said(0ms), began, began + 2ms);
  clock.heard(said(1000ms), began + 1s, began + 8s);
  EXPECT_EQ(clock.latest(began + 8s), said(8000ms));
  // The server's clock was set.
  clock.heard(said(1h), began + 9s, began + 9s + 1ms);
  EXPECT_EQ(clock.latest(began + 10s), said(1h + 1s));
}

TEST(server_clock, a_slow_answer_is_better_than_none) {
  steady clock;
  clock.heard(said(0ms), began, began + 5s);
  EXPECT_EQ(clock.latest(began + 5s), said(5000ms));
  clock.heard(said(7000ms), began + 6s, began + 6s);
  EXPECT_EQ(clock.latest(began + 6s), said(7000ms));
}

}  // namespace
}  // namespace quarq::broker::redis_common
