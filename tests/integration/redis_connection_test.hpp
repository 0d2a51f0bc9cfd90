// The fixture of the tests of redis::connection: a server, a loop, a connection, and requests under way.
#pragma once

#include <chrono>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <gtest/gtest.h>

#include <quarq/awaitable.hpp>
#include <quarq/errors.hpp>

#include "redis/connection.hpp"
#include "redis/url.hpp"
#include "support/on_loop.hpp"
#include "support/redis_server.hpp"

namespace quarq::redis {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using test::redis_server;
using test::run_on_loop;
using test::until;
using strings = std::vector<std::string>;

/// How a request ended; empty while it has not.
struct ending {
  std::optional<reply> content;
  std::string failure;
  bool ended() const { return content || !failure.empty(); }
};

/// A completion handler for co_spawn.
inline auto record_in(ending& into) {
  return [&into](std::exception_ptr e, reply r) {
    if (!e) {
      into.content = std::move(r);
      return;
    }
    try {
      std::rethrow_exception(e);
    } catch (const boost::system::system_error& failed) {
      into.failure = failed.code() == asio::error::operation_aborted ? "aborted" : failed.what();
    } catch (const broker_error& failed) {
      into.failure = failed.what();
    }
  };
}

/// The text of the broker_error that awaiting threw.
template <class T>
awaitable<std::string> failure_of(awaitable<T> request) {
  std::string failure = "no failure";
  try {
    co_await std::move(request);
  } catch (const broker_error& e) {
    failure = e.what();
  }
  co_return failure;
}

/// Enough turns of the loop for all requests to be written to the socket.
inline awaitable<void> some_turns() {
  for (int i = 0; i < 10; ++i) co_await asio::post(asio::use_awaitable);
}

/// The words of a command. A braced list beside an await is refused by the linter.
template <class... Word>
strings args_of(Word... each) {
  return strings{each...};
}

class redis_connection : public testing::Test {
 protected:
  /// A server of the test's own, started at the first call.
  redis_server& server() {
    if (!server_) server_.emplace();
    return *server_;
  }
  std::string address() { return "redis://" + server().endpoint(); }

  /// Runs a coroutine that is given a connection, on a loop of their own.
  template <class Body>
  void use(const connection_options& options, Body body) {
    run_on_loop([&]() -> awaitable<void> {
      loop_ = co_await asio::this_coro::executor;
      connection c(loop_, options);
      co_await body(c);
    });
  }
  template <class Body>
  void use(const std::string& url, Body body) {
    use(parse_url(url), std::move(body));
  }
  template <class Body>
  void use(Body body) {
    use(server().url(), std::move(body));
  }
  /// Sends a request without waiting for its end. Inside of use() only.
  void start(awaitable<reply> request, ending& into) {
    asio::co_spawn(loop_, std::move(request), record_in(into));
  }
  void start(connection& c, strings args, ending& into) { start(c.command(std::move(args)), into); }

  /// How a PING ends.
  std::string ping_failure(const connection_options& options) {
    std::string failure;
    use(options, [&](connection& c) -> awaitable<void> {
      const auto ping = args_of("PING");
      failure = co_await failure_of(c.command(ping));
    });
    return failure;
  }
  std::string ping_failure(const std::string& url) { return ping_failure(parse_url(url)); }
  /// The same, of a request that would wait for a connection forever.
  std::string patient_ping_failure(const std::string& url) {
    auto options = parse_url(url);
    options.request_timeout.reset();
    return ping_failure(options);
  }

  /// Values of all kinds, both ways.
  void check_commands(const std::string& url) {
    use(url, [&](connection& c) -> awaitable<void> {
      strings set{"SET", "k", std::string("a\0\r\n", 4)}, get{"GET", "k"}, missing{"GET", "none"};
      const auto hset = args_of("HSET", "h", "field", "value");
      const auto all = args_of("HGETALL", "h");
      const auto wrong = args_of("INCR", "h");
      auto r = co_await c.command(set);
      EXPECT_EQ(r.text, "OK");
      r = co_await c.command(get);
      EXPECT_EQ(r.text, std::string("a\0\r\n", 4));
      r = co_await c.command(missing);
      EXPECT_TRUE(r.is_nil());
      r = co_await c.command(hset);
      EXPECT_EQ(r.integer, 1);
      r = co_await c.command(all);
      EXPECT_EQ(r.items.size(), 2u);
      const auto failure = co_await failure_of(c.command(wrong));
      EXPECT_EQ(failure, "WRONGTYPE Operation against a key holding the wrong kind of value");
      const auto keys = args_of("n");
      const auto by = args_of("5");
      r = co_await c.run(increment, keys, by);
      EXPECT_EQ(r.integer, 5);
    });
  }

  std::int64_t subscribers(const std::string& channel) {
    return server().command({"PUBSUB", "NUMSUB", channel}).items.at(1).integer;
  }

  const asio::any_io_executor& loop() const { return loop_; }

  const script increment{"return redis.call('INCRBY', KEYS[1], ARGV[1])"};

 private:
  std::optional<redis_server> server_;
  asio::any_io_executor loop_;
};

}  // namespace quarq::redis
