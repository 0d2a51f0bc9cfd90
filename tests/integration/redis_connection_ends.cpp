// The connection and its loop may end in either order, at any time.
#include <functional>
#include <memory>
#include <optional>

#include <boost/asio/io_context.hpp>

#include "integration/redis_connection_test.hpp"

namespace quarq::redis {
namespace {

TEST_F(redis_connection, destroying_it_ends_requests_in_flight) {
  const auto body = [&]() -> awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    auto c = std::make_unique<connection>(executor, parse_url(server().url()));
    const auto ping = args_of("PING");
    co_await c->command(ping);
    server().pause();
    ending sent, waiting;
    asio::co_spawn(executor, c->command(ping), record_in(sent));
    co_await some_turns();
    asio::co_spawn(executor, c->command(ping), record_in(waiting));
    c.reset();
    co_await until([&] { return sent.ended() && waiting.ended(); });
    EXPECT_EQ(sent.failure, address() + ": the connection was closed");
    EXPECT_EQ(waiting.failure, sent.failure);
  };
  run_on_loop(body);
}

TEST_F(redis_connection, destroying_it_inside_a_message_handler_is_allowed) {
  const auto body = [&]() -> awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    auto c = std::make_unique<connection>(executor, parse_url(server().url()));
    co_await c->subscribe("end", [&](std::string_view) { c.reset(); });
    server().command({"PUBLISH", "end", "1"});
    server().command({"PUBLISH", "end", "2"});
    co_await until([&] { return !c; });
    const std::function<bool()> unsubscribed = [&] { return subscribers("end") == 0; };
    co_await until(unsubscribed);
  };
  run_on_loop(body);
}

TEST_F(redis_connection, the_loop_may_be_destroyed_first_at_any_time) {
  for (const bool paused : {false, true}) {
    for (int turns = 0; turns < 60; ++turns) {
      std::optional<connection> c;
      std::vector<ending> endings(3);
      {
        asio::io_context events{1};
        c.emplace(events.get_executor(), parse_url(server().url()));
        asio::co_spawn(events, c->subscribe("x", [](std::string_view) {}), [](std::exception_ptr) {});
        for (auto& e : endings) asio::co_spawn(events, c->command({"PING"}), record_in(e));
        if (paused) server().pause();
        for (int i = 0; i < turns && events.run_one_for(10ms); ++i) {
        }
      }
      if (paused) server().resume();
    }
  }
}

TEST_F(redis_connection, it_may_be_destroyed_first_at_any_time) {
  for (int turns = 0; turns < 60; ++turns) {
    std::vector<ending> endings(3);
    asio::io_context events{1};
    std::optional<connection> c;
    c.emplace(events.get_executor(), parse_url(server().url()));
    asio::co_spawn(events, c->subscribe("x", [](std::string_view) {}), [](std::exception_ptr) {});
    for (auto& e : endings) asio::co_spawn(events, c->command({"PING"}), record_in(e));
    for (int i = 0; i < turns && events.run_one_for(10ms); ++i) {
    }
    c.reset();
    // Nothing is left that would keep the loop alive.
    events.run_for(test::default_timeout);
    EXPECT_TRUE(events.stopped()) << turns;
    for (const auto& e : endings) EXPECT_TRUE(e.ended()) << turns;
  }
}

// A coroutine that owns the connection it waits for: at the end of the loop the two must not keep each other.
awaitable<void> own_and_wait(std::string url, std::shared_ptr<int> alive) {
  const auto executor = co_await asio::this_coro::executor;
  connection c(executor, parse_url(url));
  const auto ping = args_of("PING");
  co_await c.command(ping);
  *alive = 2;
}

TEST_F(redis_connection, a_coroutine_may_own_what_it_waits_for_when_the_loop_ends) {
  server().pause();
  std::weak_ptr<int> watched;
  {
    asio::io_context events{1};
    auto alive = std::make_shared<int>(1);
    watched = alive;
    asio::co_spawn(events, own_and_wait(server().url(), std::move(alive)), [](std::exception_ptr) {});
    events.run_for(50ms);
    ASSERT_FALSE(watched.expired());
    EXPECT_EQ(*watched.lock(), 1);
  }
  EXPECT_TRUE(watched.expired());
}

}  // namespace
}  // namespace quarq::redis
