#include "rpc/attempts.hpp"

#include <gtest/gtest.h>

namespace quarq::rpc::attempts_tests {
namespace {

using namespace std::chrono_literals;

lost_attempt lost() {
  lost_attempt facts;
  facts.max_attempts = 5;
  facts.idempotent = true;
  return facts;
}

TEST(rpc_retries, pause_longer_each_time) {
  const retry_throttle throttle;
  auto facts = lost();
  for (const auto pause : {50ms, 100ms, 200ms, 400ms}) {
    EXPECT_EQ(pause_before_retry(facts, throttle), pause);
    ++facts.attempt;
  }
  EXPECT_EQ(pause_before_retry(facts, throttle), std::nullopt) << "five are the most";
}

TEST(rpc_retries, vary_by_a_fifth) {
  const retry_throttle throttle;
  auto facts = lost();
  facts.random = 0;
  EXPECT_EQ(pause_before_retry(facts, throttle), 40ms);
  facts.random = 1;
  EXPECT_EQ(pause_before_retry(facts, throttle), 60ms);
}

TEST(rpc_retries, go_to_another_host_at_once) {
  auto facts = lost();
  facts.has_another_host = true;
  EXPECT_EQ(pause_before_retry(facts, retry_throttle()), 0ms);
}

TEST(rpc_retries, are_only_for_what_is_safe) {
  auto facts = lost();
  facts.idempotent = false;
  EXPECT_EQ(pause_before_retry(facts, retry_throttle()), std::nullopt);
  facts.may_have_started = false;
  EXPECT_EQ(pause_before_retry(facts, retry_throttle()), 50ms);
}

TEST(rpc_retries, come_when_the_server_says) {
  auto facts = lost();
  facts.pushback = 3s;
  EXPECT_EQ(pause_before_retry(facts, retry_throttle()), 3s);
  facts.pushback = -1ms;
  EXPECT_EQ(pause_before_retry(facts, retry_throttle()), std::nullopt);
}

TEST(rpc_retries, do_not_outlast_the_deadline) {
  auto facts = lost();
  facts.until_deadline = 51ms;
  EXPECT_EQ(pause_before_retry(facts, retry_throttle()), 50ms);
  facts.until_deadline = 50ms;
  EXPECT_EQ(pause_before_retry(facts, retry_throttle()), std::nullopt);
}

TEST(rpc_throttle, stops_at_half_of_its_tokens) {
  retry_throttle throttle;
  for (int i = 0; i < 4; ++i) throttle.failed();
  EXPECT_TRUE(throttle.allows_retries());
  throttle.failed();
  EXPECT_FALSE(throttle.allows_retries());
  EXPECT_EQ(pause_before_retry(lost(), throttle), std::nullopt);
  throttle.succeeded();
  EXPECT_TRUE(throttle.allows_retries());
}

TEST(rpc_throttle, gets_a_tenth_of_a_token_back_for_each_success) {
  retry_throttle throttle;
  for (int i = 0; i < 20; ++i) throttle.failed();
  EXPECT_EQ(throttle.tokens(), 0);
  for (int i = 0; i < 50; ++i) throttle.succeeded();
  EXPECT_NEAR(throttle.tokens(), 5, 1e-9);
  for (int i = 0; i < 1000; ++i) throttle.succeeded();
  EXPECT_EQ(throttle.tokens(), retry_throttle::full);
}

}  // namespace
}  // namespace quarq::rpc::attempts_tests
