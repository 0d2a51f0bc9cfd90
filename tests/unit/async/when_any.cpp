#include <chrono>
#include <memory>
#include <stdexcept>
#include <variant>

#include <boost/system/system_error.hpp>
#include <gtest/gtest.h>

#include <quarq/gather.hpp>
#include <quarq/run.hpp>
#include <quarq/shield.hpp>
#include <quarq/time.hpp>

namespace quarq::when_any_tests {
namespace {

using namespace std::chrono_literals;

awaitable<int> number(int n) {
  co_return n;
}

awaitable<std::unique_ptr<int>> move_only() {
  co_return std::make_unique<int>(7);
}

awaitable<void> forever(bool& was_cancelled) {
  try {
    co_await sleep_for(24h);
  } catch (const boost::system::system_error&) {
    was_cancelled = true;
    throw;
  }
}

awaitable<int> failure() {
  throw std::runtime_error("no");
  co_return 0;
}

// Does not let itself be cancelled.
awaitable<int> stubborn(bool& ended) {
  co_await shield(sleep_for(20ms));
  ended = true;
  co_return 5;
}

TEST(when_any, the_first_to_end_gives_its_value_and_cancels_the_others) {
  bool was_cancelled = false;
  const auto first = run(when_any(forever(was_cancelled), number(3)));
  ASSERT_EQ(first.index(), 1u);
  EXPECT_EQ(std::get<1>(first), 3);
  EXPECT_TRUE(was_cancelled);
}

TEST(when_any, the_first_to_throw_decides_too) {
  bool was_cancelled = false;
  EXPECT_THROW(run(when_any(forever(was_cancelled), failure())), std::runtime_error);
  EXPECT_TRUE(was_cancelled);
}

TEST(when_any, returns_when_all_have_ended) {
  bool ended = false;
  const auto first = run(when_any(stubborn(ended), number(3)));
  EXPECT_EQ(first.index(), 1u);
  EXPECT_TRUE(ended);
}

TEST(when_any, takes_values_of_any_kind) {
  bool was_cancelled = false;
  const auto moved = run(when_any(move_only(), forever(was_cancelled)));
  EXPECT_EQ(*std::get<0>(moved), 7);
  const auto nothing = run(when_any(sleep_for(1ms), forever(was_cancelled)));
  EXPECT_EQ(nothing.index(), 0u);
}

TEST(when_any, two_of_one_type_are_told_apart) {
  const auto first = run(when_any(number(1), number(2)));
  EXPECT_EQ(first.index(), 0u);
}

TEST(when_any, a_cancelled_caller_cancels_all) {
  bool one = false, other = false;
  EXPECT_THROW(run(with_timeout(when_any(forever(one), forever(other)), 10ms)), timed_out);
  EXPECT_TRUE(one);
  EXPECT_TRUE(other);
}

}  // namespace
}  // namespace quarq::when_any_tests
