#include "redis/backoff.hpp"

#include <chrono>
#include <vector>

#include <gtest/gtest.h>

namespace quarq::redis {
namespace {

using namespace std::chrono_literals;

TEST(redis_backoff, doubles_up_to_the_maximum) {
  backoff pause(50ms, 2000ms);
  std::vector<std::chrono::milliseconds> pauses;
  for (int i = 0; i < 8; ++i)
    pauses.push_back(std::chrono::ceil<std::chrono::milliseconds>(pause.next(0.9999999)));
  EXPECT_EQ(pauses, (std::vector<std::chrono::milliseconds>{50ms, 100ms, 200ms, 400ms, 800ms, 1600ms, 2000ms,
                                                            2000ms}));
}

TEST(redis_backoff, jitter_reaches_down_to_zero) {
  backoff pause;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(pause.next(0), 0us);
  EXPECT_EQ(pause.next(0.5), 200ms);
}

TEST(redis_backoff, starts_over_after_a_reset) {
  backoff pause;
  for (int i = 0; i < 100; ++i) pause.next(0.5);
  EXPECT_EQ(pause.next(0.5), 1000ms);
  pause.reset();
  EXPECT_EQ(pause.next(0.5), 25ms);
}

}  // namespace
}  // namespace quarq::redis
