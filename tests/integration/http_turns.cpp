// A peer that always has more: what else is on the loop has its turn nevertheless.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <future>
#include <string>

#include <gtest/gtest.h>

#include <quarq/http/client.hpp>
#include <quarq/http/events.hpp>
#include <quarq/http/server.hpp>
#include <quarq/http/websocket.hpp>
#include <quarq/task_group.hpp>
#include <quarq/time.hpp>

#include "support/http_peer.hpp"
#include "support/on_loop.hpp"
#include "support/raw_connection.hpp"
#include "support/served.hpp"
#include "support/websocket_frames.hpp"
#include "support/websocket_pair.hpp"

namespace quarq::test::http_turns {
namespace {

using namespace std::chrono_literals;

// Counts what is done in a row, without a turn for another coroutine of the same loop. That one comes every other turn,
// since its sleep takes two: what is expected is twice what may be done in a turn.
class rows {
 public:
  void add() { longest_ = std::max(longest_, ++now_); }
  std::size_t longest() const noexcept { return longest_; }

  awaitable<void> other() {
    while (!ended_) {
      now_ = 0;
      co_await sleep_for(0s);
    }
  }
  void end() noexcept { ended_ = true; }

 private:
  std::size_t now_ = 0;
  std::size_t longest_ = 0;
  bool ended_ = false;
};

// Beside the other coroutine.
template <class F>
awaitable<void> beside_another(rows& done, F work) {
  const auto both = [&](task_group& group) -> awaitable<void> {
    group.spawn(done.other());
    co_await sleep_for(0s);
    co_await work();
    done.end();
  };
  co_await with_task_group(both);
}

http::server_options any_port() {
  http::server_options o;
  o.port = 0;
  return o;
}

std::string get(const std::string& path) {
  return "GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n";
}

TEST(http_turns, another_client_is_answered_before_all_that_one_has_pipelined) {
  constexpr int pipelined = 80;  // one read of the server takes them all
  http::server server(any_port());
  std::promise<void> has_begun;
  std::promise<void> may_go_on;
  int counted = 0;
  server.get("/begin", [&] {
    has_begun.set_value();
    may_go_on.get_future().wait_for(default_timeout);
    return std::string();
  });
  server.get("/count", [&] { return std::to_string(++counted); });
  server.get("/so_far", [&] { return std::to_string(counted); });
  const served run(server);
  raw_connection other(run.port);
  other.send(get("/so_far"));
  EXPECT_EQ(other.read()->body, "0");
  raw_connection stormy(run.port);
  std::string many = get("/begin");
  for (int i = 0; i < pipelined; ++i) many += get("/count");
  stormy.send(many);
  ASSERT_EQ(has_begun.get_future().wait_for(default_timeout), std::future_status::ready);
  other.send(get("/so_far"));
  may_go_on.set_value();
  EXPECT_LT(std::stoi(other.read()->body), pipelined / 4);
  stormy.read();
  for (int i = 1; i <= pipelined; ++i) EXPECT_EQ(stormy.read()->body, std::to_string(i));
}

// The server of a handler that counts, and what it answers: the longest row.
std::string longest_row(const std::function<awaitable<void>(http::request&, rows&)>& work,
                        const std::string& request) {
  http::server server(any_port());
  server.post("/", [&](http::request& r) -> awaitable<std::string> {
    rows done;
    const auto counted = [&] { return work(r, done); };
    co_await beside_another(done, counted);
    co_return std::to_string(done.longest());
  });
  const served run(server);
  raw_connection c(run.port);
  c.send(request);
  return c.read()->body;
}

awaitable<void> read_parts(http::request& r, rows& done) {
  while (true) {
    const auto part = co_await r.read_body_some();
    if (part.empty()) break;
    done.add();
  }
}

TEST(http_turns, a_body_in_chunks_of_one_byte) {
  std::string request = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 500; ++i) request += "1\r\nx\r\n";
  const auto longest = std::stoi(longest_row(read_parts, request + "0\r\n\r\n"));
  EXPECT_GT(longest, 0);
  EXPECT_LE(longest, 128);
}

TEST(http_turns, a_body_that_the_client_takes_at_once) {
  http::server server(any_port());
  std::promise<std::size_t> longest;
  const auto write = [&](http::body_writer& out) -> awaitable<void> {
    rows done;
    const auto parts = [&]() -> awaitable<void> {
      for (int i = 0; i < 500; ++i) {
        done.add();
        co_await out.write("x");
      }
    };
    co_await beside_another(done, parts);
    longest.set_value(done.longest());
  };
  server.get("/", [&] { return http::streamed("text/plain", write); });
  const served run(server);
  raw_connection c(run.port);
  c.send(get("/"));
  EXPECT_EQ(c.read()->body, std::string(500, 'x'));
  EXPECT_LE(longest.get_future().get(), 16U);
}

awaitable<void> messages_of_a_websocket(rows& done) {
  constexpr int count = 1000;
  auto both = co_await websocket_and_raw_client();
  std::string frames;
  for (int i = 0; i < count; ++i) frames += frame_of(0x82, "x", true);
  co_await both.client->write(frames);
  const auto receive = [&]() -> awaitable<void> {
    for (int i = 0; i < count; ++i) {
      co_await both.server.receive();
      done.add();
    }
  };
  co_await beside_another(done, receive);
}

TEST(http_turns, messages_of_a_websocket) {
  rows done;
  run_on_loop(messages_of_a_websocket(done));
  EXPECT_LE(done.longest(), 16U);
}

awaitable<void> records_of_tls(rows& done) {
  constexpr std::size_t count = 64;
  auto both = co_await connected_streams(transport::tls);
  const std::string part(1000, 'x');
  for (std::size_t i = 0; i < count; ++i) co_await both.server->write(part);
  const auto read = [&]() -> awaitable<void> {
    std::string space(part.size(), ' ');
    for (std::size_t size = 0; size < count * part.size();) {
      const auto got = co_await both.client->read_some(space);
      size += got;
      done.add();
    }
  };
  co_await beside_another(done, read);
}

TEST(http_turns, records_of_tls) {
  rows done;
  run_on_loop(records_of_tls(done));
  EXPECT_LE(done.longest(), 8U);
}

TEST(http_turns, events_of_a_server) {
  constexpr int count = 1000;
  const auto send_all = [](http::stream& io, int) -> awaitable<void> {
    co_await read_request(io);
    std::string bytes = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
    for (int i = 0; i < count; ++i) bytes += "data: x\n\n";
    co_await io.write(bytes);
    co_await read_request(io);
  };
  http_peer peer(send_all);
  http::client web;
  rows done;
  run_on_loop([&]() -> awaitable<void> {
    http::event_stream events(web, peer.url());
    const auto read = [&]() -> awaitable<void> {
      for (int i = 0; i < count; ++i) {
        co_await events.next();
        done.add();
      }
    };
    co_await beside_another(done, read);
  });
  EXPECT_LE(done.longest(), 32U);
}

}  // namespace
}  // namespace quarq::test::http_turns
