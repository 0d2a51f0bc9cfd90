// Durations and time points whose unit is no whole number of nanoseconds.
#include <chrono>
#include <cstdint>
#include <limits>
#include <ratio>

#include <gtest/gtest.h>

#include <quarq/codec.hpp>

namespace quarq::test::codec_odd_units_tests {
namespace {

using frames = std::chrono::duration<std::int64_t, std::ratio<1, 60>>;
using samples = std::chrono::duration<std::int64_t, std::ratio<1, 44'100>>;
using thirds = std::chrono::duration<std::int64_t, std::ratio<1, 3>>;
using finest = std::chrono::duration<std::int64_t, std::ratio<1, 999'999'999>>;

template <class T>
T again(const T& value) {
  return from_msgpack<T>(to_msgpack(value), "value");
}

template <class Duration>
int changed_durations(std::int64_t from, std::int64_t to) {
  int changed = 0;
  for (auto n = from; n <= to; ++n) changed += again(again(Duration(n))) != Duration(n);
  return changed;
}

template <class Duration>
int changed_moments(std::int64_t from, std::int64_t to) {
  using moment = std::chrono::sys_time<Duration>;
  int changed = 0;
  for (auto n = from; n <= to; ++n) changed += again(again(moment(Duration(n)))) != moment(Duration(n));
  return changed;
}

TEST(codec_odd_units, durations_come_back_as_they_were) {
  EXPECT_EQ(again(frames(59)), frames(59));
  EXPECT_EQ(again(samples(1)), samples(1));
  EXPECT_EQ(changed_durations<frames>(-100, 100), 0);
  EXPECT_EQ(changed_durations<samples>(-44'100, 44'100), 0);
  EXPECT_EQ(changed_durations<thirds>(-10, 10), 0);
  EXPECT_EQ(changed_durations<finest>(-1000, 1000), 0);
}

TEST(codec_odd_units, long_durations_come_back_as_well) {
  constexpr std::int64_t years_250 = 250LL * 365 * 86'400;
  EXPECT_EQ(changed_durations<frames>(years_250 * 60, years_250 * 60 + 100), 0);
  EXPECT_EQ(changed_durations<samples>(-years_250 * 44'100 - 100, -years_250 * 44'100), 0);
}

TEST(codec_odd_units, time_points_come_back_as_they_were) {
  EXPECT_EQ(changed_moments<frames>(-200, 200), 0);
  EXPECT_EQ(changed_moments<samples>(-44'100, 44'100), 0);
  EXPECT_EQ(changed_moments<finest>(-1000, 1000), 0);
  EXPECT_EQ(changed_moments<finest>(999'999'998, 1'000'000'001), 0);
}

}  // namespace
}  // namespace quarq::test::codec_odd_units_tests
