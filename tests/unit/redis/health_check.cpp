#include "redis/health_check.hpp"

#include <gtest/gtest.h>

namespace quarq::redis {
namespace {

using namespace std::chrono_literals;
const health_check::clock::time_point silent_since{};

TEST(redis_health_check, a_silent_server_is_pinged_once_and_then_dead) {
  health_check server;
  server.reset(silent_since);
  EXPECT_EQ(server.check(silent_since + 1999ms), health::ok);
  EXPECT_EQ(server.next_check(), silent_since + 2s);
  EXPECT_EQ(server.check(silent_since + 2s), health::ping);
  EXPECT_EQ(server.check(silent_since + 2s), health::ok);
  EXPECT_EQ(server.check(silent_since + 9999ms), health::ok);
  EXPECT_EQ(server.next_check(), silent_since + 10s);
  EXPECT_EQ(server.check(silent_since + 10s), health::dead);
}

TEST(redis_health_check, a_master_that_may_have_a_successor_is_given_up_sooner) {
  health_check server(health_check::max_silence_with_sentinels);
  server.reset(silent_since);
  EXPECT_EQ(server.check(silent_since + 2s), health::ping);
  EXPECT_EQ(server.next_check(), silent_since + 4s);
  EXPECT_EQ(server.check(silent_since + 4s), health::dead);
}

TEST(redis_health_check, bytes_postpone_it) {
  health_check server;
  server.reset(silent_since);
  server.reset(silent_since + 1500ms);
  EXPECT_EQ(server.check(silent_since + 2s), health::ok);
  EXPECT_EQ(server.check(silent_since + 3500ms), health::ping);
  server.reset(silent_since + 3501ms);
  EXPECT_EQ(server.check(silent_since + 5500ms), health::ok);
  EXPECT_EQ(server.check(silent_since + 5501ms), health::ping);
}

TEST(redis_health_check, a_loop_that_stood_still_reads_before_it_gives_up) {
  health_check server;
  server.reset(silent_since);
  EXPECT_EQ(server.check(silent_since + 2s), health::ping);
  EXPECT_EQ(server.check(silent_since + 15s), health::ok);
  EXPECT_EQ(server.next_check(), silent_since + 16s);
  EXPECT_EQ(server.check(silent_since + 16s), health::dead);
}

TEST(redis_health_check, a_late_check_still_pings_before_it_gives_up) {
  // As when this process was suspended for an hour.
  health_check server;
  server.reset(silent_since);
  EXPECT_EQ(server.check(silent_since + 1h), health::ping);
  EXPECT_EQ(server.check(silent_since + 1h + 7s), health::ok);
  EXPECT_EQ(server.check(silent_since + 1h + 8s), health::dead);
}

}  // namespace
}  // namespace quarq::redis
