#include "servers.hpp"

#include <cstdint>
#include <cstdio>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <boost/describe.hpp>
#include <fmt/format.h>

#include <quarq/http/server.hpp>
#include <quarq/run.hpp>

#include "example_user.hpp"
#include "raw_client.hpp"

namespace quarq::bench {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;

constexpr auto as_result = asio::as_tuple(asio::deferred);
// As long as the one that quarq and Beast's floor send.
constexpr const char* date = "Sat, 28 Nov 2026 12:00:00 GMT";

void say_port(std::uint16_t port) {
  fmt::print("{}\n", port);
  std::fflush(stdout);
}

awaitable<example_user> get_user(int id) {
  co_return example_user{id, "Ada Lovelace", true};
}

awaitable<void> serve_quarq() {
  http::server_options options;
  options.port = 0;
  http::server server(options);
  server.get("/users/{id}", get_user);
  say_port(server.listen());
  co_await server.run();
}

awaitable<void> serve_beast(tcp::socket socket) {
  beast::flat_buffer buffer;
  while (true) {
    beast::http::request<beast::http::string_body> request;
    auto reading = beast::http::async_read(socket, buffer, request, as_result);
    const auto [read_failure, read] = co_await std::move(reading);
    if (read_failure) co_return;
    beast::http::response<beast::http::string_body> answer{beast::http::status::ok, request.version()};
    answer.set(beast::http::field::date, date);
    answer.set(beast::http::field::content_type, "application/json");
    answer.body() = example_user_json;
    answer.keep_alive(request.keep_alive());
    answer.prepare_payload();
    auto writing = beast::http::async_write(socket, answer, as_result);
    const auto [write_failure, written] = co_await std::move(writing);
    if (write_failure) co_return;
  }
}

awaitable<void> serve_asio(tcp::socket socket) {
  const std::string answer = fmt::format(
      "HTTP/1.1 200 OK\r\nDate: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{}", date,
      example_user_json.size(), example_user_json);
  std::string got;
  char space[4096];
  while (true) {
    auto reading = socket.async_read_some(asio::buffer(space), as_result);
    const auto [read_failure, size] = co_await std::move(reading);
    if (read_failure) co_return;
    got.append(space, size);
    const auto end = got.find("\r\n\r\n");
    if (end == got.npos) continue;
    got.erase(0, end + 4);
    auto writing = asio::async_write(socket, asio::buffer(answer), as_result);
    const auto [write_failure, written] = co_await std::move(writing);
    if (write_failure) co_return;
  }
}

// All WebSockets of a server, for broadcasts.
template <class Socket>
using socket_set = std::set<Socket*>;

bool is_broadcast(std::string_view message) {
  return message.starts_with('B');
}

awaitable<void> echo_by_quarq(socket_set<http::websocket>& all, http::websocket& socket) {
  all.insert(&socket);
  try {
    while (true) {
      const auto one = co_await socket.receive();
      if (!is_broadcast(one.data)) {
        co_await socket.send(one);
        continue;
      }
      for (auto* other : all) other->try_send_binary(one.data);
    }
  } catch (const http::websocket_closed&) {
    all.erase(&socket);
  }
}

awaitable<void> serve_quarq_websockets() {
  http::server_options options;
  options.port = 0;
  options.max_connections = 100'000;
  http::server server(options);
  socket_set<http::websocket> all;
  const auto echo = [&all](http::websocket& socket) { return echo_by_quarq(all, socket); };
  server.websocket("/echo", echo);
  say_port(server.listen());
  co_await server.run();
}

using beast_socket = beast::websocket::stream<tcp::socket>;

awaitable<void> send_by_beast(beast_socket& socket, const beast::flat_buffer& message) {
  auto writing = socket.async_write(message.data(), as_result);
  const auto [failure, written] = co_await std::move(writing);
  if (failure) throw boost::system::system_error(failure);
}

// Its broadcast is that of a floor: one write after another, to peers that read.
awaitable<void> echo_by_beast(tcp::socket connected) {
  static socket_set<beast_socket> all;
  beast_socket socket(std::move(connected));
  socket.auto_fragment(false);
  auto accepting = socket.async_accept(as_result);
  const auto [refused] = co_await std::move(accepting);
  if (refused) co_return;
  socket.binary(true);
  all.insert(&socket);
  while (true) {
    beast::flat_buffer message;
    auto reading = socket.async_read(message, as_result);
    const auto [failure, size] = co_await std::move(reading);
    if (failure) break;
    const std::string_view bytes(static_cast<const char*>(message.data().data()), message.size());
    if (is_broadcast(bytes)) {
      for (auto* other : all) co_await send_by_beast(*other, message);
    } else {
      co_await send_by_beast(socket, message);
    }
  }
  all.erase(&socket);
}

awaitable<void> accept_for(awaitable<void> (*serve)(tcp::socket)) {
  const auto loop = co_await asio::this_coro::executor;
  tcp::acceptor acceptor(loop, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  say_port(acceptor.local_endpoint().port());
  while (true) {
    auto accepting = acceptor.async_accept(as_result);
    auto [failure, socket] = co_await std::move(accepting);
    if (failure) co_return;
    socket.set_option(tcp::no_delay(true));
    asio::co_spawn(loop, serve(std::move(socket)), asio::detached);
  }
}

}  // namespace

int http_server_main(int argc, char** argv) {
  allow_many_descriptors();
  const std::string_view kind = argc > 1 ? argv[1] : "";
  if (kind == "quarq") return quarq::main(serve_quarq());
  if (kind == "beast") return quarq::main(accept_for(serve_beast));
  if (kind == "asio") return quarq::main(accept_for(serve_asio));
  if (kind == "quarq-websocket") return quarq::main(serve_quarq_websockets());
  if (kind == "beast-websocket") return quarq::main(accept_for(echo_by_beast));
  fmt::print(stderr, "quarq-bench http-server: there is no kind \"{}\"\n", kind);
  return 2;
}

}  // namespace quarq::bench
