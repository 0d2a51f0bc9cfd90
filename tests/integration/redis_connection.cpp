#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <gtest/gtest.h>

#include <quarq/errors.hpp>

#include "redis/connection.hpp"
#include "redis/url.hpp"
#include "support/on_loop.hpp"
#include "support/redis_server.hpp"

namespace quarq::redis {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using test::redis_server;
using test::run_on_loop;
using words = std::vector<std::string>;

const script add_script("return redis.call('INCRBY', KEYS[1], ARGV[1])");

// How a request ended; nothing while it has not.
struct ending {
  std::optional<reply> content;
  std::string failure;
  bool ended() const { return content || !failure.empty(); }
};

std::string text_of(std::exception_ptr e) {
  try {
    std::rethrow_exception(e);
  } catch (const boost::system::system_error& aborted) {
    return aborted.code() == asio::error::operation_aborted ? "aborted" : aborted.what();
  } catch (const broker_error& failed) {
    return failed.what();
  }
}

auto note_in(ending& into) {
  return [&into](std::exception_ptr e, reply r) {
    if (e) {
      into.failure = text_of(e);
    } else {
      into.content = std::move(r);
    }
  };
}

void start(const asio::any_io_executor& loop, connection& c, words w, ending& into) {
  asio::co_spawn(loop, c.command(std::move(w)), note_in(into));
}

awaitable<void> until(std::function<bool()> condition) {
  asio::steady_timer pause(co_await asio::this_coro::executor);
  while (!condition()) {
    pause.expires_after(1ms);
    co_await pause.async_wait(asio::use_awaitable);
  }
}

// Enough turns of the loop for all that was asked for to be written to the socket.
awaitable<void> some_turns() {
  for (int i = 0; i < 10; ++i) co_await asio::post(asio::use_awaitable);
}

awaitable<std::string> failure_of(awaitable<reply> request) {
  std::string failure = "no failure";
  try {
    co_await std::move(request);
  } catch (const broker_error& e) {
    failure = e.what();
  }
  co_return failure;
}

std::int64_t server_counter(const redis_server& server, const std::string& name) {
  const auto info = server.command({"INFO", "stats"}).text;
  return std::stoll(info.substr(info.find(name + ":") + name.size() + 1));
}

std::int64_t subscribers(const redis_server& server, const std::string& channel) {
  return server.command({"PUBSUB", "NUMSUB", channel}).items.at(1).integer;
}

bool has_refused_writes(const redis_server& server) {
  return server.command({"INFO", "errorstats"}).text.find("READONLY") != std::string::npos;
}

awaitable<void> commands_get_their_replies(std::string url) {
  auto loop = co_await asio::this_coro::executor;
  connection c(loop, parse_url(url), {&add_script});
  words set{"SET", "k", std::string("a\0\r\n", 4)}, get{"GET", "k"}, missing{"GET", "none"},
      all{"HGETALL", "h"};
  words hset{"HSET", "h", "field", "value"}, wrong{"INCR", "h"};
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
  words keys{"n"}, by{"5"};
  r = co_await c.run(add_script, keys, by);
  EXPECT_EQ(r.integer, 5);
}

TEST(redis_connection, commands_and_scripts_get_their_replies) {
  redis_server server;
  run_on_loop(commands_get_their_replies(server.url()));
}

TEST(redis_connection, works_over_a_unix_socket) {
  redis_server server;
  run_on_loop(commands_get_their_replies(server.unix_url()));
}

TEST(redis_connection, tls_checks_the_certificate) {
  redis_server server({.tls = true});
  run_on_loop(commands_get_their_replies(server.url() + "?tls_ca=" + server.ca_file()));
}

TEST(redis_connection, tls_without_verification_takes_any_certificate) {
  redis_server server({.tls = true});
  run_on_loop(commands_get_their_replies(server.url() + "?tls_verify=no"));
}

awaitable<std::string> ping_failure(connection_options options) {
  auto loop = co_await asio::this_coro::executor;
  connection c(loop, options, {});
  words ping{"PING"};
  const auto failure = co_await failure_of(c.command(ping));
  co_return failure;
}

TEST(redis_connection, tls_refuses_an_unknown_certificate_at_once) {
  redis_server server({.tls = true});
  auto options = parse_url(server.url());
  options.request_timeout.reset();
  const auto failure = run_on_loop(ping_failure(options));
  EXPECT_EQ(failure, "rediss://127.0.0.1:" + std::to_string(server.port()) +
                         ": TLS: the server's certificate is not trusted: self-signed certificate");
}

TEST(redis_connection, tls_refuses_a_certificate_for_another_host) {
  redis_server server({.tls = true});
  auto options = parse_url(server.url() + "?tls_ca=" + server.ca_file());
  options.request_timeout.reset();
  options.host = "127.1";  // the resolver takes it for 127.0.0.1, the certificate does not
  const auto failure = run_on_loop(ping_failure(options));
  EXPECT_NE(failure.find("not trusted: hostname mismatch"), std::string::npos) << failure;
}

TEST(redis_connection, a_missing_certificate_file_is_named) {
  auto options = parse_url("rediss://127.0.0.1:1?tls_ca=/no/such/file.pem");
  redis_server server({.tls = true});
  options.port = std::to_string(server.port());
  options.request_timeout.reset();
  const auto failure = run_on_loop(ping_failure(options));
  EXPECT_NE(failure.find("can't read certificates from /no/such/file.pem"), std::string::npos) << failure;
}

TEST(redis_connection, plain_text_to_a_tls_port_and_tls_to_a_plain_port_end_with_the_patience) {
  redis_server server({.tls = true});
  auto plain = parse_url("redis://127.0.0.1:" + std::to_string(server.port()) + "?timeout=0.3");
  const auto to_tls = run_on_loop(ping_failure(plain));
  EXPECT_NE(to_tls.find("no connection within 0.300 s"), std::string::npos) << to_tls;
  auto tls = parse_url("rediss://127.0.0.1:" + std::to_string(server.plain_port()) + "?timeout=0.3");
  const auto to_plain = run_on_loop(ping_failure(tls));
  EXPECT_NE(to_plain.find("still waiting for the TLS handshake"), std::string::npos) << to_plain;
}

TEST(redis_connection, requests_of_one_turn_leave_in_one_write) {
  redis_server server;
  const auto body = [&]() -> awaitable<void> {
    auto loop = co_await asio::this_coro::executor;
    connection c(loop, parse_url(server.url()), {});
    words ping{"PING"};
    co_await c.command(ping);
    const auto before = server_counter(server, "total_reads_processed");
    std::vector<ending> endings(200);
    for (auto& e : endings) start(loop, c, {"INCR", "n"}, e);
    co_await until([&] { return endings.back().ended(); });
    const auto reads = server_counter(server, "total_reads_processed") - before;
    // One for all requests, and up to two for asking twice.
    EXPECT_LE(reads, 3);
    for (std::size_t i = 0; i < endings.size(); ++i) {
      EXPECT_EQ(endings[i].content.value().integer, static_cast<std::int64_t>(i + 1));
    }
  };
  run_on_loop(body);
}

TEST(redis_connection, carries_big_values_and_long_arrays) {
  redis_server server;
  const auto body = [&]() -> awaitable<void> {
    auto loop = co_await asio::this_coro::executor;
    connection c(loop, parse_url(server.url()), {});
    std::string value(16 << 20, 'v');
    for (std::size_t i = 0; i < value.size(); i += 4096) value[i] = static_cast<char>(i / 4096);
    words set{"SET", "big", value}, get{"GET", "big"}, push{"RPUSH", "list"},
        range{"LRANGE", "list", "0", "-1"};
    for (int i = 0; i < 50'000; ++i) push.push_back(std::to_string(i));
    co_await c.command(set);
    auto r = co_await c.command(get);
    EXPECT_TRUE(r.text == value);
    co_await c.command(push);
    r = co_await c.command(range);
    EXPECT_EQ(r.items.size(), 50'000u);
    EXPECT_EQ(r.items.back().text, "49999");
  };
  run_on_loop(body);
}

TEST(redis_connection, selects_its_database) {
  redis_server server;
  const auto body = [&]() -> awaitable<void> {
    auto loop = co_await asio::this_coro::executor;
    connection c(loop, parse_url(server.url(3)), {});
    words set{"SET", "k", "v"};
    co_await c.command(set);
  };
  run_on_loop(body);
  EXPECT_NE(server.command({"INFO", "keyspace"}).text.find("db3:keys=1"), std::string::npos);
  auto options = parse_url(server.url(9999));
  options.request_timeout.reset();
  const auto failure = run_on_loop(ping_failure(options));
  EXPECT_NE(failure.find("SELECT was refused: ERR DB index is out of range"), std::string::npos) << failure;
}

TEST(redis_connection, signs_in_with_password_or_user) {
  redis_server server({.password = "s3cret/@"});
  auto options = parse_url("redis://:s3cret%2F%40@127.0.0.1:" + std::to_string(server.port()));
  EXPECT_EQ(run_on_loop(ping_failure(options)), "no failure");
  server.command({"ACL", "SETUSER", "worker", "on", ">other", "~*", "+@all"});
  options = parse_url("redis://worker:other@127.0.0.1:" + std::to_string(server.port()));
  EXPECT_EQ(run_on_loop(ping_failure(options)), "no failure");
}

TEST(redis_connection, a_wrong_password_is_refused_at_once_and_not_shown) {
  redis_server server({.password = "right"});
  auto options = parse_url("redis://:wr0ng@127.0.0.1:" + std::to_string(server.port()));
  options.request_timeout.reset();
  const auto address = "redis://127.0.0.1:" + std::to_string(server.port());
  auto failure = run_on_loop(ping_failure(options));
  EXPECT_EQ(failure,
            address + ": HELLO was refused: WRONGPASS invalid username-password pair or user is disabled.");
  options.password.clear();
  failure = run_on_loop(ping_failure(options));
  EXPECT_NE(failure.find(address + ": HELLO was refused: NOAUTH"), std::string::npos) << failure;
}

TEST(redis_connection, after_a_refusal_the_next_request_tries_again) {
  redis_server server({.password = "right"});
  const auto body = [&]() -> awaitable<void> {
    auto options = parse_url("redis://:new@127.0.0.1:" + std::to_string(server.port()));
    auto loop = co_await asio::this_coro::executor;
    connection c(loop, options, {});
    words ping{"PING"};
    const auto failure = co_await failure_of(c.command(ping));
    EXPECT_NE(failure.find("WRONGPASS"), std::string::npos) << failure;
    server.command({"CONFIG", "SET", "requirepass", "new"});
    const auto r = co_await c.command(ping);
    EXPECT_EQ(r.text, "PONG");
  };
  run_on_loop(body);
}

TEST(redis_connection, patience_runs_out_with_the_address_and_the_last_error) {
  redis_server server;
  server.kill();
  const auto failure = run_on_loop(ping_failure(parse_url(server.url() + "?timeout=0.25")));
  EXPECT_EQ(failure, "redis://127.0.0.1:" + std::to_string(server.port()) +
                         ": no connection within 0.250 s: Connection refused");
  auto options = parse_url("redis+unix:///no/such/redis.sock?timeout=0.25");
  EXPECT_EQ(run_on_loop(ping_failure(options)),
            "redis+unix:///no/such/redis.sock: no connection within 0.250 s: No such file or directory");
}

TEST(redis_connection, requests_wait_for_a_server_that_comes_later) {
  redis_server server;
  server.kill();
  const auto body = [&]() -> awaitable<void> {
    auto loop = co_await asio::this_coro::executor;
    connection c(loop, parse_url(server.url()), {&add_script});
    std::vector<ending> endings(10);
    for (auto& e : endings) start(loop, c, {"INCR", "n"}, e);
    co_await some_turns();
    server.restart();
    co_await until([&] { return endings.back().ended(); });
    for (const auto& e : endings) EXPECT_EQ(e.failure, "");
    EXPECT_EQ(endings.back().content.value().integer, 10);
  };
  run_on_loop(body);
}

TEST(redis_connection, requests_in_flight_survive_a_crash_of_the_server) {
  redis_server server({.appendonly = true});
  const auto body = [&]() -> awaitable<void> {
    auto loop = co_await asio::this_coro::executor;
    connection c(loop, parse_url(server.url()), {&add_script});
    int reconnects = 0;
    c.on_reconnect([&] { ++reconnects; });
    words set{"SET", "n", "100"}, keys{"n"}, by{"1"};
    co_await c.command(set);
    EXPECT_EQ(reconnects, 0);
    for (int round = 1; round <= 3; ++round) {
      // It takes what is sent, and dies before it answers.
      server.pause();
      std::vector<ending> endings(50);
      for (auto& e : endings) asio::co_spawn(loop, c.run(add_script, keys, by), note_in(e));
      co_await some_turns();
      server.kill();
      server.restart();
      co_await until([&] { return endings.back().ended(); });
      for (const auto& e : endings) EXPECT_EQ(e.failure, "");
      EXPECT_EQ(endings.back().content.value().integer, 100 + round * 50);
      EXPECT_EQ(reconnects, round);
    }
  };
  run_on_loop(body);
}

TEST(redis_connection, a_paused_server_is_noticed_as_dead) {
  redis_server server;
  const auto body = [&]() -> awaitable<void> {
    auto loop = co_await asio::this_coro::executor;
    connection c(loop, parse_url(server.url() + "?timeout=4.2"), {});
    words ping{"PING"};
    co_await c.command(ping);
    server.pause();
    const auto failure = co_await failure_of(c.command(ping));
    EXPECT_NE(failure.find("no connection within 4.200 s: no answer for 4 s"), std::string::npos) << failure;
    server.resume();
    const auto r = co_await c.command(ping);
    EXPECT_EQ(r.text, "PONG");
  };
  run_on_loop(body);
}

TEST(redis_connection, a_subscriber_without_requests_notices_too) {
  redis_server server;
  const auto body = [&]() -> awaitable<void> {
    auto loop = co_await asio::this_coro::executor;
    connection c(loop, parse_url(server.url()), {});
    int messages = 0, reconnects = 0;
    c.on_reconnect([&] { ++reconnects; });
    co_await c.subscribe("news", [&](std::string_view) { ++messages; });
    // The server forgets the connection without a word, as when a machine between us is replaced.
    server.pause();
    asio::steady_timer dead(loop, 4500ms);
    co_await dead.async_wait(asio::use_awaitable);
    server.resume();
    co_await until([&] { return reconnects == 1; });
    server.command({"PUBLISH", "news", "x"});
    co_await until([&] { return messages == 1; });
  };
  run_on_loop(body);
}

TEST(redis_connection, forgotten_scripts_are_loaded_again) {
  redis_server server;
  const auto body = [&]() -> awaitable<void> {
    auto loop = co_await asio::this_coro::executor;
    // Not among those that are loaded after each connect.
    connection c(loop, parse_url(server.url()), {});
    words keys{"n"}, by{"1"};
    auto r = co_await c.run(add_script, keys, by);
    EXPECT_EQ(r.integer, 1);
    server.command({"SCRIPT", "FLUSH"});
    std::vector<ending> endings(20);
    for (auto& e : endings) asio::co_spawn(loop, c.run(add_script, keys, by), note_in(e));
    co_await until([&] {
      for (const auto& e : endings) {
        if (!e.ended()) return false;
      }
      return true;
    });
    for (const auto& e : endings) EXPECT_EQ(e.failure, "");
    EXPECT_EQ(server.command({"GET", "n"}).text, "21");
  };
  run_on_loop(body);
}

TEST(redis_connection, a_script_that_does_not_compile_is_refused_with_the_servers_words) {
  redis_server server;
  const script broken("return (");
  const auto body = [&]() -> awaitable<void> {
    auto loop = co_await asio::this_coro::executor;
    std::vector<const script*> scripts{&broken};
    connection c(loop, parse_url(server.url()), scripts);
    words ping{"PING"};
    const auto failure = co_await failure_of(c.command(ping));
    EXPECT_NE(failure.find("SCRIPT LOAD was refused: ERR Error compiling script"), std::string::npos)
        << failure;
  };
  run_on_loop(body);
}

TEST(redis_connection, a_read_only_server_is_waited_for) {
  redis_server server, master;
  const auto body = [&]() -> awaitable<void> {
    auto loop = co_await asio::this_coro::executor;
    connection c(loop, parse_url(server.url()), {&add_script});
    words ping{"PING"}, keys{"n"}, by{"1"};
    co_await c.command(ping);
    master.kill();
    server.command({"REPLICAOF", "127.0.0.1", std::to_string(master.port())});
    ending plain, script;
    start(loop, c, {"INCR", "m"}, plain);
    asio::co_spawn(loop, c.run(add_script, keys, by), note_in(script));
    const std::function<bool()> refused = [&] { return has_refused_writes(server); };
    co_await until(refused);
    EXPECT_FALSE(plain.ended());
    server.command({"REPLICAOF", "NO", "ONE"});
    co_await until([&] { return plain.ended() && script.ended(); });
    EXPECT_EQ(plain.failure + script.failure, "");
  };
  run_on_loop(body);
}

TEST(redis_connection, writes_wait_for_a_master_with_enough_replicas) {
  redis_server server({.extra = {"--min-replicas-to-write", "1"}});
  const auto body = [&]() -> awaitable<void> {
    auto loop = co_await asio::this_coro::executor;
    connection c(loop, parse_url(server.url()), {&add_script});
    words keys{"n"}, by{"1"};
    ending plain, script;
    start(loop, c, {"INCR", "m"}, plain);
    asio::co_spawn(loop, c.run(add_script, keys, by), note_in(script));
    const std::function<bool()> refused = [&] {
      return server.command({"INFO", "errorstats"}).text.find("NOREPLICAS") != std::string::npos;
    };
    co_await until(refused);
    EXPECT_FALSE(plain.ended());
    server.command({"CONFIG", "SET", "min-replicas-to-write", "0"});
    co_await until([&] { return plain.ended() && script.ended(); });
    EXPECT_EQ(plain.failure + script.failure, "");
  };
  run_on_loop(body);
}

TEST(redis_connection, a_read_only_server_ends_the_patience_with_its_words) {
  redis_server server;
  server.command({"REPLICAOF", "127.0.0.1", "1"});
  const auto body = [&]() -> awaitable<void> {
    auto loop = co_await asio::this_coro::executor;
    connection c(loop, parse_url(server.url() + "?timeout=0.5"), {});
    words set{"SET", "k", "v"};
    const auto failure = co_await failure_of(c.command(set));
    EXPECT_NE(failure.find("within 0.500 s: READONLY You can't write"), std::string::npos) << failure;
  };
  run_on_loop(body);
}

TEST(redis_connection, a_cancelled_await_ends_at_once_and_shifts_no_other_reply) {
  redis_server server;
  const auto body = [&]() -> awaitable<void> {
    auto loop = co_await asio::this_coro::executor;
    connection c(loop, parse_url(server.url()), {});
    words ping{"PING"};
    co_await c.command(ping);
    server.pause();
    asio::cancellation_signal cancel;
    ending cancelled, other;
    asio::co_spawn(loop, c.command({"ECHO", "cancelled"}),
                   asio::bind_cancellation_slot(cancel.slot(), note_in(cancelled)));
    start(loop, c, {"ECHO", "other"}, other);
    co_await some_turns();
    EXPECT_FALSE(cancelled.ended());
    cancel.emit(asio::cancellation_type::terminal);
    co_await until([&] { return cancelled.ended(); });
    EXPECT_EQ(cancelled.failure, "aborted");
    EXPECT_FALSE(other.ended());
    server.resume();
    co_await until([&] { return other.ended(); });
    EXPECT_EQ(other.content.value().text, "other");
  };
  run_on_loop(body);
}

TEST(redis_connection, a_request_cancelled_before_it_was_sent_is_never_sent) {
  redis_server server;
  server.kill();
  const auto body = [&]() -> awaitable<void> {
    auto loop = co_await asio::this_coro::executor;
    connection c(loop, parse_url(server.url()), {});
    asio::cancellation_signal cancel;
    ending cancelled, other;
    asio::co_spawn(loop, c.command({"SET", "k", "cancelled"}),
                   asio::bind_cancellation_slot(cancel.slot(), note_in(cancelled)));
    co_await some_turns();
    cancel.emit(asio::cancellation_type::terminal);
    co_await until([&] { return cancelled.ended(); });
    EXPECT_EQ(cancelled.failure, "aborted");
    server.restart();
    words get{"GET", "k"};
    const auto r = co_await c.command(get);
    EXPECT_TRUE(r.is_nil());
  };
  run_on_loop(body);
}

TEST(redis_connection, messages_come_to_their_subscribers) {
  redis_server server;
  const auto body = [&]() -> awaitable<void> {
    auto loop = co_await asio::this_coro::executor;
    connection c(loop, parse_url(server.url()), {});
    std::vector<std::string> one, two;
    co_await c.subscribe("one", [&](std::string_view m) { one.emplace_back(m); });
    co_await c.subscribe("two", [&](std::string_view m) { two.emplace_back(m); });
    EXPECT_EQ(server.command({"PUBLISH", "one", "1"}).integer, 1);
    EXPECT_EQ(server.command({"PUBLISH", "two", std::string("\0\r\n", 3)}).integer, 1);
    words publish{"PUBLISH", "one", "from ourselves"};
    const auto r = co_await c.command(publish);
    EXPECT_EQ(r.integer, 1);
    co_await until([&] { return one.size() == 2 && two.size() == 1; });
    EXPECT_EQ(one, (std::vector<std::string>{"1", "from ourselves"}));
    EXPECT_EQ(two, (std::vector<std::string>{std::string("\0\r\n", 3)}));
    c.unsubscribe("one");
    const std::function<bool()> unsubscribed = [&] { return subscribers(server, "one") == 0; };
    co_await until(unsubscribed);
    server.command({"PUBLISH", "two", "last"});
    co_await until([&] { return two.size() == 2; });
    EXPECT_EQ(one.size(), 2u);
  };
  run_on_loop(body);
}

TEST(redis_connection, subscriptions_come_back_after_a_crash_of_the_server) {
  redis_server server;
  const auto body = [&]() -> awaitable<void> {
    auto loop = co_await asio::this_coro::executor;
    connection c(loop, parse_url(server.url()), {});
    std::vector<std::string> got;
    int reconnects = 0;
    c.on_reconnect([&] { ++reconnects; });
    co_await c.subscribe("kept", [&](std::string_view m) { got.emplace_back(m); });
    co_await c.subscribe("left", [&](std::string_view m) { got.emplace_back(m); });
    server.kill();
    c.unsubscribe("left");
    server.restart();
    co_await until([&] { return reconnects == 1; });
    server.command({"PUBLISH", "left", "no"});
    server.command({"PUBLISH", "kept", "yes"});
    co_await until([&] { return !got.empty(); });
    EXPECT_EQ(got, (std::vector<std::string>{"yes"}));
    EXPECT_EQ(subscribers(server, "left"), 0);
  };
  run_on_loop(body);
}

TEST(redis_connection, subscribing_without_a_server_fails_when_patience_ends) {
  redis_server server;
  server.kill();
  const auto body = [&]() -> awaitable<void> {
    auto loop = co_await asio::this_coro::executor;
    connection c(loop, parse_url(server.url() + "?timeout=0.1"), {});
    std::string failure;
    try {
      co_await c.subscribe("news", [](std::string_view) {});
    } catch (const broker_error& e) {
      failure = e.what();
    }
    EXPECT_NE(failure.find("no connection within 0.100 s"), std::string::npos) << failure;
    server.restart();
    // Its short patience may end more than once before it has found the server again.
    bool answered = false;
    while (!answered) {
      words channels{"PUBSUB", "CHANNELS"};
      try {
        const auto r = co_await c.command(channels);
        answered = true;
        EXPECT_TRUE(r.items.empty());
      } catch (const broker_error&) {
      }
    }
  };
  run_on_loop(body);
}

TEST(redis_connection, an_error_to_a_subscription_is_its_own) {
  redis_server server;
  server.command({"ACL", "SETUSER", "deaf", "on", ">p", "~*", "+@all", "resetchannels", "&allowed"});
  const auto body = [&]() -> awaitable<void> {
    auto loop = co_await asio::this_coro::executor;
    const auto url = "redis://deaf:p@127.0.0.1:" + std::to_string(server.port());
    connection c(loop, parse_url(url), {});
    words echo{"ECHO", "hi"};
    co_await c.command(echo);
    std::string failure;
    try {
      co_await c.subscribe("forbidden", [](std::string_view) {});
    } catch (const broker_error& e) {
      failure = e.what();
    }
    EXPECT_TRUE(failure.starts_with("NOPERM")) << failure;
    co_await c.subscribe("allowed", [](std::string_view) {});
    const auto r = co_await c.command(echo);
    EXPECT_EQ(r.text, "hi");
  };
  run_on_loop(body);
}

TEST(redis_connection, destroying_it_ends_requests_in_flight) {
  redis_server server;
  const auto body = [&]() -> awaitable<void> {
    auto loop = co_await asio::this_coro::executor;
    auto c = std::make_unique<connection>(loop, parse_url(server.url()), std::vector<const script*>{});
    words ping{"PING"};
    co_await c->command(ping);
    server.pause();
    ending sent, waiting;
    start(loop, *c, {"PING"}, sent);
    co_await some_turns();
    start(loop, *c, {"PING"}, waiting);
    c.reset();
    co_await until([&] { return sent.ended() && waiting.ended(); });
    EXPECT_EQ(sent.failure,
              "redis://127.0.0.1:" + std::to_string(server.port()) + ": the connection was closed");
    EXPECT_EQ(waiting.failure, sent.failure);
  };
  run_on_loop(body);
}

TEST(redis_connection, destroying_it_inside_a_message_handler_is_allowed) {
  redis_server server;
  const auto body = [&]() -> awaitable<void> {
    auto loop = co_await asio::this_coro::executor;
    auto c = std::make_unique<connection>(loop, parse_url(server.url()), std::vector<const script*>{});
    co_await c->subscribe("end", [&](std::string_view) { c.reset(); });
    server.command({"PUBLISH", "end", "1"});
    server.command({"PUBLISH", "end", "2"});
    co_await until([&] { return !c; });
    const std::function<bool()> unsubscribed = [&] { return subscribers(server, "end") == 0; };
    co_await until(unsubscribed);
  };
  run_on_loop(body);
}

TEST(redis_connection, the_loop_may_be_destroyed_first_at_any_time) {
  redis_server server;
  for (const bool paused : {false, true}) {
    for (int turns = 0; turns < 60; ++turns) {
      std::optional<connection> c;
      std::vector<ending> endings(3);
      {
        asio::io_context loop{1};
        c.emplace(loop.get_executor(), parse_url(server.url()), std::vector<const script*>{&add_script});
        asio::co_spawn(loop, c->subscribe("x", [](std::string_view) {}), [](std::exception_ptr) {});
        for (auto& e : endings) start(loop.get_executor(), *c, {"PING"}, e);
        if (paused) server.pause();
        for (int i = 0; i < turns && loop.run_one_for(10ms); ++i) {
        }
      }
      if (paused) server.resume();
    }
  }
}

TEST(redis_connection, it_may_be_destroyed_first_at_any_time) {
  redis_server server;
  for (int turns = 0; turns < 60; ++turns) {
    std::vector<ending> endings(3);
    asio::io_context loop{1};
    std::optional<connection> c;
    c.emplace(loop.get_executor(), parse_url(server.url()), std::vector<const script*>{&add_script});
    asio::co_spawn(loop, c->subscribe("x", [](std::string_view) {}), [](std::exception_ptr) {});
    for (auto& e : endings) start(loop.get_executor(), *c, {"PING"}, e);
    for (int i = 0; i < turns && loop.run_one_for(10ms); ++i) {
    }
    c.reset();
    // Nothing is left that would keep the loop alive.
    loop.run_for(test::default_timeout);
    EXPECT_TRUE(loop.stopped()) << turns;
    for (const auto& e : endings) EXPECT_TRUE(e.ended()) << turns;
  }
}

// A coroutine that owns the connection it waits on: the loop's end must not leave the two holding each other.
awaitable<void> own_and_wait(std::string url, std::shared_ptr<int> alive) {
  auto loop = co_await asio::this_coro::executor;
  connection c(loop, parse_url(url), {});
  words ping{"PING"};
  co_await c.command(ping);
  *alive = 2;
}

TEST(redis_connection, a_coroutine_may_own_what_it_waits_for_when_the_loop_ends) {
  redis_server server;
  server.pause();
  std::weak_ptr<int> watched;
  {
    asio::io_context loop{1};
    auto alive = std::make_shared<int>(1);
    watched = alive;
    asio::co_spawn(loop, own_and_wait(server.url(), std::move(alive)), [](std::exception_ptr) {});
    loop.run_for(50ms);
    ASSERT_FALSE(watched.expired());
    EXPECT_EQ(*watched.lock(), 1);
  }
  EXPECT_TRUE(watched.expired());
}

}  // namespace
}  // namespace quarq::redis
