#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include <quarq/errors.hpp>
#include <quarq/rate_limiter.hpp>

#include "async/rate_schedule.hpp"
#include "support/manual_loop.hpp"

namespace quarq::test::rate_limiter_tests {
namespace {

using namespace std::chrono_literals;
using async::rate_schedule;
using time_point = rate_schedule::time_point;
using std::chrono::nanoseconds;

constexpr time_point start{1h};

// Those that get a permit when all that are due are taken at this moment.
int take_all(rate_schedule& from, time_point now) {
  int taken = 0;
  for (; from.next() <= now; ++taken) from.take(now);
  return taken;
}

TEST(rate_schedule, hands_out_a_burst_and_then_one_each_interval) {
  rate_schedule s({.permits = 100, .per = 1s, .burst = 3});
  EXPECT_EQ(s.interval(), 10ms);
  EXPECT_EQ(take_all(s, start), 3);
  EXPECT_EQ(s.next(), start + 10ms);
  EXPECT_EQ(take_all(s, start + 9ms), 0);
  EXPECT_EQ(take_all(s, start + 10ms), 1);
  EXPECT_EQ(take_all(s, start + 30ms), 2);
  // However long the pause was.
  EXPECT_EQ(take_all(s, start + 24h), 3);
}

TEST(rate_schedule, rounds_the_interval_up) {
  EXPECT_EQ(rate_schedule({.permits = 3, .per = 1s}).interval(), nanoseconds(333'333'334));
  EXPECT_EQ(rate_schedule({.permits = 300, .per = 1min}).interval(), 200ms);
  EXPECT_EQ(rate_schedule({.permits = 5'000'000'000, .per = 1s}).interval(), 1ns);
}

TEST(rate_schedule, has_a_burst_of_20_ms_unless_it_is_told_another) {
  for (const auto& [permits, burst] :
       {std::pair(1, 1), std::pair(50, 1), std::pair(100, 2), std::pair(3'000, 59)}) {
    rate_schedule s({.permits = static_cast<std::size_t>(permits), .per = 1s});
    EXPECT_EQ(take_all(s, start), burst) << permits;
  }
}

// A loop that is busy from time to time comes late; as long as that is within a burst, nothing is lost by it.
TEST(rate_schedule, makes_up_for_late_moments_and_never_exceeds_the_rate) {
  constexpr std::size_t burst = 60;
  rate_schedule s({.permits = 3'000, .per = 1s, .burst = burst});
  std::mt19937 random(7);
  std::vector<time_point> taken;
  for (auto now = start; now < start + 20s;
       now = std::max(now, s.next()) + std::chrono::microseconds(random() % 15'000)) {
    for (int n = take_all(s, now); n > 0; --n) taken.push_back(now);
  }
  EXPECT_NEAR(static_cast<double>(taken.size()), 20 * 3'000, 20 * 3'000 * 0.01);
  for (const auto span : {nanoseconds(10ms), nanoseconds(1s), nanoseconds(5s)}) {
    const auto allowed = static_cast<std::size_t>(span / s.interval()) + burst;
    std::size_t first = 0;
    for (std::size_t last = 0; last < taken.size(); ++last) {
      while (taken[last] - taken[first] > span) ++first;
      ASSERT_LE(last - first + 1, allowed) << span.count();
    }
  }
}

TEST(rate_schedule, takes_extremes) {
  rate_schedule slow({.permits = 1, .per = nanoseconds::max(), .burst = static_cast<std::size_t>(-1)});
  EXPECT_LE(slow.next(), start);
  slow.take(start);
  rate_schedule all_at_once({.permits = 1, .per = 1ns, .burst = static_cast<std::size_t>(-1)});
  all_at_once.take(start);
  EXPECT_LE(all_at_once.next(), start);
}

TEST(rate_limiter, of_nothing_is_refused) {
  EXPECT_THROW(rate_limiter({.permits = 0}), usage_error);
  EXPECT_THROW(rate_limiter({.permits = 1, .per = 0s}), usage_error);
  EXPECT_THROW(rate_limiter({.permits = 1, .per = -1s}), usage_error);
}

awaitable<void> take(rate_limiter& from, std::vector<int>& got, int number) {
  co_await from.acquire();
  got.push_back(number);
}

TEST(rate_limiter, lets_through_in_order_and_not_earlier_than_the_rate_allows) {
  rate_limiter limit({.permits = 1'000, .per = 1s, .burst = 1});
  std::vector<int> got;
  manual_loop loop;
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < 6; ++i) loop.start(take(limit, got, i));
  loop.finish();
  EXPECT_GE(std::chrono::steady_clock::now() - began, 5ms);
  EXPECT_EQ(got, (std::vector{0, 1, 2, 3, 4, 5}));
}

/// Those that want a permit after two have been taken: the third comes in half an hour.
class exhausted_rate_limiter : public ::testing::Test {
 protected:
  exhausted_rate_limiter() {
    EXPECT_TRUE(limit->try_acquire());
    start(0);
    EXPECT_EQ(got, std::vector{0});
  }
  std::shared_ptr<spawned> start(int number) { return loop.start(take(*limit, got, number)); }

  std::optional<rate_limiter> limit{rate_limiter_options{.permits = 2, .per = 1h, .burst = 2}};
  std::vector<int> got;
  manual_loop loop;
};

TEST_F(exhausted_rate_limiter, can_be_tried) {
  EXPECT_FALSE(limit->try_acquire());
  EXPECT_FALSE(limit->try_acquire());
}

TEST_F(exhausted_rate_limiter, can_be_cancelled_at_the_head_and_behind_it) {
  const auto first = start(1);
  const auto second = start(2);
  const auto third = start(3);
  second->cancel();
  loop.run_ready();
  EXPECT_TRUE(second->aborted());
  EXPECT_FALSE(first->ended());
  first->cancel();
  loop.run_ready();
  EXPECT_TRUE(first->aborted());
  EXPECT_FALSE(third->ended());
  third->cancel();
  loop.run_ready();
  EXPECT_TRUE(third->aborted());
  EXPECT_EQ(got, std::vector{0});
}

TEST_F(exhausted_rate_limiter, may_be_destroyed_while_some_wait) {
  const auto first = start(1);
  const auto second = start(2);
  limit.reset();
  loop.run_ready();
  EXPECT_TRUE(second->aborted());
  EXPECT_FALSE(first->ended());
  first->cancel();
  loop.run_ready();
  EXPECT_TRUE(first->aborted());
}

TEST_F(exhausted_rate_limiter, may_outlive_its_loop) {
  start(1);
  start(2);
  loop.end_loop();
  EXPECT_FALSE(limit->try_acquire());
}

TEST(rate_limiter, aborts_the_head_when_its_permit_would_be_due) {
  std::optional<rate_limiter> limit(std::in_place, rate_limiter_options{.permits = 100, .burst = 1});
  std::vector<int> got;
  manual_loop loop;
  loop.start(take(*limit, got, 0));
  const auto waits = loop.start(take(*limit, got, 1));
  limit.reset();
  loop.finish();
  EXPECT_TRUE(waits->aborted());
  EXPECT_EQ(got, std::vector{0});
}

}  // namespace
}  // namespace quarq::test::rate_limiter_tests
