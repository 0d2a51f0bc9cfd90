// A thousand clients that never read, under a broadcast of twenty megabytes to each.
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <quarq/gather.hpp>
#include <quarq/http/client.hpp>

#include "base/sanitizers.hpp"
#include "support/on_loop.hpp"
#include "support/raw_connection.hpp"
#include "support/server_program.hpp"

namespace quarq::test::http_websocket_slow_readers {
namespace {

constexpr int slow = 1000;
constexpr int messages = 2'000;
constexpr std::uint64_t message_size = 10'000;

void allow_many_descriptors() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

std::unique_ptr<raw_connection> open_and_read_nothing_more(std::uint16_t port) {
  auto one = std::make_unique<raw_connection>(port);
  // What the kernel keeps is not the server's, but there is a thousand of it.
  const int few = 4096;
  ::setsockopt(one->descriptor(), SOL_SOCKET, SO_RCVBUF, &few, sizeof few);
  one->send(
      "GET /live HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
  return one;
}

awaitable<std::string> broadcast(std::string place, int count) {
  http::client web;
  const auto url =
      "http://" + place + "/broadcast/" + std::to_string(count) + "/" + std::to_string(message_size);
  const auto answer = co_await web.post(url, {.timeout = test_timeout});
  co_return answer.body;
}

// Beside the broadcast, which it hears as well.
awaitable<void> echo_is_served(std::string place) {
  http::client web;
  auto socket = co_await web.websocket("ws://" + place + "/live");
  for (int i = 0; i < 20; ++i) {
    const auto sent = std::to_string(i);
    co_await socket.send_text(sent);
    while (true) {
      const auto heard = co_await socket.receive();
      if (!heard.is_text) continue;
      EXPECT_EQ(heard.data, sent);
      break;
    }
  }
  co_await socket.close();
}

awaitable<std::string> broadcast_beside_echo(std::string place) {
  auto all = gather(broadcast(place, messages), echo_is_served(place));
  auto results = co_await std::move(all);
  co_return std::get<0>(results);
}

TEST(http_websocket_slow_readers, cost_no_more_than_their_marks) {
  allow_many_descriptors();
  const server_program server;
  std::vector<std::unique_ptr<raw_connection>> all;
  for (int i = 0; i < slow; ++i) all.push_back(open_and_read_nothing_more(server.port()));
  const auto joined = [&] { return std::stoi(run_on_loop(broadcast(server.place(), 1))) >= slow; };
  ASSERT_TRUE(eventually(joined, default_timeout));
  const auto before = server.memory_now();
  run_on_loop(broadcast_beside_echo(server.place()));
  const auto mark = http::websocket_options().send_mark;
  // Each has its mark and the message that went beyond it.
  if (base::sanitized) return;
  EXPECT_LT(server.peak_memory(), before + slow * (mark + message_size) + (20 << 20));
}

}  // namespace
}  // namespace quarq::test::http_websocket_slow_readers
