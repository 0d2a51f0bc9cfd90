#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <gtest/gtest.h>

#include <quarq/gather.hpp>
#include <quarq/time.hpp>

#include "http/net/stream.hpp"
#include "support/certificates.hpp"
#include "support/on_loop.hpp"
#include "support/temp_dir.hpp"

namespace quarq::http::stream_tests {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

struct both_ends {
  std::unique_ptr<stream> client;
  std::unique_ptr<stream> server;
};

awaitable<both_ends> connected() {
  const auto loop = co_await asio::this_coro::executor;
  const tcp::endpoint any(asio::ip::address_v4::loopback(), 0);
  tcp::acceptor acceptor(loop, any);
  tcp::socket here(loop);
  co_await here.async_connect(acceptor.local_endpoint(), asio::use_awaitable);
  auto there = co_await acceptor.async_accept(asio::use_awaitable);
  both_ends ends;
  ends.client = std::make_unique<stream>(std::move(here));
  ends.server = std::make_unique<stream>(std::move(there));
  co_return ends;
}

awaitable<void> secure(both_ends& ends) {
  test::certificate_request request;
  request.names = {"DNS:example.org"};
  const test::certificate own(request);
  const test::temp_dir folder;
  tls_settings server;
  server.verify = false;
  server.certificate_file = folder.write("server.pem", own.both());
  tls_settings client;
  client.ca_pem = own.text();
  auto of_server = std::make_shared<tls_context>(tls_role::server, server);
  auto of_client = std::make_shared<tls_context>(tls_role::client, client);
  co_await gather(ends.server->start_tls(of_server, ""), ends.client->start_tls(of_client, "example.org"));
}

awaitable<both_ends> connected_by_tls() {
  auto ends = co_await connected();
  co_await secure(ends);
  co_return ends;
}

awaitable<std::string> read_exactly(stream& from, std::size_t size) {
  std::string text(size, '\0');
  std::size_t got = 0;
  while (got < size) {
    const std::span<char> rest(text.data() + got, size - got);
    const auto now = co_await from.read_some(rest);
    if (now == 0) throw std::runtime_error("the stream ended");
    got += now;
  }
  co_return text;
}

awaitable<std::size_t> read_once(stream& from) {
  std::array<char, 16> space{};
  co_return co_await from.read_some(space);
}

std::string large_text(char seed) {
  std::string text(3'000'000, '\0');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(seed + i * i % 251);
  return text;
}

class http_stream : public testing::TestWithParam<bool> {
 protected:
  static awaitable<both_ends> ends() {
    if (GetParam()) return connected_by_tls();
    return connected();
  }
};

TEST_P(http_stream, carries_much_both_ways_at_once) {
  test::run_on_loop([]() -> awaitable<void> {
    auto ends = co_await http_stream::ends();
    const auto there = large_text('a');
    const auto back = large_text('b');
    const auto half = std::string_view(there).substr(0, 100);
    auto [written, answered, at_server, at_client] = co_await gather(
        ends.client->write(half, std::string_view(there).substr(100)), ends.server->write(back),
        read_exactly(*ends.server, there.size()), read_exactly(*ends.client, back.size()));
    EXPECT_TRUE(at_server == there);
    EXPECT_TRUE(at_client == back);
    EXPECT_TRUE(ends.client->is_quiet());
  });
}

TEST_P(http_stream, an_end_in_good_order_is_no_error) {
  test::run_on_loop([]() -> awaitable<void> {
    auto ends = co_await http_stream::ends();
    co_await ends.server->write("bye");
    auto [ended, text] =
        co_await gather(ends.server->finish(std::chrono::milliseconds(50)), read_exactly(*ends.client, 3));
    EXPECT_EQ(text, "bye");
  });
}

TEST_P(http_stream, what_comes_unasked_is_seen) {
  test::run_on_loop([]() -> awaitable<void> {
    auto ends = co_await http_stream::ends();
    EXPECT_TRUE(ends.client->is_quiet());
    co_await ends.server->write("x");
    const auto has_come = [&] { return !ends.client->is_quiet(); };
    co_await test::until(has_come);
  });
}

TEST_P(http_stream, a_closed_peer_is_seen) {
  test::run_on_loop([]() -> awaitable<void> {
    auto ends = co_await http_stream::ends();
    ends.server->close();
    const auto has_closed = [&] { return !ends.client->is_quiet(); };
    co_await test::until(has_closed);
    const auto size = co_await read_once(*ends.client);
    EXPECT_EQ(size, 0u);
  });
}

TEST_P(http_stream, a_peer_that_does_not_end_is_waited_for_briefly) {
  test::run_on_loop([]() -> awaitable<void> {
    auto ends = co_await http_stream::ends();
    co_await ends.server->finish(std::chrono::milliseconds(20));
    EXPECT_FALSE(ends.server->is_open());
    EXPECT_TRUE(ends.client->is_open());
  });
}

INSTANTIATE_TEST_SUITE_P(, http_stream, testing::Bool(),
                         [](const auto& one) { return one.param ? "tls" : "tcp"; });

TEST(http_stream_tls, an_end_without_close_notify_is_an_error) {
  test::run_on_loop([]() -> awaitable<void> {
    auto ends = co_await connected_by_tls();
    ends.server->socket().close();
    std::string failure;
    try {
      co_await read_once(*ends.client);
    } catch (const tls_error& e) {
      failure = e.what();
    }
    EXPECT_EQ(failure, "the connection was cut off: it ended without TLS' close_notify");
  });
}

TEST(http_stream_tls, a_refused_peer_is_told_why) {
  test::run_on_loop([]() -> awaitable<void> {
    auto ends = co_await connected();
    test::certificate_request request;
    request.names = {"DNS:other"};
    const test::certificate own(request);
    const test::temp_dir folder;
    tls_settings server;
    server.verify = false;
    server.certificate_file = folder.write("server.pem", own.both());
    auto of_server = std::make_shared<tls_context>(tls_role::server, server);
    auto of_client = std::make_shared<tls_context>(tls_role::client, tls_settings{});
    auto [at_server, at_client] = co_await gather_outcomes(ends.server->start_tls(of_server, ""),
                                                           ends.client->start_tls(of_client, "example.org"));
    EXPECT_FALSE(at_client.ok());
    EXPECT_FALSE(at_server.ok());
  });
}

}  // namespace
}  // namespace quarq::http::stream_tests
