#include "redis/health_check.hpp"

#include <gtest/gtest.h>

namespace quarq::redis {
namespace {

using namespace std::chrono_literals;
const health_check::clock::time_point start{};

TEST(redis_health_check, a_silent_peer_is_asked_once_and_then_dead) {
  health_check peer;
  peer.reset(start);
  EXPECT_EQ(peer.check(start + 1999ms), health::ok);
  EXPECT_EQ(peer.next_check(), start + 2s);
  EXPECT_EQ(peer.check(start + 2s), health::ping);
  EXPECT_EQ(peer.check(start + 2s), health::ok);
  EXPECT_EQ(peer.check(start + 3999ms), health::ok);
  EXPECT_EQ(peer.next_check(), start + 4s);
  EXPECT_EQ(peer.check(start + 4s), health::dead);
}

TEST(redis_health_check, bytes_put_it_off) {
  health_check peer;
  peer.reset(start);
  peer.reset(start + 1500ms);
  EXPECT_EQ(peer.check(start + 2s), health::ok);
  EXPECT_EQ(peer.check(start + 3500ms), health::ping);
  peer.reset(start + 3501ms);
  EXPECT_EQ(peer.check(start + 5500ms), health::ok);
  EXPECT_EQ(peer.check(start + 5501ms), health::ping);
}

TEST(redis_health_check, a_late_check_still_asks_before_it_gives_up) {
  // As when this process was suspended for an hour.
  health_check peer;
  peer.reset(start);
  EXPECT_EQ(peer.check(start + 1h), health::ping);
  EXPECT_EQ(peer.check(start + 1h + 1s), health::ok);
  EXPECT_EQ(peer.check(start + 1h + 2s), health::dead);
}

}  // namespace
}  // namespace quarq::redis
