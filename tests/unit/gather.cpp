#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <boost/system/system_error.hpp>
#include <gtest/gtest.h>

#include <quarq/gather.hpp>
#include <quarq/run.hpp>
#include <quarq/time.hpp>

namespace quarq {
namespace {

using namespace std::chrono_literals;

constexpr auto for_ever = std::chrono::hours(24);

awaitable<int> value(int n) {
  co_return n;
}

awaitable<int> value_after(int n, std::chrono::milliseconds pause) {
  co_await sleep_for(pause);
  co_return n;
}

awaitable<void> nothing() {
  co_return;
}

awaitable<int> failure(std::string what) {
  throw std::runtime_error(what);
  co_return 0;
}

// Waits for ever, and notes how that ended.
awaitable<int> until_cancelled(bool& was_cancelled) {
  try {
    co_await sleep_for(for_ever);
  } catch (const boost::system::system_error& e) {
    was_cancelled = e.code() == boost::asio::error::operation_aborted;
    throw;
  }
  co_return 0;
}

awaitable<std::unique_ptr<int>> move_only() {
  co_return std::make_unique<int>(7);
}

awaitable<int> nested() {
  auto [a, b] = co_await gather(value(1), value_after(2, 1ms));
  co_return a + b;
}

TEST(gather, yields_each_value_in_its_place) {
  auto [a, b, c, d] = run(gather(value_after(1, 5ms), value(2), nothing(), move_only()));
  EXPECT_EQ(a, 1);
  EXPECT_EQ(b, 2);
  EXPECT_EQ(*d, 7);
  static_assert(std::is_same_v<decltype(c), std::monostate>);
}

TEST(gather, of_a_vector_keeps_its_order) {
  std::vector<awaitable<int>> all;
  for (int i = 0; i < 50; ++i) all.push_back(value_after(i, std::chrono::milliseconds(50 - i)));
  const auto values = run(gather(std::move(all)));
  ASSERT_EQ(values.size(), 50u);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(values[static_cast<std::size_t>(i)], i);
}

TEST(gather, of_nothing_ends_at_once) {
  EXPECT_TRUE(run(gather(std::vector<awaitable<int>>())).empty());
  run(gather(std::vector<awaitable<void>>()));
}

TEST(gather, the_first_failure_is_thrown_and_cancels_the_rest) {
  bool was_cancelled = false;
  try {
    run(gather(until_cancelled(was_cancelled), failure("the one")));
    FAIL() << "nothing was thrown";
  } catch (const std::runtime_error& e) {
    EXPECT_STREQ(e.what(), "the one");
  }
  EXPECT_TRUE(was_cancelled);
}

TEST(gather, may_stand_in_gather) {
  auto [a, b] = run(gather(nested(), nested()));
  EXPECT_EQ(a + b, 6);
}

TEST(gather, is_cancelled_with_all_that_it_awaits) {
  bool first = false, second = false;
  const auto both = [&]() -> awaitable<void> {
    [[maybe_unused]] auto ends = co_await gather(until_cancelled(first), until_cancelled(second));
  };
  EXPECT_THROW(run(with_timeout(both(), 5ms)), timed_out);
  EXPECT_TRUE(first);
  EXPECT_TRUE(second);
}

TEST(with_timeout, passes_a_value_on) {
  EXPECT_EQ(run(with_timeout(value_after(3, 1ms), for_ever)), 3);
}

TEST(with_timeout, ends_what_takes_too_long) {
  bool was_cancelled = false;
  EXPECT_THROW(run(with_timeout(until_cancelled(was_cancelled), 5ms)), timed_out);
  EXPECT_TRUE(was_cancelled);
}

// Not after the time that it had: the test would take a day.
TEST(with_timeout, throws_a_failure_at_once_and_as_it_is) {
  try {
    run(with_timeout(failure("early"), for_ever));
    FAIL() << "nothing was thrown";
  } catch (const std::runtime_error& e) {
    EXPECT_STREQ(e.what(), "early");
  }
}

TEST(with_timeout, the_shorter_of_two_counts) {
  bool was_cancelled = false;
  EXPECT_THROW(run(with_timeout(with_timeout(until_cancelled(was_cancelled), for_ever), 5ms)), timed_out);
  EXPECT_TRUE(was_cancelled);
}

TEST(sleep_until, returns_when_the_clock_shows_it) {
  const auto when = std::chrono::system_clock::now() + 5ms;
  run(sleep_until(when));
  EXPECT_GE(std::chrono::system_clock::now(), when);
}

TEST(run, returns_values_that_can_only_be_moved) {
  EXPECT_EQ(*run(move_only()), 7);
}

TEST(run, throws_what_the_coroutine_throws) {
  EXPECT_THROW(run(failure("x")), std::runtime_error);
}

TEST(run, is_refused_in_a_coroutine) {
  const auto outer = []() -> awaitable<void> {
    run(nothing());
    co_return;
  };
  EXPECT_THROW(run(outer()), std::logic_error);
  run(nothing());
}

}  // namespace
}  // namespace quarq
