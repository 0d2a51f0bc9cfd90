// A server behind TLS.
#include <array>
#include <memory>
#include <string>
#include <utility>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>

#include <quarq/http/server.hpp>

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

awaitable<std::string> ask(std::uint16_t port, std::string authority, std::string request) {
  tcp::socket socket(co_await asio::this_coro::executor);
  const tcp::endpoint where(asio::ip::address_v4::loopback(), port);
  co_await socket.async_connect(where, asio::use_awaitable);
  http::stream io(std::move(socket));
  http::tls_settings trust;
  trust.ca_pem = authority;
  auto context = std::make_shared<http::tls_context>(http::tls_role::client, trust);
  co_await io.start_tls(context, "example.org");
  co_await io.write(request);
  std::string answer;
  std::array<char, 4096> space;
  while (true) {
    const auto size = co_await io.read_some(space);
    if (size == 0) break;
    answer.append(space.data(), size);
  }
  co_return answer;
}

TEST(http_server_tls, requests_are_answered_in_it_and_others_closed) {
  certificate_request wanted;
  wanted.names = {"DNS:example.org"};
  const certificate own(wanted);
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

}  // namespace
}  // namespace quarq::test::http_server_tls
