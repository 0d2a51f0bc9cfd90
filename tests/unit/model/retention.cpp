// Durations and forever.
#include <algorithm>
#include <optional>
#include <type_traits>

#include <gtest/gtest.h>

#include <quarq/retention.hpp>

namespace quarq {
namespace {

using namespace std::chrono_literals;

TEST(retention, is_made_from_a_duration_or_from_forever) {
  const retention ten = 10min;
  EXPECT_EQ(ten.duration(), 600'000ms);
  const retention always = forever;
  EXPECT_EQ(always.duration(), std::nullopt);
  static_assert(!std::is_convertible_v<std::chrono::microseconds, retention>, "it would be rounded");
  static_assert(std::is_convertible_v<std::chrono::minutes, std::optional<retention>>);
}

TEST(retention, forever_is_longer_than_any_duration) {
  EXPECT_TRUE(retention(forever) > retention(std::chrono::milliseconds::max()));
  EXPECT_TRUE(retention(1s) < retention(2s));
  EXPECT_TRUE(retention(forever) == retention(forever));
  EXPECT_FALSE(retention(forever) == retention(std::chrono::milliseconds::max()));
  EXPECT_TRUE(std::max<retention>(1h, forever) == retention(forever));
  EXPECT_TRUE(std::max<retention>(1h, 30min) == retention(1h));
}

}  // namespace
}  // namespace quarq
