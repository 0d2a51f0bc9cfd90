// WebSockets of a server's routes.
#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>
#include <gtest/gtest.h>

#include <quarq/http/client.hpp>
#include <quarq/http/server.hpp>
#include <quarq/task_group.hpp>

#include "support/errors.hpp"
#include "support/on_loop.hpp"

namespace quarq::test::http_server_websocket {
namespace {

using http::websocket;
using http::websocket_closed;
using namespace std::chrono_literals;

awaitable<void> echo(websocket& socket) {
  while (true) {
    const auto one = co_await socket.receive();
    co_await socket.send(one);
  }
}

awaitable<void> greet(std::string room, int count, http::request& r, websocket& socket) {
  co_await socket.send_text(room + " " + std::to_string(count) + " " +
                            r.query("who").value_or("nobody").c_str());
}

awaitable<void> fail(websocket&) {
  throw std::runtime_error("broken");
  co_return;
}

awaitable<int> code_of(websocket& socket) {
  int code = 0;
  try {
    while (true) co_await socket.receive();
  } catch (const websocket_closed& closed) {
    code = closed.code();
  }
  co_return code;
}

// Runs `use` while the server serves.
awaitable<void> serve_while(std::function<awaitable<void>(http::server&, std::string place)> use) {
  http::server server{{.port = 0}};
  server.websocket("/echo", echo).websocket("/rooms/{room}/{count}", greet).websocket("/fail", fail);
  const auto place = "127.0.0.1:" + std::to_string(server.listen());
  const auto all = [&](task_group& group) -> awaitable<void> {
    group.spawn(server.run());
    co_await use(server, place);
    server.stop();
  };
  co_await with_task_group(all);
}

awaitable<void> a_route_echoes(http::server&, std::string place) {
  http::client web;
  auto socket = co_await web.websocket("ws://" + place + "/echo");
  co_await socket.send_text("hello");
  const auto back = co_await socket.receive();
  EXPECT_EQ(back.data, "hello");
  co_await socket.close(4001);
  const int code = co_await code_of(socket);
  EXPECT_EQ(code, 4001);
}

TEST(http_server_websocket, a_route_echoes) {
  run_on_loop(serve_while(a_route_echoes));
}

awaitable<void> parameters_come_as_their_types(http::server&, std::string place) {
  http::client web;
  auto socket = co_await web.websocket("ws://" + place + "/rooms/a%20b/7?who=me");
  const auto greeting = co_await socket.receive();
  EXPECT_EQ(greeting.data, "a b 7 me");
  const int code = co_await code_of(socket);
  EXPECT_EQ(code, 1000);
  auto wrong = web.websocket("ws://" + place + "/rooms/a/seven");
  const auto why = co_await error_of<http::request_error>(std::move(wrong));
  EXPECT_NE(why.find("the server answered 404"), why.npos) << why;
}

TEST(http_server_websocket, parameters_come_as_their_types) {
  run_on_loop(serve_while(parameters_come_as_their_types));
}

awaitable<void> an_exception_closes_with_1011(http::server&, std::string place) {
  http::client web;
  auto socket = co_await web.websocket("ws://" + place + "/fail");
  const int code = co_await code_of(socket);
  EXPECT_EQ(code, 1011);
}

TEST(http_server_websocket, an_exception_closes_with_1011) {
  run_on_loop(serve_while(an_exception_closes_with_1011));
}

awaitable<void> other_requests_are_refused(http::server&, std::string place) {
  http::client web;
  const auto plain = co_await web.get("http://" + place + "/echo");
  EXPECT_EQ(plain.status, 426);
  const http::fields headers{{"Origin", "https://evil.example"}};
  auto foreign = web.websocket("ws://" + place + "/echo", {}, {.headers = headers});
  const auto why = co_await error_of<http::request_error>(std::move(foreign));
  EXPECT_NE(why.find("the server answered 403"), why.npos) << why;
}

TEST(http_server_websocket, other_requests_are_refused) {
  run_on_loop(serve_while(other_requests_are_refused));
}

awaitable<void> stop_closes_with_1001(http::server& server, std::string place) {
  http::client web;
  auto socket = co_await web.websocket("ws://" + place + "/echo");
  server.stop();
  const int code = co_await code_of(socket);
  EXPECT_EQ(code, 1001);
}

TEST(http_server_websocket, stop_closes_with_1001) {
  run_on_loop(serve_while(stop_closes_with_1001));
}

}  // namespace
}  // namespace quarq::test::http_server_websocket
