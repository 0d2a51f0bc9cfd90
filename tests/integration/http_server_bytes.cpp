// A server under the bytes of tests/http/probe.tsv, and under limits: what it answers, and what reaches a handler.
#include <atomic>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include <gtest/gtest.h>

#include <quarq/http/server.hpp>

#include "support/http_table.hpp"
#include "support/raw_connection.hpp"
#include "support/served.hpp"

namespace quarq::test::http_server_bytes {
namespace {

using namespace std::chrono_literals;

http::server_options quick_options() {
  http::server_options o;
  o.port = 0;
  o.header_timeout = o.body_timeout = 300ms;
  return o;
}

// What a probe expects to find.
class probed {
 public:
  explicit probed(http::server_options options = quick_options()) : server(std::move(options)) {
    const auto ok = [this] {
      ++handled;
      return "ok";
    };
    const auto echo = [this](http::request& r) -> awaitable<std::string> {
      ++handled;
      auto body = co_await r.body();
      co_return body;
    };
    server.get("/", ok).get("/echo", ok).get("/cookie", ok).post("/", echo).post("/echo", echo);
    run.emplace(server);
  }

  http::server server;
  std::atomic<int> handled = 0;
  std::optional<served> run;
};

bool allows(std::string_view allowed, std::string_view answer) {
  while (!allowed.empty()) {
    const auto one = allowed.substr(0, allowed.find(','));
    allowed.remove_prefix(std::min(one.size() + 1, allowed.size()));
    if (one == answer || (one == "2xx" && answer.starts_with('2'))) return true;
  }
  return false;
}

TEST(http_server_bytes, probes_are_answered_as_the_standard_allows) {
  for (const auto& row : read_table("probe.tsv")) {
    SCOPED_TRACE(row.at(0));
    probed at;
    const auto bytes = unescaped(row.at(4));
    raw_connection c(at.run->port);
    c.try_send(bytes);
    const bool waits = allows(row.at(2), "wait");
    const auto answer = c.read(bytes.starts_with("HEAD"));
    const auto got = answer ? std::to_string(answer->status) : "close";
    // One that waits is told so when its time is over.
    EXPECT_TRUE(allows(row.at(2), got) || (waits && got == "408"))
        << got << '\n'
        << (answer ? answer->header + answer->body : "");
    if (!answer || answer->status >= 400) {
      c.end_sending();
      const auto rest =
          answer && answer->status != 404 && answer->status != 405 ? c.read_to_end() : std::string();
      EXPECT_EQ(rest, "") << "a second answer";
    } else {
      c.end_sending();
      c.read_to_end();
    }
    EXPECT_LE(at.handled, std::stoi(row.at(3)));
  }
}

TEST(http_server_bytes, each_limit_has_its_answer_and_closes) {
  const auto check = [](http::server_options o, std::string_view bytes, int status) {
    SCOPED_TRACE(bytes.substr(0, 60));
    probed at(std::move(o));
    raw_connection c(at.run->port);
    c.try_send(bytes);
    const auto answer = c.read();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, status);
    EXPECT_TRUE(answer->has("Connection: close"));
    EXPECT_EQ(c.read_to_end(), "");
  };
  auto small = quick_options();
  small.max_request_line = 100;
  small.max_field = 50;
  small.max_fields = 5;
  small.max_header = 300;
  small.max_body = 10;
  check(small, "GET /" + std::string(200, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n", 414);
  check(small, "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(60, 'a') + "\r\n\r\n", 431);
  check(small, "GET / HTTP/1.1\r\nHost: a\r\na: b\r\na: b\r\na: b\r\na: b\r\na: b\r\n\r\n", 431);
  check(small, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n12345678901", 413);
  check(small,
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n12345678901\r\n0\r\n\r\n", 413);
  check(quick_options(), "GET / HTTP/1.1\r\nHost: a", 408);
  check(quick_options(), "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n123", 408);
}

TEST(http_server_bytes, a_header_that_trickles_in_has_one_deadline) {
  probed at;
  raw_connection c(at.run->port);
  std::jthread trickle([&](const std::stop_token& stop) {
    c.try_send("GET / HTTP/1.1\r\nHost: a\r\n");
    while (!stop.stop_requested() && c.try_send("X: y\r\n")) std::this_thread::sleep_for(20ms);
  });
  const auto answer = c.read();
  trickle.request_stop();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 408);
}

TEST(http_server_bytes, an_idle_connection_is_closed_without_an_answer) {
  auto o = quick_options();
  o.idle_timeout = 200ms;
  probed at(std::move(o));
  raw_connection silent(at.run->port);
  EXPECT_TRUE(silent.is_closed());
  raw_connection c(at.run->port);
  c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(c.read()->status, 200);
  EXPECT_TRUE(c.is_closed());
}

TEST(http_server_bytes, pipelined_requests_are_answered_in_order) {
  probed at;
  raw_connection c(at.run->port);
  std::string many;
  constexpr int count = 100;
  for (int i = 0; i < count; ++i) {
    const auto body = std::to_string(i);
    many += "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
            body;
  }
  c.send(many);
  for (int i = 0; i < count; ++i) EXPECT_EQ(c.read()->body, std::to_string(i));
}

TEST(http_server_bytes, old_clients_keep_the_connection_only_if_they_ask) {
  probed at;
  raw_connection c(at.run->port);
  c.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_TRUE(c.read()->has("Connection: keep-alive"));
  c.send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(c.read()->has("Connection: close"));
  EXPECT_TRUE(c.is_closed());
}

TEST(http_server_bytes, continue_is_said_when_the_handler_reads) {
  probed at;
  raw_connection c(at.run->port);
  c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(c.read()->status, 100);
  c.send("ab");
  EXPECT_EQ(c.read()->body, "ab");
  // A handler that does not read: the final answer, and the end, since the body may come or not.
  c.send("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  const auto unread = c.read();
  EXPECT_EQ(unread->status, 200);
  EXPECT_TRUE(unread->has("Connection: close"));
  // Too long: nobody is asked to send it.
  raw_connection large(at.run->port);
  large.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(large.read()->status, 413);
}

TEST(http_server_bytes, a_body_that_nobody_read_is_skipped_or_ends_the_connection) {
  probed at;
  raw_connection c(at.run->port);
  c.send("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nGET /GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(c.read()->status, 200);
  EXPECT_EQ(c.read()->status, 200);
  EXPECT_EQ(at.handled, 2);
  c.send("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nab");
  EXPECT_TRUE(c.read()->has("Connection: close"));
}

TEST(http_server_bytes, a_client_that_takes_nothing_is_closed) {
  auto o = quick_options();
  o.write_timeout = 200ms;
  o.shutdown_timeout = 1h;  // nothing else ends the wait for this client
  http::server server(std::move(o));
  constexpr std::size_t size = 50'000'000;
  std::atomic<bool> handled = false;
  server.get("/large", [&] {
    handled = true;
    return std::string(size, 'x');
  });
  served run(server);
  raw_connection c(run.port);
  c.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
  while (!handled) std::this_thread::yield();
  server.stop();
  run.wait();
  EXPECT_LT(c.read_to_end().size(), size);
}

// How much of an endless body the server has written until it gave up.
class endless {
 public:
  http::response answer() {
    return http::streamed("text/plain", [this](http::body_writer& out) { return write(out); });
  }
  std::atomic<std::size_t> written = 0;
  std::atomic<bool> ended = false;

 private:
  awaitable<void> write(http::body_writer& out) {
    const std::string part(10'000, 'x');
    try {
      while (true) {
        co_await out.write(part);
        written += part.size();
      }
    } catch (...) {
      ended = true;
      throw;
    }
  }
};

TEST(http_server_bytes, the_kernel_takes_little_for_a_client_that_takes_nothing) {
  auto o = quick_options();
  o.write_timeout = 200ms;
  http::server server(std::move(o));
  endless body;
  server.get("/", [&] { return body.answer(); });
  served run(server);
  raw_connection c(run.port);
  c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  while (!body.ended) std::this_thread::yield();
  EXPECT_LT(body.written, 1'000'000u);
}

TEST(http_server_bytes, clients_that_are_waited_for_keep_nobody_out) {
  auto o = quick_options();
  o.max_in_flight = 1;
  o.body_timeout = 60s;
  probed at(std::move(o));
  raw_connection slow(at.run->port);
  slow.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\na");
  while (at.handled == 0) std::this_thread::yield();
  raw_connection other(at.run->port);
  other.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(other.read()->status, 200);
  slow.send("b");
  EXPECT_EQ(slow.read()->body, "ab");
}

TEST(http_server_bytes, too_many_at_once_are_told_to_come_again) {
  auto o = quick_options();
  o.max_in_flight = 1;
  http::server server(std::move(o));
  std::atomic<bool> go_on = false;
  server.get("/slow", [&]() -> awaitable<std::string> {
    while (!go_on) co_await sleep_for(1ms);
    co_return "slow";
  });
  served run(server);
  raw_connection first(run.port);
  first.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
  // The second one is refused once the first one runs.
  std::optional<raw_response> refused;
  while (!refused || refused->status != 503) {
    raw_connection second(run.port);
    second.send("GET /absent HTTP/1.1\r\nHost: a\r\n\r\n");
    refused = second.read();
  }
  EXPECT_TRUE(refused->has("Retry-After: 1"));
  go_on = true;
  EXPECT_EQ(first.read()->body, "slow");
}

}  // namespace
}  // namespace quarq::test::http_server_bytes
