// What becomes of requests and subscriptions when the server goes away.
#include <functional>

#include <boost/asio/steady_timer.hpp>

#include "integration/redis_connection_test.hpp"

namespace quarq::redis {
namespace {

bool has_refused(const redis_server& server, const std::string& code) {
  return server.command({"INFO", "errorstats"}).text.find(code) != std::string::npos;
}

TEST_F(redis_connection, a_timeout_names_the_address_and_the_last_error) {
  server().kill();
  const auto failure = ping_failure(server().url() + "?timeout=0.25");
  EXPECT_EQ(failure, address() + ": no connection within 0.250 s: Connection refused");
  EXPECT_EQ(ping_failure("redis+unix:///no/such/redis.sock?timeout=0.25"),
            "redis+unix:///no/such/redis.sock: no connection within 0.250 s: No such file or directory");
}

TEST_F(redis_connection, requests_wait_for_a_server_that_comes_later) {
  server().kill();
  use([&](connection& c) -> awaitable<void> {
    std::vector<ending> endings(10);
    for (auto& e : endings) start(c, {"INCR", "n"}, e);
    co_await some_turns();
    server().restart();
    co_await until([&] { return endings.back().ended(); });
    for (const auto& e : endings) EXPECT_EQ(e.failure, "");
    EXPECT_EQ(endings.back().content.value().integer, 10);
  });
}

TEST_F(redis_connection, requests_in_flight_survive_a_crash_of_the_server) {
  redis_server server({.appendonly = true});
  use(server.url(), [&](connection& c) -> awaitable<void> {
    int reconnects = 0;
    c.on_reconnect([&] { ++reconnects; });
    const auto set = args_of("SET", "n", "100");
    const auto keys = args_of("n");
    const auto by = args_of("1");
    co_await c.command(set);
    EXPECT_EQ(reconnects, 0);
    for (int round = 1; round <= 3; ++round) {
      // It takes what is sent, and dies before it answers.
      server.pause();
      std::vector<ending> endings(50);
      for (auto& e : endings) start(c.run(increment, keys, by), e);
      co_await some_turns();
      server.kill();
      server.restart();
      co_await until([&] { return endings.back().ended(); });
      for (const auto& e : endings) EXPECT_EQ(e.failure, "");
      EXPECT_EQ(endings.back().content.value().integer, 100 + round * 50);
      EXPECT_EQ(reconnects, round);
    }
  });
}

TEST_F(redis_connection, a_paused_server_is_noticed_as_dead) {
  use(server().url() + "?timeout=10.2", [&](connection& c) -> awaitable<void> {
    const auto ping = args_of("PING");
    co_await c.command(ping);
    server().pause();
    const auto failure = co_await failure_of(c.command(ping));
    EXPECT_NE(failure.find("no connection within 10.200 s: no answer for 10 s"), std::string::npos)
        << failure;
    server().resume();
    const auto r = co_await c.command(ping);
    EXPECT_EQ(r.text, "PONG");
  });
}

TEST_F(redis_connection, a_subscriber_without_requests_notices_a_dead_server) {
  use([&](connection& c) -> awaitable<void> {
    int messages = 0, reconnects = 0;
    c.on_reconnect([&] { ++reconnects; });
    co_await c.subscribe("news", [&](std::string_view) { ++messages; });
    // The server forgets the connection without a word, as when a machine between us is replaced.
    server().pause();
    asio::steady_timer dead(loop(), 10'500ms);
    co_await dead.async_wait(asio::use_awaitable);
    server().resume();
    co_await until([&] { return reconnects == 1; });
    server().command({"PUBLISH", "news", "x"});
    co_await until([&] { return messages == 1; });
  });
}

TEST_F(redis_connection, a_read_only_server_is_waited_for) {
  redis_server master;
  use([&](connection& c) -> awaitable<void> {
    const auto ping = args_of("PING");
    const auto keys = args_of("n");
    const auto by = args_of("1");
    co_await c.command(ping);
    master.kill();
    server().command({"REPLICAOF", "127.0.0.1", std::to_string(master.port())});
    ending plain, script;
    start(c, {"INCR", "m"}, plain);
    start(c.run(increment, keys, by), script);
    const std::function<bool()> refused = [&] { return has_refused(server(), "READONLY"); };
    co_await until(refused);
    EXPECT_FALSE(plain.ended());
    server().command({"REPLICAOF", "NO", "ONE"});
    co_await until([&] { return plain.ended() && script.ended(); });
    EXPECT_EQ(plain.failure + script.failure, "");
  });
}

TEST_F(redis_connection, writes_wait_for_a_master_with_enough_replicas) {
  redis_server server({.extra = {"--min-replicas-to-write", "1"}});
  use(server.url(), [&](connection& c) -> awaitable<void> {
    const auto keys = args_of("n");
    const auto by = args_of("1");
    const auto increment_m = args_of("INCR", "m");
    const auto allow_alone = args_of("CONFIG", "SET", "min-replicas-to-write", "0");
    ending plain, script;
    start(c, increment_m, plain);
    start(c.run(increment, keys, by), script);
    const std::function<bool()> refused = [&] { return has_refused(server, "NOREPLICAS"); };
    co_await until(refused);
    EXPECT_FALSE(plain.ended());
    server.command(allow_alone);
    co_await until([&] { return plain.ended() && script.ended(); });
    EXPECT_EQ(plain.failure + script.failure, "");
  });
}

TEST_F(redis_connection, a_timeout_repeats_what_a_read_only_server_said) {
  server().command({"REPLICAOF", "127.0.0.1", "1"});
  use(server().url() + "?timeout=0.5", [&](connection& c) -> awaitable<void> {
    const auto set = args_of("SET", "k", "v");
    const auto failure = co_await failure_of(c.command(set));
    EXPECT_NE(failure.find("within 0.500 s: READONLY You can't write"), std::string::npos) << failure;
  });
}

TEST_F(redis_connection, subscriptions_come_back_after_a_crash_of_the_server) {
  use([&](connection& c) -> awaitable<void> {
    strings got;
    int reconnects = 0;
    c.on_reconnect([&] { ++reconnects; });
    co_await c.subscribe("kept", [&](std::string_view m) { got.emplace_back(m); });
    co_await c.subscribe("left", [&](std::string_view m) { got.emplace_back(m); });
    server().kill();
    c.unsubscribe("left");
    server().restart();
    co_await until([&] { return reconnects == 1; });
    server().command({"PUBLISH", "left", "no"});
    server().command({"PUBLISH", "kept", "yes"});
    co_await until([&] { return !got.empty(); });
    EXPECT_EQ(got, (strings{"yes"}));
    EXPECT_EQ(subscribers("left"), 0);
  });
}

TEST_F(redis_connection, subscribing_without_a_server_times_out) {
  server().kill();
  use(server().url() + "?timeout=0.1", [&](connection& c) -> awaitable<void> {
    const auto failure = co_await failure_of(c.subscribe("news", [](std::string_view) {}));
    EXPECT_NE(failure.find("no connection within 0.100 s"), std::string::npos) << failure;
    server().restart();
    // It may time out more than once before it has found the server again.
    bool answered = false;
    while (!answered) {
      const auto channels = args_of("PUBSUB", "CHANNELS");
      try {
        const auto r = co_await c.command(channels);
        answered = true;
        EXPECT_TRUE(r.items.empty());
      } catch (const broker_error&) {
      }
    }
  });
}

}  // namespace
}  // namespace quarq::redis
