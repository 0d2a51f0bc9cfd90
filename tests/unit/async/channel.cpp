#include <algorithm>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <quarq/channel.hpp>
#include <quarq/gather.hpp>
#include <quarq/run.hpp>
#include <quarq/time.hpp>

#include "support/manual_loop.hpp"

namespace quarq::test {
namespace {

using namespace std::chrono_literals;

awaitable<void> push(channel<int>& into, int what) {
  co_await into.async_push(what);
}

awaitable<void> pop(channel<int>& from, std::optional<int>& value) {
  value = co_await from.async_pop();
}

awaitable<void> pop_all(channel<int>& from, std::vector<int>& got) {
  while (true) {
    const auto one = co_await from.async_pop();
    if (!one) break;
    got.push_back(*one);
  }
}

awaitable<void> push_range(channel<int>& into, int from, int to) {
  for (int i = from; i < to; ++i) co_await into.async_push(i);
}

TEST(channel, values_leave_in_the_order_in_which_they_were_pushed) {
  for (const std::size_t capacity : {0u, 1u, 7u, 1000u}) {
    channel<int> it(capacity);
    std::vector<int> got;
    const auto pushes = [&]() -> awaitable<void> {
      co_await push_range(it, 0, 500);
      it.close();
    };
    run(gather(pushes(), pop_all(it, got)));
    std::vector<int> expected(500);
    std::iota(expected.begin(), expected.end(), 0);
    EXPECT_EQ(got, expected) << "capacity " << capacity;
  }
}

TEST(channel, has_any_number_of_pushers_and_poppers) {
  channel<int> it(3);
  std::vector<int> got;
  const auto pushes = [&]() -> awaitable<void> {
    std::vector<awaitable<void>> all;
    for (int i = 0; i < 10; ++i) all.push_back(push_range(it, 100 * i, 100 * (i + 1)));
    co_await gather(std::move(all));
    it.close();
  };
  const auto pops = [&]() -> awaitable<void> {
    std::vector<awaitable<void>> all;
    for (int i = 0; i < 7; ++i) all.push_back(pop_all(it, got));
    co_await gather(std::move(all));
  };
  run(gather(pushes(), pops()));
  std::sort(got.begin(), got.end());
  std::vector<int> expected(1000);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(got, expected);
}

TEST(channel, push_waits_while_it_is_full) {
  channel<int> it(2);
  manual_loop loop;
  EXPECT_TRUE(loop.start(push(it, 1))->ended());
  EXPECT_TRUE(loop.start(push(it, 2))->ended());
  const auto third = loop.start(push(it, 3));
  const auto fourth = loop.start(push(it, 4));
  EXPECT_FALSE(third->ended() || fourth->ended());
  EXPECT_FALSE(it.try_push(5));
  EXPECT_EQ(it.try_pop(), 1);
  loop.run_ready();
  EXPECT_TRUE(third->ended());
  EXPECT_FALSE(fourth->ended());
  for (const int expected : {2, 3, 4}) EXPECT_EQ(it.try_pop(), expected);
  EXPECT_EQ(it.try_pop(), std::nullopt);
}

TEST(channel, without_capacity_passes_from_hand_to_hand) {
  channel<int> it(0);
  manual_loop loop;
  EXPECT_FALSE(it.try_push(0));
  const auto pusher = loop.start(push(it, 1));
  EXPECT_FALSE(pusher->ended());
  EXPECT_EQ(it.try_pop(), 1);
  loop.run_ready();
  EXPECT_TRUE(pusher->ended());
  std::optional<int> value;
  loop.start(pop(it, value));
  EXPECT_TRUE(it.try_push(2));
  loop.run_ready();
  EXPECT_EQ(value, 2);
}

TEST(channel, who_waits_longest_is_served_first) {
  channel<int> it(1);
  manual_loop loop;
  std::optional<int> first, second, third;
  loop.start(pop(it, first));
  loop.start(pop(it, second));
  it.try_push(1);
  it.try_push(2);
  // Both are promised: nobody may overtake.
  EXPECT_EQ(it.size(), 0u);
  EXPECT_EQ(it.try_pop(), std::nullopt);
  loop.start(pop(it, third));
  EXPECT_EQ(first, 1);
  EXPECT_EQ(second, 2);
  EXPECT_EQ(third, std::nullopt);
}

TEST(channel, carries_what_can_only_be_moved) {
  channel<std::unique_ptr<int>> it(1);
  const auto body = [&]() -> awaitable<void> {
    co_await it.async_push(std::make_unique<int>(1));
    auto second = std::make_unique<int>(2);
    EXPECT_FALSE(it.try_push(std::move(second)));
    EXPECT_TRUE(second);
    auto first = co_await it.async_pop();
    EXPECT_EQ(**first, 1);
    EXPECT_TRUE(it.try_push(std::move(second)));
    EXPECT_EQ(**it.try_pop(), 2);
  };
  run(body());
}

TEST(channel, closed_gives_what_is_in_it_and_then_nothing) {
  channel<int> it(2);
  it.try_push(1);
  it.try_push(2);
  it.close();
  EXPECT_TRUE(it.is_closed());
  EXPECT_THROW(it.try_push(3), closed_error);
  EXPECT_THROW(run(it.async_push(3)), closed_error);
  EXPECT_EQ(run(it.async_pop()), 1);
  EXPECT_EQ(run(it.async_pop()), 2);
  EXPECT_EQ(run(it.async_pop()), std::nullopt);
}

TEST(channel, close_ends_all_waits) {
  channel<int> it(1);
  manual_loop loop;
  std::optional<int> value = 5;
  const auto popper = loop.start(pop(it, value));
  it.close();
  loop.run_ready();
  EXPECT_TRUE(popper->ended());
  EXPECT_EQ(value, std::nullopt);

  channel<int> full(1);
  full.try_push(1);
  const auto pusher = loop.start(push(full, 2));
  full.close();
  loop.run_ready();
  ASSERT_TRUE(pusher->failure());
  EXPECT_THROW(std::rethrow_exception(pusher->failure()), closed_error);
  EXPECT_EQ(full.try_pop(), 1);
  EXPECT_EQ(full.try_pop(), std::nullopt);
}

TEST(channel, a_cancelled_popper_takes_nothing) {
  channel<int> it(1);
  manual_loop loop;
  std::optional<int> first, second;
  const auto one = loop.start(pop(it, first));
  loop.start(pop(it, second));
  one->cancel();
  it.try_push(1);
  loop.run_ready();
  EXPECT_TRUE(one->aborted());
  EXPECT_EQ(second, 1);
}

TEST(channel, a_value_on_its_way_to_one_who_is_cancelled_goes_to_the_next) {
  channel<int> it(1);
  manual_loop loop;
  std::optional<int> first, second;
  const auto one = loop.start(pop(it, first));
  const auto two = loop.start(pop(it, second));
  it.try_push(1);
  one->cancel();
  loop.run_ready();
  EXPECT_TRUE(one->aborted());
  EXPECT_EQ(first, std::nullopt);
  EXPECT_TRUE(two->ended());
  EXPECT_EQ(second, 1);
}

TEST(channel, values_on_their_way_to_some_who_are_cancelled_stay_in_their_order) {
  for (const std::size_t capacity : {0u, 2u}) {
    channel<int> it(capacity);
    manual_loop loop;
    std::optional<int> first, second;
    const auto one = loop.start(pop(it, first));
    const auto two = loop.start(pop(it, second));
    it.try_push(1);
    it.try_push(2);
    two->cancel();
    one->cancel();
    loop.run_ready();
    EXPECT_TRUE(one->aborted() && two->aborted());
    EXPECT_EQ(it.size(), 2u);
    EXPECT_EQ(it.try_pop(), 1);
    EXPECT_EQ(it.try_pop(), 2);
  }
}

TEST(channel, a_cancelled_pusher_has_not_pushed) {
  channel<int> it(1);
  it.try_push(1);
  manual_loop loop;
  const auto two = loop.start(push(it, 2));
  const auto three = loop.start(push(it, 3));
  two->cancel();
  loop.run_ready();
  EXPECT_TRUE(two->aborted());
  EXPECT_EQ(it.try_pop(), 1);
  EXPECT_EQ(it.try_pop(), 3);
  EXPECT_EQ(it.try_pop(), std::nullopt);
  loop.run_ready();
  EXPECT_TRUE(three->ended() && !three->failure());
}

TEST(channel, a_pusher_whose_value_was_taken_has_pushed_also_if_it_is_cancelled_then) {
  channel<int> it(0);
  manual_loop loop;
  const auto one = loop.start(push(it, 1));
  EXPECT_EQ(it.try_pop(), 1);
  one->cancel();
  loop.run_ready();
  EXPECT_TRUE(one->ended());
  EXPECT_FALSE(one->failure());
}

// Whatever is cancelled when: what was sent and not received is still there, in its order.
TEST(channel, loses_and_doubles_nothing_under_random_cancellations) {
  unsigned random = 1;
  const auto next = [&](unsigned below) { return (random = random * 1103515245 + 12345) / 65536 % below; };
  for (int round = 0; round < 200; ++round) {
    channel<int> it(next(4));
    manual_loop loop;
    std::vector<std::shared_ptr<spawned>> pushers, poppers;
    std::vector<std::unique_ptr<std::optional<int>>> values;
    std::vector<int> got;
    for (int i = 0; i < 40; ++i) {
      switch (next(5)) {
        case 0:
        case 1:
          pushers.push_back(loop.start(push(it, static_cast<int>(pushers.size()))));
          break;
        case 2:
          values.push_back(std::make_unique<std::optional<int>>());
          poppers.push_back(loop.start(pop(it, *values.back())));
          break;
        case 3:
          if (!pushers.empty()) pushers[next(static_cast<unsigned>(pushers.size()))]->cancel();
          if (!poppers.empty()) poppers[next(static_cast<unsigned>(poppers.size()))]->cancel();
          break;
        default:
          if (const auto one = it.try_pop()) got.push_back(*one);
          it.try_push(1000 + i);
          if (!poppers.empty()) poppers.back()->cancel();
      }
    }
    loop.run_ready();
    while (const auto one = it.try_pop()) got.push_back(*one);
    loop.run_ready();
    for (const auto& one : values) {
      if (*one) got.push_back(**one);
    }
    std::sort(got.begin(), got.end());
    EXPECT_EQ(std::adjacent_find(got.begin(), got.end()), got.end()) << "round " << round;
    for (std::size_t i = 0; i < pushers.size(); ++i) {
      const bool arrived = std::binary_search(got.begin(), got.end(), static_cast<int>(i));
      EXPECT_EQ(arrived, pushers[i]->ended() && !pushers[i]->failure())
          << "round " << round << ", value " << i;
    }
  }
}

TEST(channel, a_timeout_loses_nothing) {
  channel<int> it(1);
  const auto body = [&]() -> awaitable<void> {
    bool late = false;
    try {
      [[maybe_unused]] auto value = co_await with_timeout(it.async_pop(), 1ms);
    } catch (const timed_out&) {
      late = true;
    }
    EXPECT_TRUE(late);
    co_await it.async_push(1);
    const auto value = co_await with_timeout(it.async_pop(), 1h);
    EXPECT_EQ(value, 1);
  };
  run(body());
}

TEST(channel, may_be_destroyed_while_some_wait) {
  auto it = std::make_unique<channel<int>>(0);
  auto full = std::make_unique<channel<int>>(0);
  manual_loop loop;
  std::optional<int> promised, value;
  const auto first = loop.start(pop(*it, promised));
  const auto second = loop.start(pop(*it, value));
  const auto pusher = loop.start(push(*full, 2));
  // Destroyed with a value on its way.
  it->try_push(1);
  it.reset();
  full.reset();
  loop.run_ready();
  EXPECT_TRUE(first->aborted());
  EXPECT_TRUE(second->aborted());
  EXPECT_TRUE(pusher->aborted());
}

TEST(channel, may_be_closed_and_destroyed_while_some_wait) {
  auto it = std::make_unique<channel<int>>(0);
  manual_loop loop;
  std::optional<int> value = 1;
  const auto popper = loop.start(pop(*it, value));
  it->close();
  it.reset();
  loop.run_ready();
  EXPECT_TRUE(popper->ended());
  EXPECT_EQ(value, std::nullopt);
}

TEST(channel, the_loop_may_end_first_and_the_channel_goes_on) {
  channel<int> it(1);
  std::optional<int> one, two;
  {
    manual_loop loop;
    loop.start(pop(it, one));
    loop.start(pop(it, two));
    it.try_push(1);
  }
  EXPECT_EQ(it.size(), 1u);
  EXPECT_EQ(run(it.async_pop()), 1);
  {
    manual_loop loop;
    for (int i = 2; i < 5; ++i) loop.start(push(it, i));
  }
  EXPECT_EQ(run(it.async_pop()), 2);
  EXPECT_EQ(it.try_pop(), std::nullopt);
}

}  // namespace
}  // namespace quarq::test
