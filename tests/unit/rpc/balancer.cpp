#include "rpc/balancer.hpp"

#include <optional>
#include <vector>

#include <gtest/gtest.h>

namespace quarq::rpc::balancer_tests {
namespace {

using namespace std::chrono_literals;
using time_point = balancer::time_point;

class rpc_balancer : public testing::Test {
 protected:
  balancer::ticket pick() {
    const auto got = hosts_.pick(now_);
    EXPECT_TRUE(got.has_value());
    return got.value_or(balancer::ticket{});
  }
  void end(const balancer::ticket& call, host_result shown) { hosts_.ended(call, shown, now_); }
  std::size_t lose_one() {
    const auto call = pick();
    end(call, host_result::lost);
    return call.host;
  }

  time_point now_ = time_point() + 1h;
  balancer hosts_{3, {}, [] { return 0.5; }};
};

TEST_F(rpc_balancer, takes_the_host_with_the_fewest_calls) {
  const auto a = pick(), b = pick(), c = pick();
  EXPECT_NE(a.host, b.host);
  EXPECT_NE(b.host, c.host);
  EXPECT_NE(a.host, c.host);
  end(b, host_result::good);
  EXPECT_EQ(pick().host, b.host);
}

TEST_F(rpc_balancer, takes_equal_hosts_in_turn) {
  std::vector<int> calls(3);
  for (int i = 0; i < 30; ++i) {
    const auto call = pick();
    ++calls[call.host];
    end(call, host_result::good);
  }
  EXPECT_EQ(calls, (std::vector<int>{10, 10, 10}));
}

TEST_F(rpc_balancer, avoids_the_host_that_has_just_failed) {
  for (int i = 0; i < 10; ++i) {
    const auto call = hosts_.pick(now_, 1);
    ASSERT_TRUE(call);
    EXPECT_NE(call->host, 1u);
  }
  balancer one(1, {}, [] { return 0.5; });
  EXPECT_TRUE(one.pick(now_, 0));
}

TEST_F(rpc_balancer, a_lost_connection_takes_its_host_out_of_service) {
  const auto lost = lose_one();
  EXPECT_FALSE(hosts_.in_service(lost));
  for (int i = 0; i < 10; ++i) EXPECT_NE(pick().host, lost);
}

TEST_F(rpc_balancer, one_call_tries_a_host_whose_pause_is_over) {
  const auto lost = lose_one();
  now_ += 199ms;
  EXPECT_NE(pick().host, lost);
  now_ += 1ms;
  std::vector<balancer::ticket> tries;
  for (int i = 0; i < 9; ++i) {
    const auto call = pick();
    if (call.host == lost) tries.push_back(call);
  }
  ASSERT_EQ(tries.size(), 1u);
  EXPECT_TRUE(tries[0].is_probe);
  end(tries[0], host_result::good);
  EXPECT_TRUE(hosts_.in_service(lost));
}

TEST(rpc_balancer_pauses, double_with_each_failed_try) {
  balancer one(1, {}, [] { return 0.5; });
  time_point now = time_point() + 1h;
  for (const auto pause : {200ms, 400ms, 800ms, 1600ms, 3200ms, 6400ms, 10000ms, 10000ms}) {
    const auto call = one.pick(now);
    ASSERT_TRUE(call);
    one.ended(*call, host_result::lost, now);
    EXPECT_FALSE(one.pick(now + pause - 1ms));
    now += pause;
  }
  const auto good = one.pick(now);
  ASSERT_TRUE(good);
  one.ended(*good, host_result::good, now);
  const auto call = one.pick(now);
  ASSERT_TRUE(call);
  one.ended(*call, host_result::lost, now);
  EXPECT_FALSE(one.pick(now + 199ms));
  EXPECT_TRUE(one.pick(now + 200ms)) << "the pause begins anew after a success";
}

TEST(rpc_balancer_pauses, vary_by_a_fifth) {
  for (const auto& [random, pause] : {std::pair(0.0, 160ms), std::pair(1.0, 240ms)}) {
    balancer one(1, {}, [&number = random] { return number; });
    const time_point now = time_point() + 1h;
    const auto call = one.pick(now);
    ASSERT_TRUE(call);
    one.ended(*call, host_result::lost, now);
    EXPECT_FALSE(one.pick(now + pause - 1ms));
    EXPECT_TRUE(one.pick(now + pause));
  }
}

TEST(rpc_breaker, opens_after_three_failures_in_a_row) {
  balancer one(1, {}, [] { return 0.5; });
  time_point now = time_point() + 1h;
  const auto result = [&](host_result shown) {
    const auto call = one.pick(now);
    ASSERT_TRUE(call);
    now += 10ms;
    one.ended(*call, shown, now);
  };
  result(host_result::failed);
  result(host_result::failed);
  result(host_result::good);
  result(host_result::failed);
  result(host_result::failed);
  EXPECT_TRUE(one.in_service(0));
  result(host_result::failed);
  EXPECT_FALSE(one.in_service(0));
  EXPECT_FALSE(one.pick(now));
}

TEST(rpc_breaker, does_not_blame_a_host_that_answers_others_for_a_slow_call) {
  balancer one(1, {}, [] { return 0.5; });
  time_point now = time_point() + 1h;
  std::vector<std::optional<balancer::ticket>> slow;
  for (int i = 0; i < 5; ++i) slow.push_back(one.pick(now));
  now += 10ms;
  const auto quick = one.pick(now);
  one.ended(*quick, host_result::good, now);
  now += 1s;
  for (const auto& call : slow) one.ended(*call, host_result::failed, now);
  EXPECT_TRUE(one.in_service(0));
}

TEST(rpc_breaker, counts_the_calls_that_were_under_way_once) {
  balancer one(1, {}, [] { return 0.5; });
  const time_point now = time_point() + 1h;
  std::vector<std::optional<balancer::ticket>> calls;
  for (int i = 0; i < 10; ++i) calls.push_back(one.pick(now));
  EXPECT_FALSE(one.was_known(*calls[0]));
  for (const auto& call : calls) one.ended(*call, host_result::lost, now);
  EXPECT_TRUE(one.was_known(*calls[1]));
  EXPECT_TRUE(one.pick(now + 200ms)) << "it is out for one pause, not for ten";
  EXPECT_EQ(one.outstanding(0), 1u);
}

TEST(rpc_breaker, a_cancelled_try_lets_another_one_follow) {
  balancer one(1, {}, [] { return 0.5; });
  const time_point now = time_point() + 1h;
  const auto call = one.pick(now);
  one.ended(*call, host_result::lost, now);
  const auto first = one.pick(now + 1s);
  ASSERT_TRUE(first);
  EXPECT_FALSE(one.pick(now + 1s));
  one.ended(*first, host_result::unknown, now + 1s);
  EXPECT_TRUE(one.pick(now + 1s));
}

}  // namespace
}  // namespace quarq::rpc::balancer_tests
