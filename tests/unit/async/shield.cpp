#include <memory>
#include <stdexcept>

#include <gtest/gtest.h>

#include <quarq/event.hpp>
#include <quarq/gather.hpp>
#include <quarq/run.hpp>
#include <quarq/shield.hpp>
#include <quarq/time.hpp>

#include "support/manual_loop.hpp"

namespace quarq::test {
namespace {

awaitable<int> number_after(event& what, int number) {
  co_await what.wait();
  co_await sleep_for(std::chrono::milliseconds(1));
  co_return number;
}

TEST(shield, the_callers_cancellation_does_not_reach_into_it) {
  event ready, never;
  int number = 0;
  bool went_on = false;
  manual_loop loop;
  const auto body = [&]() -> awaitable<void> {
    number = co_await shield(number_after(ready, 5));
    // Here it is noticed.
    co_await never.wait();
    went_on = true;
  };
  const auto one = loop.start(body());
  one->cancel();
  loop.run_ready();
  EXPECT_FALSE(one->ended());
  ready.set();
  loop.finish();
  EXPECT_EQ(number, 5);
  EXPECT_TRUE(one->aborted());
  EXPECT_FALSE(went_on);
}

awaitable<void> fail() {
  throw std::runtime_error("x");
  co_return;
}

awaitable<std::unique_ptr<int>> move_only() {
  co_return std::make_unique<int>(7);
}

TEST(shield, passes_values_and_failures_on) {
  EXPECT_THROW(run(shield(fail())), std::runtime_error);
  EXPECT_EQ(*run(shield(move_only())), 7);
}

TEST(shield, protects_from_a_failure_in_gather) {
  event ready;
  int number = 0;
  const auto protected_part = [&]() -> awaitable<void> { number = co_await shield(number_after(ready, 3)); };
  const auto failing_part = [&]() -> awaitable<void> {
    ready.set();
    co_await fail();
  };
  EXPECT_THROW(run(gather(protected_part(), failing_part())), std::runtime_error);
  EXPECT_EQ(number, 3);
}

TEST(shield, the_loop_may_end_first) {
  event never;
  manual_loop loop;
  const auto one = loop.start([](event& e) -> awaitable<void> {
    [[maybe_unused]] auto number = co_await shield(number_after(e, 1));
  }(never));
  loop.end_loop();
  EXPECT_FALSE(one->ended());
}

}  // namespace
}  // namespace quarq::test
