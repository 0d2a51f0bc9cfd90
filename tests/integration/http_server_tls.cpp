// A server behind TLS.
#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>

#include <quarq/http/server.hpp>
#include <quarq/time.hpp>

#include "http/net/stream.hpp"
#include "support/certificates.hpp"
#include "support/on_loop.hpp"
#include "support/raw_connection.hpp"
#include "support/served.hpp"
#include "support/temp_dir.hpp"

namespace quarq::test::http_server_tls {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using namespace std::chrono_literals;

awaitable<std::unique_ptr<http::stream>> connect(std::uint16_t port, std::string authority) {
  tcp::socket socket(co_await asio::this_coro::executor);
  const tcp::endpoint where(asio::ip::address_v4::loopback(), port);
  co_await socket.async_connect(where, asio::use_awaitable);
  auto io = std::make_unique<http::stream>(std::move(socket));
  http::tls_settings trust;
  trust.ca_pem = authority;
  auto context = std::make_shared<http::tls_context>(http::tls_role::client, trust);
  co_await io->start_tls(context, "example.org");
  co_return io;
}

awaitable<std::string> read_to_end(http::stream& io) {
  std::string answer;
  std::array<char, 4096> space;
  while (true) {
    const auto size = co_await io.read_some(space);
    if (size == 0) break;
    answer.append(space.data(), size);
  }
  co_return answer;
}

awaitable<std::string> ask(std::uint16_t port, std::string authority, std::string request) {
  auto io = co_await connect(port, authority);
  co_await io->write(request);
  auto answer = co_await read_to_end(*io);
  co_return answer;
}

// Takes a little at a time for so long, and then the rest.
awaitable<std::size_t> ask_and_dawdle(std::uint16_t port, std::string authority, std::string request,
                                      std::chrono::milliseconds time) {
  auto io = co_await connect(port, authority);
  co_await io->write(request);
  const auto until = std::chrono::steady_clock::now() + time;
  std::array<char, 65536> space;
  std::size_t size = 0;
  while (std::chrono::steady_clock::now() < until) {
    const auto taken = co_await io->read_some(space);
    size += taken;
    co_await sleep_for(5ms);
  }
  const auto rest = co_await read_to_end(*io);
  co_return size + rest.size();
}

// Certificate and key for example.org.
certificate own_certificate() {
  certificate_request wanted;
  wanted.names = {"DNS:example.org"};
  return certificate(wanted);
}

TEST(http_server_tls, requests_are_answered_in_it_and_others_closed) {
  const auto own = own_certificate();
  const temp_dir folder;
  http::server_options options;
  options.port = 0;
  options.certificate_file = folder.write("server.pem", own.both());
  http::server server(options);
  server.get("/secure",
             [](http::request& r) { return r.has_tls() ? std::string(100'000, 's') : std::string("plain"); });
  served run(server);
  const std::string request = "GET /secure HTTP/1.1\r\nHost: example.org\r\nConnection: close\r\n\r\n";
  const auto answer = run_on_loop(ask(run.port, own.text(), request));
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_TRUE(answer.ends_with(std::string(100'000, 's')));
  raw_connection plain(run.port);
  plain.send("GET /secure HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(plain.read_to_end().find("HTTP"), std::string::npos);
}

// What write_timeout limits is silence, not how long a large answer takes.
TEST(http_server_tls, a_client_that_takes_its_time_gets_all_of_it) {
  const auto own = own_certificate();
  const temp_dir folder;
  http::server_options options;
  options.port = 0;
  options.certificate_file = folder.write("server.pem", own.both());
  options.write_timeout = 2s;
  http::server server(options);
  constexpr std::size_t size = 40'000'000;
  server.get("/large", [] { return std::string(size, 'x'); });
  served run(server);
  const std::string request = "GET /large HTTP/1.1\r\nHost: example.org\r\nConnection: close\r\n\r\n";
  const auto taken = run_on_loop(ask_and_dawdle(run.port, own.text(), request, 5s));
  EXPECT_GT(taken, size);
}

}  // namespace
}  // namespace quarq::test::http_server_tls
