// How long a job waits between attempts.
#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include <quarq/retry.hpp>

#include "model/record.hpp"

namespace quarq::model {
namespace {

using namespace std::chrono_literals;

struct pause {
  retry_policy policy;
  int n;
  double random;
  milliseconds expected;
};

TEST(retry_policy, pauses_grow_as_the_policy_says_and_are_spread_by_its_jitter) {
  const auto doubling = backoff::exponential(1s, 5min).jitter(0);
  const auto spread = backoff::constant(1s).jitter(0.25);
  const std::vector<pause> pauses = {
      {doubling, 1, 0.9, 1s},
      {doubling, 2, 0.9, 2s},
      {doubling, 9, 0.9, 256s},
      {doubling, 10, 0.9, 5min},
      {doubling, 1'000'000, 0, 5min},
      {doubling, 0, 0, 1s},
      {doubling, -3, 0, 1s},
      {backoff::constant(7s).jitter(0), 40, 0, 7s},
      {spread, 1, 0, 750ms},
      {spread, 1, 0.5, 1s},
      {spread, 1, 1, 1250ms},
      {backoff::constant(1s).jitter(1), 1, 0, 0ms},
      {backoff::constant(0ms), 3, 0.7, 0ms},
  };
  for (const auto& p : pauses) {
    EXPECT_EQ(p.policy.pause_after(p.n, p.random), p.expected)
        << "after attempt " << p.n << " with first " << p.policy.first().count() << " and random "
        << p.random;
  }
}

TEST(retry_policy, out_of_range_numbers_give_a_pause_all_the_same) {
  constexpr auto infinite = std::numeric_limits<double>::infinity();
  const std::vector<retry_policy> odd = {
      retry_policy(milliseconds::max(), milliseconds::max(), 2),
      retry_policy(1s, milliseconds::max(), 1e300),
      retry_policy(0ms, 5min, 1e300),
      retry_policy(1s, 5min, std::nan("")),
      retry_policy(1s, 5min, -infinite),
      retry_policy(1s, 5min, infinite),
      retry_policy(-1s, -5min, 2),
      retry_policy(1s, 5min, 2).jitter(std::nan("")),
  };
  for (const auto& p : odd) {
    for (const int n : {1, 2, 3, 1'000}) {
      const auto got = p.pause_after(n, 1);
      EXPECT_GE(got, 0ms) << "factor " << p.factor() << ", attempt " << n;
      EXPECT_LE(got, max_time) << "factor " << p.factor() << ", attempt " << n;
    }
  }
}

TEST(retry_policy, has_at_least_one_attempt) {
  EXPECT_EQ(retry_policy().max_attempts(), 5);
  EXPECT_EQ(retry_policy().attempts(0).max_attempts(), 1);
  EXPECT_EQ(retry_policy().attempts(-1).max_attempts(), 1);
  EXPECT_EQ(backoff::none().max_attempts(), 1);
}

}  // namespace
}  // namespace quarq::model
