// Commands, scripts and messages over one connection to Redis.
#include <algorithm>
#include <filesystem>
#include <functional>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "integration/redis_connection_test.hpp"
#include "redis/health_check.hpp"

namespace quarq::redis {
namespace {

std::int64_t reads_processed(const redis_server& server) {
  return std::stoll(server.info("stats", "total_reads_processed"));
}

TEST_F(redis_connection, commands_and_scripts_get_their_replies) {
  check_commands(server().url());
}

TEST_F(redis_connection, works_over_a_unix_socket) {
  check_commands(server().unix_url());
}

/// This process's sockets that are connected to that port of the loopback.
std::vector<int> sockets_to(int port) {
  std::vector<int> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    const int fd = std::stoi(entry.path().filename());
    sockaddr_in peer{};
    socklen_t size = sizeof peer;
    if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0) continue;
    if (peer.sin_family == AF_INET && ntohs(peer.sin_port) == port) found.push_back(fd);
  }
  return found;
}

// A host that is gone without a word is found by the kernel, before the health check gives the server up.
TEST_F(redis_connection, the_kernel_gives_up_what_is_not_acknowledged_for_some_seconds) {
  use([&](connection& c) -> awaitable<void> {
    const auto ping = args_of("PING");
    co_await c.command(ping);
    const auto sockets = sockets_to(server().port());
    EXPECT_EQ(sockets.size(), 1u);
    for (const int fd : sockets) {
      unsigned ms = 0;
      socklen_t size = sizeof ms;
      EXPECT_EQ(::getsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, &size), 0);
      EXPECT_GT(ms, 0u);
      EXPECT_LT(std::chrono::milliseconds(ms), health_check::max_silence);
    }
  });
}

TEST_F(redis_connection, requests_of_one_turn_leave_in_one_write) {
  use([&](connection& c) -> awaitable<void> {
    const auto ping = args_of("PING");
    co_await c.command(ping);
    const auto before = reads_processed(server());
    std::vector<ending> endings(200);
    for (auto& e : endings) start(c, {"INCR", "n"}, e);
    co_await until([&] { return endings.back().ended(); });
    const auto reads = reads_processed(server()) - before;
    // One for all requests, and up to two for asking twice.
    EXPECT_LE(reads, 3);
    for (std::size_t i = 0; i < endings.size(); ++i) {
      EXPECT_EQ(endings[i].content.value().integer, static_cast<std::int64_t>(i + 1));
    }
  });
}

TEST_F(redis_connection, carries_big_values_and_long_arrays) {
  use([&](connection& c) -> awaitable<void> {
    std::string value(16 << 20, 'v');
    for (std::size_t i = 0; i < value.size(); i += 4096) value[i] = static_cast<char>(i / 4096);
    strings set{"SET", "big", value}, get{"GET", "big"}, push{"RPUSH", "list"},
        range{"LRANGE", "list", "0", "-1"};
    for (int i = 0; i < 50'000; ++i) push.push_back(std::to_string(i));
    co_await c.command(set);
    auto r = co_await c.command(get);
    EXPECT_TRUE(r.text == value);
    co_await c.command(push);
    r = co_await c.command(range);
    EXPECT_EQ(r.items.size(), 50'000u);
    EXPECT_EQ(r.items.back().text, "49999");
  });
}

TEST_F(redis_connection, selects_its_database) {
  use(server().url(3), [&](connection& c) -> awaitable<void> {
    const auto set = args_of("SET", "k", "v");
    co_await c.command(set);
  });
  EXPECT_NE(server().command({"INFO", "keyspace"}).text.find("db3:keys=1"), std::string::npos);
  const auto failure = patient_ping_failure(server().url(9999));
  EXPECT_NE(failure.find("SELECT was refused: ERR DB index is out of range"), std::string::npos) << failure;
}

TEST_F(redis_connection, forgotten_scripts_are_loaded_again) {
  use([&](connection& c) -> awaitable<void> {
    const auto keys = args_of("n");
    const auto by = args_of("1");
    auto r = co_await c.run(increment, keys, by);
    EXPECT_EQ(r.integer, 1);
    server().command({"SCRIPT", "FLUSH"});
    std::vector<ending> endings(20);
    for (auto& e : endings) start(c.run(increment, keys, by), e);
    co_await until([&] { return std::all_of(endings.begin(), endings.end(), std::mem_fn(&ending::ended)); });
    for (const auto& e : endings) EXPECT_EQ(e.failure, "");
    EXPECT_EQ(server().command({"GET", "n"}).text, "21");
  });
}

TEST_F(redis_connection, a_script_that_does_not_compile_is_refused_with_the_servers_words) {
  const script broken("return (");
  use([&](connection& c) -> awaitable<void> {
    const std::vector<std::string> none;
    const auto failure = co_await failure_of(c.run(broken, none, none));
    EXPECT_NE(failure.find("SCRIPT LOAD was refused: ERR Error compiling script"), std::string::npos)
        << failure;
  });
}

TEST_F(redis_connection, a_cancelled_await_ends_at_once_and_shifts_no_other_reply) {
  use([&](connection& c) -> awaitable<void> {
    const auto ping = args_of("PING");
    co_await c.command(ping);
    server().pause();
    asio::cancellation_signal cancel;
    ending cancelled, other;
    asio::co_spawn(loop(), c.command({"ECHO", "cancelled"}),
                   asio::bind_cancellation_slot(cancel.slot(), record_in(cancelled)));
    start(c, {"ECHO", "other"}, other);
    co_await some_turns();
    EXPECT_FALSE(cancelled.ended());
    cancel.emit(asio::cancellation_type::terminal);
    co_await until([&] { return cancelled.ended(); });
    EXPECT_EQ(cancelled.failure, "aborted");
    EXPECT_FALSE(other.ended());
    server().resume();
    co_await until([&] { return other.ended(); });
    EXPECT_EQ(other.content.value().text, "other");
  });
}

TEST_F(redis_connection, a_request_cancelled_before_it_was_sent_is_never_sent) {
  server().kill();
  use([&](connection& c) -> awaitable<void> {
    asio::cancellation_signal cancel;
    ending cancelled, other;
    asio::co_spawn(loop(), c.command({"SET", "k", "cancelled"}),
                   asio::bind_cancellation_slot(cancel.slot(), record_in(cancelled)));
    co_await some_turns();
    cancel.emit(asio::cancellation_type::terminal);
    co_await until([&] { return cancelled.ended(); });
    EXPECT_EQ(cancelled.failure, "aborted");
    server().restart();
    const auto get = args_of("GET", "k");
    const auto r = co_await c.command(get);
    EXPECT_TRUE(r.is_nil());
  });
}

TEST_F(redis_connection, messages_reach_their_subscribers) {
  use([&](connection& c) -> awaitable<void> {
    strings one, two;
    co_await c.subscribe("one", [&](std::string_view m) { one.emplace_back(m); });
    co_await c.subscribe("two", [&](std::string_view m) { two.emplace_back(m); });
    EXPECT_EQ(server().command({"PUBLISH", "one", "1"}).integer, 1);
    EXPECT_EQ(server().command({"PUBLISH", "two", std::string("\0\r\n", 3)}).integer, 1);
    const auto publish = args_of("PUBLISH", "one", "from ourselves");
    const auto r = co_await c.command(publish);
    EXPECT_EQ(r.integer, 1);
    co_await until([&] { return one.size() == 2 && two.size() == 1; });
    EXPECT_EQ(one, (strings{"1", "from ourselves"}));
    EXPECT_EQ(two, (strings{std::string("\0\r\n", 3)}));
    c.unsubscribe("one");
    const std::function<bool()> unsubscribed = [&] { return subscribers("one") == 0; };
    co_await until(unsubscribed);
    server().command({"PUBLISH", "two", "last"});
    co_await until([&] { return two.size() == 2; });
    EXPECT_EQ(one.size(), 2u);
  });
}

TEST_F(redis_connection, an_error_to_a_subscription_is_its_own) {
  server().command({"ACL", "SETUSER", "deaf", "on", ">p", "~*", "+@all", "resetchannels", "&allowed"});
  use("redis://deaf:p@" + server().endpoint(), [&](connection& c) -> awaitable<void> {
    const auto echo = args_of("ECHO", "hi");
    co_await c.command(echo);
    const auto failure = co_await failure_of(c.subscribe("forbidden", [](std::string_view) {}));
    EXPECT_TRUE(failure.starts_with("NOPERM")) << failure;
    co_await c.subscribe("allowed", [](std::string_view) {});
    const auto r = co_await c.command(echo);
    EXPECT_EQ(r.text, "hi");
  });
}

}  // namespace
}  // namespace quarq::redis
