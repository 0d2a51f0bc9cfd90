#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <gtest/gtest.h>

#include <quarq/gather.hpp>
#include <quarq/run.hpp>
#include <quarq/time.hpp>

namespace quarq {
namespace {

using namespace std::chrono_literals;

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
    co_await sleep_for(24h);
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

TEST(gather, thousands_wait_at_once) {
  std::vector<awaitable<int>> all;
  for (int i = 0; i < 10'000; ++i) all.push_back(value_after(i, 1ms));
  const auto values = run(gather(std::move(all)));
  for (int i = 0; i < 10'000; ++i) ASSERT_EQ(values[static_cast<std::size_t>(i)], i);
}

// Cancels its own caller before that has begun to wait, and goes on for a while.
awaitable<void> cancel_caller(boost::asio::cancellation_signal& caller, bool& ended) {
  caller.emit(boost::asio::cancellation_type::terminal);
  try {
    co_await sleep_for(24h);
  } catch (const boost::system::system_error&) {
  }
  const auto loop = co_await boost::asio::this_coro::executor;
  co_await boost::asio::this_coro::reset_cancellation_state();
  co_await boost::asio::post(loop, boost::asio::use_awaitable);
  ended = true;
}

TEST(gather, waits_for_all_also_when_a_child_cancels_the_caller) {
  boost::asio::io_context loop(1);
  boost::asio::cancellation_signal caller;
  bool child_ended = false, ended = false;
  const auto body = [&]() -> awaitable<void> {
    std::vector<awaitable<void>> all;
    all.push_back(cancel_caller(caller, child_ended));
    co_await gather(std::move(all));
    EXPECT_TRUE(child_ended);
    ended = true;
  };
  boost::asio::co_spawn(loop, body,
                        boost::asio::bind_cancellation_slot(caller.slot(), boost::asio::detached));
  loop.run_for(10s);
  EXPECT_TRUE(ended);
}

TEST(gather, the_loop_may_end_first) {
  const auto kept = std::make_shared<int>();
  const auto wait_with = [](std::shared_ptr<int>) -> awaitable<void> { co_await sleep_for(24h); };
  const auto body = [&](std::shared_ptr<int> mine) -> awaitable<void> {
    co_await gather(wait_with(kept), wait_with(kept));
    (void)mine;
  };
  {
    boost::asio::io_context loop(1);
    boost::asio::co_spawn(loop, body(kept), boost::asio::detached);
    loop.poll();
    EXPECT_GT(kept.use_count(), 2);
  }
  EXPECT_EQ(kept.use_count(), 1);
}

TEST(gather_outcomes, says_of_each_what_became_of_it) {
  const auto body = []() -> awaitable<void> {
    auto [a, b, c, d] =
        co_await gather_outcomes(value_after(1, 5ms), failure("the one"), nothing(), move_only());
    EXPECT_EQ(a.value(), 1);
    EXPECT_FALSE(b.ok());
    EXPECT_EQ(b.message(), "the one");
    EXPECT_THROW(b.value(), std::runtime_error);
    EXPECT_TRUE(c.ok());
    EXPECT_EQ(*d.value(), 7);
  };
  run(body());
}

TEST(gather_outcomes, of_a_vector_keeps_its_order) {
  std::vector<awaitable<int>> all;
  all.push_back(value_after(1, 5ms));
  all.push_back(failure("the one"));
  all.push_back(value(3));
  auto outcomes = run(gather_outcomes(std::move(all)));
  ASSERT_EQ(outcomes.size(), 3u);
  EXPECT_EQ(outcomes[0].value(), 1);
  EXPECT_EQ(outcomes[1].message(), "the one");
  EXPECT_EQ(outcomes[2].value(), 3);

  std::vector<awaitable<void>> of_void;
  of_void.push_back(nothing());
  EXPECT_TRUE(run(gather_outcomes(std::move(of_void))).at(0).ok());
  EXPECT_TRUE(run(gather_outcomes(std::vector<awaitable<int>>())).empty());
}

TEST(gather_outcomes, is_cancelled_with_all_that_it_awaits) {
  boost::asio::io_context loop(1);
  boost::asio::cancellation_signal caller;
  bool first = false, second = false, aborted = false;
  const auto body = [&]() -> awaitable<void> {
    try {
      [[maybe_unused]] auto both = co_await gather_outcomes(until_cancelled(first), until_cancelled(second));
    } catch (const boost::system::system_error& e) {
      aborted = e.code() == boost::asio::error::operation_aborted;
      EXPECT_TRUE(first && second);
    }
  };
  boost::asio::co_spawn(loop, body,
                        boost::asio::bind_cancellation_slot(caller.slot(), boost::asio::detached));
  loop.poll();
  EXPECT_FALSE(first || second || aborted);
  caller.emit(boost::asio::cancellation_type::terminal);
  loop.run_for(10s);
  EXPECT_TRUE(aborted);
}

TEST(with_timeout, passes_a_value_on) {
  EXPECT_EQ(run(with_timeout(value_after(3, 1ms), 24h)), 3);
}

TEST(with_timeout, ends_what_takes_too_long) {
  bool was_cancelled = false;
  EXPECT_THROW(run(with_timeout(until_cancelled(was_cancelled), 5ms)), timed_out);
  EXPECT_TRUE(was_cancelled);
}

// Not after the time that it had: the test would take a day.
TEST(with_timeout, throws_a_failure_at_once_and_as_it_is) {
  try {
    run(with_timeout(failure("early"), 24h));
    FAIL() << "nothing was thrown";
  } catch (const std::runtime_error& e) {
    EXPECT_STREQ(e.what(), "early");
  }
}

TEST(with_timeout, the_shorter_of_two_counts) {
  bool was_cancelled = false;
  EXPECT_THROW(run(with_timeout(with_timeout(until_cancelled(was_cancelled), 24h), 5ms)), timed_out);
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
