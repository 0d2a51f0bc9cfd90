#include "support/websocket_pair.hpp"

#include <array>
#include <optional>
#include <stdexcept>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <quarq/gather.hpp>

#include "http/message/parser.hpp"
#include "http/message/writer.hpp"
#include "http/websocket/handshake.hpp"
#include "http/websocket/open.hpp"
#include "http/websocket/websocket_link.hpp"
#include "support/certificates.hpp"
#include "support/temp_dir.hpp"

namespace quarq::test {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

awaitable<void> secure_streams(stream_pair& both) {
  certificate_request request;
  request.names = {"DNS:example.org"};
  const certificate own(request);
  const temp_dir folder;
  http::tls_settings server;
  server.verify = false;
  server.certificate_file = folder.write("server.pem", own.both());
  http::tls_settings client;
  client.ca_pem = own.text();
  auto of_server = std::make_shared<http::tls_context>(http::tls_role::server, server);
  auto of_client = std::make_shared<http::tls_context>(http::tls_role::client, client);
  auto there = both.server->start_tls(of_server, "");
  auto here = both.client->start_tls(of_client, "example.org");
  auto together = gather(std::move(there), std::move(here));
  co_await std::move(together);
}

}  // namespace

awaitable<stream_pair> connected_streams(transport how) {
  const auto loop = co_await asio::this_coro::executor;
  tcp::acceptor acceptor(loop, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  tcp::socket client(loop);
  // The kernel completes the connection; nobody needs to have accepted it.
  client.connect(acceptor.local_endpoint());
  auto server = acceptor.accept();
  stream_pair both;
  both.client = std::make_unique<http::stream>(std::move(client));
  both.server = std::make_unique<http::stream>(std::move(server));
  if (how == transport::tls) co_await secure_streams(both);
  co_return both;
}

awaitable<http::websocket> accept_websocket(std::unique_ptr<http::stream> connected,
                                            http::websocket_options options) {
  http::request_parser parser;
  std::string bytes;
  std::array<char, 4096> space;
  while (true) {
    const auto step = parser.feed(bytes);
    bytes.erase(0, step.used);
    if (step.event == http::parse_event::failed) throw std::runtime_error(parser.error().what);
    if (step.event == http::parse_event::end) break;
    if (step.event != http::parse_event::needs_more) continue;
    const auto size = co_await connected->read_some(space);
    if (size == 0) throw std::runtime_error("no request came");
    bytes.append(space.data(), size);
  }
  auto answer =
      http::ws::answer_upgrade({parser.method(), parser.minor_version(), parser.headers()}, options);
  std::string text;
  http::append_response_header(text, answer.status, answer.headers);
  co_await connected->write(text);
  if (answer.status != 101) throw std::runtime_error(answer.what);
  auto link = http::ws::websocket_link::start(std::move(connected), bytes, http::ws::role::server, options,
                                              std::move(answer.agreed));
  co_return http::websocket(std::move(link));
}

namespace {

awaitable<void> keep_websocket(awaitable<http::websocket> from, std::optional<http::websocket>& into) {
  auto made = co_await std::move(from);
  into.emplace(std::move(made));
}

}  // namespace

awaitable<websocket_pair> connected_websockets(http::websocket_options options, transport how) {
  auto streams = co_await connected_streams(how);
  std::optional<http::websocket> client;
  std::optional<http::websocket> server;
  auto accepting = keep_websocket(accept_websocket(std::move(streams.server), options), server);
  http::fields none;
  auto opening = keep_websocket(
      http::ws::open_websocket(std::move(streams.client), "localhost", "/", std::move(none), options),
      client);
  auto both = gather(std::move(accepting), std::move(opening));
  co_await std::move(both);
  co_return websocket_pair(std::move(*client), std::move(*server));
}

awaitable<half_raw_pair> websocket_and_raw_client(http::websocket_options options) {
  auto streams = co_await connected_streams();
  http::fields headers = http::ws::upgrade_fields("dGhlIHNhbXBsZSBub25jZQ==", options);
  headers.set("Host", "localhost");
  std::string request;
  http::append_request_header(request, "GET", "/", headers);
  co_await streams.client->write(request);
  auto server = co_await accept_websocket(std::move(streams.server), options);
  std::string answer;
  std::array<char, 1> byte;
  while (!answer.ends_with("\r\n\r\n")) {
    const auto size = co_await streams.client->read_some(byte);
    if (size == 0) throw std::runtime_error("no answer came");
    answer.append(byte.data(), size);
  }
  co_return half_raw_pair(std::move(streams.client), std::move(server));
}

awaitable<std::string> read_to_end(http::stream& from) {
  std::string all;
  std::array<char, 4096> space;
  while (true) {
    const auto size = co_await from.read_some(space);
    if (size == 0) co_return all;
    all.append(space.data(), size);
  }
}

}  // namespace quarq::test
