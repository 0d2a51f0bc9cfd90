#include "redis/health_check.hpp"

#include <gtest/gtest.h>

namespace quarq::redis {
namespace {

using namespace std::chrono_literals;
const liveness::clock::time_point start{};

TEST(liveness, a_silent_peer_is_asked_once_and_then_dead) {
  liveness peer(start);
  EXPECT_EQ(peer.check(start + 1999ms), liveness::verdict::wait);
  EXPECT_EQ(peer.next_check(), start + 2s);
  EXPECT_EQ(peer.check(start + 2s), liveness::verdict::ask);
  EXPECT_EQ(peer.check(start + 2s), liveness::verdict::wait);
  EXPECT_EQ(peer.check(start + 3999ms), liveness::verdict::wait);
  EXPECT_EQ(peer.next_check(), start + 4s);
  EXPECT_EQ(peer.check(start + 4s), liveness::verdict::dead);
}

TEST(liveness, bytes_put_it_off) {
  liveness peer(start);
  peer.heard(start + 1500ms);
  EXPECT_EQ(peer.check(start + 2s), liveness::verdict::wait);
  EXPECT_EQ(peer.check(start + 3500ms), liveness::verdict::ask);
  peer.heard(start + 3501ms);
  EXPECT_EQ(peer.check(start + 5500ms), liveness::verdict::wait);
  EXPECT_EQ(peer.check(start + 5501ms), liveness::verdict::ask);
}

TEST(liveness, a_late_check_still_asks_before_it_gives_up) {
  // As when this process was suspended for an hour.
  liveness peer(start);
  EXPECT_EQ(peer.check(start + 1h), liveness::verdict::ask);
  EXPECT_EQ(peer.check(start + 1h + 1s), liveness::verdict::wait);
  EXPECT_EQ(peer.check(start + 1h + 2s), liveness::verdict::dead);
}

}  // namespace
}  // namespace quarq::redis
