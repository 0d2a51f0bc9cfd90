#include "async/auto_reset_event.hpp"

#include <chrono>
#include <memory>

#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <gtest/gtest.h>

#include <quarq/gather.hpp>
#include <quarq/run.hpp>
#include <quarq/time.hpp>

namespace quarq::test {
namespace {

using namespace std::chrono_literals;
using async::auto_reset_event;

awaitable<std::unique_ptr<auto_reset_event>> make_event() {
  const auto loop = co_await boost::asio::this_coro::executor;
  co_return std::make_unique<auto_reset_event>(loop);
}

TEST(auto_reset_event, set_ends_the_present_wait) {
  const auto body = []() -> awaitable<void> {
    const auto event = co_await make_event();
    const auto sets = [&]() -> awaitable<void> {
      co_await sleep_for(0ms);
      event->set();
    };
    co_await gather(event->wait(), sets());
  };
  run(body());
}

TEST(auto_reset_event, set_ends_one_wait_only_and_is_remembered_for_it) {
  bool waited = false;
  const auto body = [&]() -> awaitable<void> {
    const auto event = co_await make_event();
    event->set();
    event->set();
    co_await event->wait();
    try {
      co_await with_timeout(event->wait(), 1ms);
    } catch (const timed_out&) {
      waited = true;
    }
  };
  run(body());
  EXPECT_TRUE(waited);
}

TEST(auto_reset_event, wait_for_returns_without_set_and_throws_when_cancelled) {
  const auto body = []() -> awaitable<void> {
    const auto event = co_await make_event();
    co_await event->wait_for(1ms);
    co_await with_timeout(event->wait_for(1h), 1ms);
  };
  EXPECT_THROW(run(body()), timed_out);
}

}  // namespace
}  // namespace quarq::test
