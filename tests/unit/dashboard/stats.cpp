#include "dashboard/stats.hpp"

#include <gtest/gtest.h>

namespace quarq::test::dashboard_stats_tests {
namespace {

using namespace std::chrono_literals;
using dashboard::stats_sum;

constexpr task_minute::time_point now{29'000'000min};

task_minute minute_of(std::chrono::minutes before, std::string task, std::uint64_t succeeded,
                      std::chrono::milliseconds each) {
  task_minute one;
  one.minute = now - before;
  one.task = std::move(task);
  one.counts.succeeded = succeeded;
  for (std::uint64_t i = 0; i < succeeded; ++i) one.counts.ran.add(each);
  return one;
}

TEST(dashboard_stats, has_a_step_for_each_minute_of_an_hour) {
  stats_sum sum(now, 60min);
  EXPECT_EQ(sum.step(), 1min);
  const auto far = minute_of(61min, "send", 5, 1ms);
  sum.add({far, minute_of(59min, "send", 7, 20ms), minute_of(0min, "send", 2, 20ms)});
  sum.add({minute_of(0min, "pay", 1, 3s)});
  const auto view = sum.view();
  ASSERT_EQ(view.steps.size(), 60u);
  EXPECT_EQ(view.steps.front().succeeded, 7u);
  EXPECT_EQ(view.steps.back().succeeded, 3u);
  EXPECT_EQ(view.steps[1].succeeded, 0u);
  EXPECT_FALSE(view.steps[1].run_p50.has_value());
  EXPECT_EQ(view.steps.back().at, std::chrono::seconds(now.time_since_epoch()).count());
  ASSERT_EQ(view.tasks.size(), 2u);
  EXPECT_EQ(view.tasks[0].task, "pay");  // it took more time
  EXPECT_EQ(view.tasks[1].succeeded, 9u);
}

TEST(dashboard_stats, has_longer_steps_for_a_longer_time) {
  stats_sum sum(now, 72h);
  EXPECT_GE(sum.step(), 30min);
  EXPECT_EQ(sum.from().time_since_epoch() % sum.step(), 0min);
  EXPECT_LE(sum.view().steps.size(), 146u);
  EXPECT_LE(sum.from(), now - 71h);
  sum.add({minute_of(10h, "send", 1, 1ms), minute_of(10h + 1min, "send", 1, 1ms)});
  std::uint64_t all = 0;
  const auto view = sum.view();
  for (const auto& step : view.steps) all += step.succeeded;
  EXPECT_EQ(all, 2u);
}

TEST(dashboard_stats, is_of_a_minute_at_least_and_of_what_is_kept_at_most) {
  EXPECT_EQ(stats_sum(now, -5min).view().steps.size(), 1u);
  EXPECT_GE(stats_sum(now, 10'000h).from(), now - stats_kept - 1h);
}

}  // namespace
}  // namespace quarq::test::dashboard_stats_tests
