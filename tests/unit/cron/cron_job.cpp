// When cron jobs run, and the ids of their runs.
#include "cron/cron_job.hpp"

#include <string>

#include <gtest/gtest.h>

namespace quarq::cron {
namespace {

using broker::time_point;
using namespace std::chrono_literals;

// 2026-11-22 10:54:36, as arq's ids have it: without the fraction.
constexpr time_point second{1'795'344'876'000ms};

cron_job every_second(int microsecond) {
  return cron_job("tick", {.second = "*", .microsecond = microsecond});
}

TEST(cron_job, a_run_s_id_has_its_time_rounded_as_arq_s_has) {
  EXPECT_EQ(every_second(123'456).after(second - 1s), second + 123ms);
  EXPECT_EQ(every_second(123'600).after(second - 1s), second + 124ms);
  EXPECT_EQ(every_second(123'600).run_id(second + 124ms), "cron:tick:1795344876124");
  EXPECT_EQ(every_second(999'499).after(second - 1s), second + 999ms);
  EXPECT_EQ(every_second(999'600).after(second - 1s), second);
}

TEST(cron_job, no_run_is_left_out_or_repeated_by_rounding) {
  for (const int microsecond : {0, 400, 500, 600, 123'456, 123'500, 123'600, 999'400, 999'500, 999'999}) {
    const auto job = every_second(microsecond);
    auto at = job.after(second);
    for (int i = 0; i < 5; ++i) {
      const auto next = job.after(at);
      EXPECT_EQ(next - at, 1s) << microsecond;
      EXPECT_TRUE(job.comes_at(next)) << microsecond;
      EXPECT_FALSE(job.comes_at(next + 1ms)) << microsecond;
      EXPECT_FALSE(job.comes_at(next - 1ms)) << microsecond;
      at = next;
    }
  }
}

}  // namespace
}  // namespace quarq::cron
