#include "broker/arq/server_clock.hpp"

#include <gtest/gtest.h>

namespace quarq::broker::arq {
namespace {

using namespace std::chrono_literals;
using micros = server_clock::micros;

constexpr server_clock::local_time start{std::chrono::hours(500'000)};

micros unix_time(server_clock::local_time t) {
  return t.time_since_epoch();
}

double ms(server_clock::local_time t) {
  return static_cast<double>(t.time_since_epoch().count()) / 1000;
}

TEST(server_clock, our_clock_is_taken_where_it_may_be_right) {
  server_clock clock;
  clock.heard(unix_time(start + 300us), start, start + 800us);
  EXPECT_DOUBLE_EQ(clock.next_ms(start + 1ms, 0), ms(start + 1ms));
}

TEST(server_clock, the_least_difference_that_explains_what_was_heard_is_assumed) {
  server_clock ahead;
  ahead.heard(unix_time(start + 5s), start, start + 2ms);
  EXPECT_DOUBLE_EQ(ahead.next_ms(start + 1s, 0), ms(start + 1s + 5s - 2ms));
  server_clock behind;
  behind.heard(unix_time(start - 5s), start, start + 2ms);
  EXPECT_DOUBLE_EQ(behind.next_ms(start + 1s, 0), ms(start + 1s - 5s));
}

TEST(server_clock, each_answer_says_more) {
  server_clock clock;
  clock.heard(unix_time(start + 5s), start, start + 100ms);
  clock.heard(unix_time(start + 5s + 200ms), start + 199ms, start + 201ms);
  EXPECT_DOUBLE_EQ(clock.next_ms(start + 1s, 0), ms(start + 1s + 5s - 1ms));
}

TEST(server_clock, a_clock_that_was_set_is_followed) {
  server_clock clock;
  clock.heard(unix_time(start), start, start + 1ms);
  clock.heard(unix_time(start + 1h), start + 1s, start + 1s + 1ms);
  EXPECT_GT(clock.next_ms(start + 2s, 0), ms(start + 59min));
}

TEST(server_clock, is_asked_again_now_and_then) {
  server_clock clock;
  EXPECT_TRUE(clock.is_stale(start));
  clock.heard(unix_time(start), start, start + 1ms);
  EXPECT_FALSE(clock.is_stale(start + 10s));
  EXPECT_TRUE(clock.is_stale(start + 1min));
  clock.forget();
  EXPECT_TRUE(clock.is_stale(start + 2ms));
}

TEST(server_clock, no_moment_is_given_twice_and_none_of_a_batch_lies_ahead) {
  server_clock clock;
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

}  // namespace
}  // namespace quarq::broker::arq
