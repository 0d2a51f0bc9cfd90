#include "broker/redis_common/server_time.hpp"

#include <gtest/gtest.h>

namespace quarq::broker::redis_common {
namespace {

using namespace std::chrono_literals;
const server_time::steady::time_point began{};

time_point said(milliseconds t) {
  return time_point(1000s + t);
}

TEST(redis_server_time, goes_on_from_what_the_server_said) {
  server_time clock;
  EXPECT_FALSE(clock.at(began));
  clock.heard(said(0ms), began, began + 2ms);
  EXPECT_EQ(clock.at(began + 500ms), said(500ms));
}

TEST(redis_server_time, an_answer_that_lay_in_the_socket_while_we_stood_still_is_not_believed) {
  server_time clock;
  clock.heard(said(0ms), began, began + 2ms);
  clock.heard(said(1000ms), began + 1s, began + 8s);
  EXPECT_EQ(clock.at(began + 8s), said(8000ms));
  // The server's clock was set.
  clock.heard(said(1h), began + 9s, began + 9s + 1ms);
  EXPECT_EQ(clock.at(began + 10s), said(1h + 1s));
}

TEST(redis_server_time, the_first_answer_is_better_than_none) {
  server_time clock;
  clock.heard(said(0ms), began, began + 5s);
  EXPECT_EQ(clock.at(began + 5s), said(5000ms));
  clock.heard(said(7000ms), began + 6s, began + 6s);
  EXPECT_EQ(clock.at(began + 6s), said(7000ms));
}

}  // namespace
}  // namespace quarq::broker::redis_common
