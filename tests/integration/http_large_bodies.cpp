// Forty megabytes both ways: in parts, where memory must stay what it was, and as a whole.
#include <cstdint>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

#include <quarq/http/client.hpp>

#include "base/sanitizers.hpp"
#include "support/errors.hpp"
#include "support/large_body.hpp"
#include "support/on_loop.hpp"
#include "support/server_program.hpp"

namespace quarq::test::http_large_bodies {
namespace {

constexpr std::uint64_t size = 40'000'000;
// Buffers of both ends, and what malloc keeps.
constexpr std::uint64_t allowed_for_parts = std::uint64_t{8} << 20;
// The body, and one more where a string grows.
constexpr std::uint64_t allowed_for_whole = 3 * size;

// Sanitizers keep what was freed.
void expect_memory_below(const server_program& server, std::uint64_t before, std::uint64_t allowed) {
  if (base::sanitized) return;
  EXPECT_LT(server.peak_memory(), before + allowed);
}

awaitable<std::string> next_of(large_body_maker& maker) {
  co_return maker.next();
}

// ---- to the server

awaitable<std::string> post_in_parts(std::string url, std::optional<std::uint64_t> announced) {
  http::client web;
  large_body_maker maker(size);
  const http::body_stream body{[&maker] { return next_of(maker); }, announced};
  const auto answer = co_await web.post(url, {.stream = body});
  co_return answer.body;
}

awaitable<std::string> post_whole(std::string url) {
  http::client web;
  const auto body = large_body(size);
  const auto answer = co_await web.post(url, {.body = body});
  co_return answer.body;
}

const std::string right = "right " + std::to_string(size);

TEST(http_large_bodies, are_received_in_parts) {
  const server_program server;
  const auto before = server.memory_now();
  for (const auto announced : {std::optional<std::uint64_t>(size), std::optional<std::uint64_t>()}) {
    EXPECT_EQ(run_on_loop(post_in_parts("http://" + server.place() + "/parts", announced)), right);
  }
  EXPECT_EQ(run_on_loop(post_whole("http://" + server.place() + "/parts")), right);
  expect_memory_below(server, before, allowed_for_parts);
}

TEST(http_large_bodies, are_received_whole) {
  const server_program server;
  const auto before = server.memory_now();
  EXPECT_EQ(run_on_loop(post_whole("http://" + server.place() + "/whole")), right);
  EXPECT_EQ(run_on_loop(post_in_parts("http://" + server.place() + "/whole", std::nullopt)), right);
  expect_memory_below(server, before, allowed_for_whole);
}

// 0: there was no answer, since the server closed while the body was sent.
awaitable<int> status_of_post(std::string url) {
  http::client web;
  large_body_maker maker(size);
  const http::body_stream body{[&maker] { return next_of(maker); }};
  int status = 0;
  try {
    const auto answer = co_await web.post(url, {.stream = body});
    status = answer.status;
  } catch (const http::request_error&) {
  }
  co_return status;
}

TEST(http_large_bodies, beyond_the_limit_are_refused) {
  const server_program server;
  const auto before = server.memory_now();
  const int status = run_on_loop(status_of_post("http://" + server.place() + "/small"));
  EXPECT_TRUE(status == 413 || status == 0) << status;
  expect_memory_below(server, before, allowed_for_parts);
}

// ---- from the server

awaitable<std::string> get_in_parts(std::string url) {
  http::client web;
  auto answer = co_await web.open("GET", url);
  large_body_checker checker;
  while (true) {
    const auto part = co_await answer.read();
    if (part.empty()) break;
    checker.add(part);
  }
  EXPECT_LE(checker.largest_part(), std::size_t{1} << 20);
  co_return checker.result();
}

awaitable<std::string> get_whole(std::string url) {
  http::client web;
  const auto answer = co_await web.get(url);
  large_body_checker checker;
  checker.add(answer.body);
  co_return checker.result();
}

TEST(http_large_bodies, are_sent_in_parts) {
  const server_program server;
  const auto before = server.memory_now();
  const auto url = "http://" + server.place() + "/parts/" + std::to_string(size);
  EXPECT_EQ(run_on_loop(get_in_parts(url)), right);
  EXPECT_EQ(run_on_loop(get_whole(url)), right);
  expect_memory_below(server, before, allowed_for_parts);
}

TEST(http_large_bodies, are_sent_whole) {
  const server_program server;
  const auto before = server.memory_now();
  const auto url = "http://" + server.place() + "/whole/" + std::to_string(size);
  EXPECT_EQ(run_on_loop(get_in_parts(url)), right);
  EXPECT_EQ(run_on_loop(get_whole(url)), right);
  expect_memory_below(server, before, allowed_for_whole);
}

awaitable<std::string> get_with_small_limit(std::string url) {
  http::client web;
  const auto answer = co_await web.get(url, {.max_body = std::size_t{1} << 20});
  co_return answer.body;
}

TEST(http_large_bodies, beyond_the_clients_limit_are_an_error) {
  const server_program server;
  const auto url = "http://" + server.place() + "/parts/" + std::to_string(size);
  const auto why = run_on_loop(error_of<http::request_error>(get_with_small_limit(url)));
  EXPECT_NE(why.find("1048576"), std::string::npos) << why;
}

// A program that saves a page on a disk that is full: its error comes through, and the client goes on.
awaitable<std::string> save(http::client& web, std::string url, std::string path) {
  std::ofstream file(path, std::ios::binary);
  auto answer = co_await web.open("GET", url);
  while (true) {
    const auto part = co_await answer.read();
    if (part.empty()) break;
    if (!(file << part << std::flush)) throw std::runtime_error("the disk is full");
  }
  co_return "saved";
}

awaitable<void> save_where_nothing_fits(std::string url) {
  http::client web;
  auto saving = save(web, url, "/dev/full");
  const auto why = co_await error_of<std::runtime_error>(std::move(saving));
  EXPECT_EQ(why, "the disk is full");
  EXPECT_EQ(web.connections().in_use, 0u);
  auto again = save(web, url, "/dev/null");
  const auto saved = co_await std::move(again);
  EXPECT_EQ(saved, "saved");
}

TEST(http_large_bodies, a_full_disk_under_a_download_ends_that_alone) {
  const server_program server;
  run_on_loop(save_where_nothing_fits("http://" + server.place() + "/parts/" + std::to_string(size)));
}

// ---- WebSockets

awaitable<std::string> echo_whole(std::string place) {
  http::client web;
  auto socket = co_await web.websocket("ws://" + place + "/live", {.max_message = std::size_t{64} << 20});
  const auto body = large_body(size);
  co_await socket.send_binary(body);
  const auto back = co_await socket.receive();
  large_body_checker checker;
  checker.add(back.data);
  co_await socket.close();
  co_return checker.result();
}

TEST(http_large_bodies, messages_of_websockets_go_both_ways) {
  const server_program server;
  const auto before = server.memory_now();
  EXPECT_EQ(run_on_loop(echo_whole(server.place())), right);
  expect_memory_below(server, before, allowed_for_whole);
}

awaitable<std::string> receive_beyond_limit(std::string place) {
  http::client web;
  auto socket = co_await web.websocket("ws://" + place + "/live");
  const auto body = large_body(size);
  co_await socket.send_binary(body);
  const auto back = co_await socket.receive();
  co_return back.data;
}

TEST(http_large_bodies, a_message_beyond_the_limit_closes_with_1009) {
  const server_program server;
  const auto why = run_on_loop(error_of<http::websocket_closed>(receive_beyond_limit(server.place())));
  EXPECT_NE(why.find("1009"), std::string::npos) << why;
}

}  // namespace
}  // namespace quarq::test::http_large_bodies
