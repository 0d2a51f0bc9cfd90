// gather, task groups, timeouts and maps inside each other, far deeper than the stack.
#include <chrono>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <quarq/coroutines.hpp>
#include <quarq/gather.hpp>
#include <quarq/shield.hpp>
#include <quarq/task_group.hpp>
#include <quarq/time.hpp>

#include "base/sanitizers.hpp"
#include "support/on_loop.hpp"

namespace quarq::test::nesting_tests {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

constexpr int deep = base::sanitized ? 10'000 : 30'000;

awaitable<int> gathered(int depth) {
  if (depth == 0) {
    co_await sleep_for(0s);
    co_return 0;
  }
  std::vector<awaitable<int>> one;
  one.push_back(gathered(depth - 1));
  const auto inner = co_await gather(std::move(one));
  co_return inner[0] + 1;
}

awaitable<int> grouped(int depth) {
  if (depth == 0) co_return 0;
  const auto body = [depth](task_group&) -> awaitable<int> { return grouped(depth - 1); };
  const int inner = co_await with_task_group(body);
  co_return inner + 1;
}

awaitable<int> limited(int depth) {
  if (depth == 0) co_return 0;
  const int inner = co_await with_timeout(limited(depth - 1), 1h);
  co_return inner + 1;
}

awaitable<int> shielded(int depth) {
  if (depth == 0) co_return 0;
  const int inner = co_await shield(shielded(depth - 1));
  co_return inner + 1;
}

awaitable<int> mapped(int depth) {
  if (depth == 0) co_return 0;
  const coroutines here;
  const std::vector<int> one{depth - 1};
  const auto inner = co_await here.map(mapped, one);
  co_return inner[0] + 1;
}

TEST(nesting, is_deeper_than_the_stack) {
  EXPECT_EQ(run_on_loop(gathered(deep)), deep);
  EXPECT_EQ(run_on_loop(grouped(deep)), deep);
  EXPECT_EQ(run_on_loop(limited(deep)), deep);
  EXPECT_EQ(run_on_loop(shielded(deep)), deep);
  EXPECT_EQ(run_on_loop(mapped(deep)), deep);
}

awaitable<void> wait_within_groups(int depth, bool& waits) {
  if (depth == 0) {
    waits = true;
    co_await sleep_for(1h);
    co_return;
  }
  const auto body = [depth, &waits](task_group&) { return wait_within_groups(depth - 1, waits); };
  co_await with_task_group(body);
}

TEST(nesting, a_cancellation_reaches_the_bottom) {
  asio::io_context loop(1);
  asio::cancellation_signal cancel;
  bool waits = false, ended = false;
  asio::co_spawn(loop, wait_within_groups(deep, waits),
                 asio::bind_cancellation_slot(cancel.slot(), [&](const std::exception_ptr& e) {
                   ended = true;
                   EXPECT_TRUE(e);
                 }));
  while (!waits && loop.run_one() > 0) {
  }
  cancel.emit(asio::cancellation_type::terminal);
  loop.run_for(test_timeout);
  EXPECT_TRUE(ended);
}

}  // namespace
}  // namespace quarq::test::nesting_tests
