// TLS as curl judges it, and proxies.
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/this_coro.hpp>
#include <gtest/gtest.h>

#include <quarq/gather.hpp>
#include <quarq/http/client.hpp>
#include <quarq/time.hpp>

#include "http/net/connect.hpp"
#include "support/certificates.hpp"
#include "support/command.hpp"
#include "support/http_peer.hpp"
#include "support/on_loop.hpp"
#include "support/temp_dir.hpp"

namespace quarq::http::client_security_tests {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using test::always;
using test::certificate;
using test::certificate_request;
using test::http_answer;
using test::http_peer;
using test::read_request;

certificate_request for_name(std::string name) {
  certificate_request request;
  request.names = {std::move(name)};
  return request;
}

certificate authority() {
  certificate_request request;
  request.common_name = "quarq test authority";
  request.is_authority = true;
  return certificate(request);
}

std::shared_ptr<const tls_context> showing(const certificate& one, const std::string& client_ca = {}) {
  const test::temp_dir folder;
  tls_settings settings;
  settings.certificate_file = folder.write("server.pem", one.both());
  settings.verify = !client_ca.empty();
  settings.ca_pem = client_ca;
  return std::make_shared<tls_context>(tls_role::server, settings);
}

std::string answer_or_failure(client& web, std::string url) {
  return test::run_on_loop([&]() -> awaitable<std::string> {
    std::string result;
    try {
      const auto page = co_await web.get(url);
      result = page.body;
    } catch (const request_error& e) {
      result = e.what();
    }
    co_return result;
  });
}

struct tls_row {
  std::string what;
  certificate shown;
  bool trusted;
};

TEST(http_client_tls, trusts_whom_curl_trusts) {
  const auto ca = authority();
  auto expired = for_name("IP:127.0.0.1");
  expired.valid_from = -48h;
  expired.valid_until = -24h;
  auto early = for_name("IP:127.0.0.1");
  early.valid_from = 24h;
  early.valid_until = 48h;
  const std::vector<tls_row> rows{
      {"address", certificate(for_name("IP:127.0.0.1"), ca), true},
      {"another address", certificate(for_name("IP:127.0.0.2"), ca), false},
      {"a name", certificate(for_name("DNS:localhost"), ca), false},
      {"expired", certificate(expired, ca), false},
      {"not yet valid", certificate(early, ca), false},
      {"unknown authority", certificate(for_name("IP:127.0.0.1"), authority()), false},
      {"signed by itself", certificate(for_name("IP:127.0.0.1")), false},
  };
  const test::temp_dir folder;
  const auto ca_file = folder.write("ca.pem", ca.text());
  client_options options;
  options.ca_file = ca_file;
  client web(options);
  for (const auto& row : rows) {
    http_peer peer(always(http_answer("trusted")), showing(row.shown));
    const auto ours = answer_or_failure(web, peer.url());
    const auto curls =
        test::run_command({"curl", "--silent", "--noproxy", "*", "--cacert", ca_file, peer.url()});
    EXPECT_EQ(ours == "trusted", row.trusted) << row.what << ": " << ours;
    EXPECT_EQ(curls.out == "trusted", row.trusted) << row.what;
    if (!row.trusted) {
      EXPECT_NE(ours.find("TLS handshake to 127.0.0.1:"), std::string::npos) << ours;
    }
  }
}

TEST(http_client_tls, shows_its_own_certificate_and_pins_keys) {
  const auto ca = authority();
  const certificate server(for_name("IP:127.0.0.1"), ca);
  http_peer peer(always(http_answer("trusted")), showing(server, ca.text()));
  client_options options;
  options.ca_pem = ca.text();
  client without(options);
  EXPECT_NE(answer_or_failure(without, peer.url()), "trusted");
  const test::temp_dir folder;
  const certificate own(for_name("DNS:client"), ca);
  options.certificate_file = folder.write("own.pem", own.text());
  options.key_file = folder.write("own.key", own.key_text());
  options.pinned_key = server.key_digest();
  client with(options);
  EXPECT_EQ(answer_or_failure(with, peer.url()), "trusted");
  options.pinned_key = own.key_digest();
  client pinned(options);
  EXPECT_NE(answer_or_failure(pinned, peer.url()).find("expected the pinned key"), std::string::npos);
}

TEST(http_client_tls, a_connection_is_used_again) {
  const auto ca = authority();
  http_peer peer(always(http_answer(std::string(100'000, 'x'))),
                 showing(certificate(for_name("IP:127.0.0.1"), ca)));
  client_options options;
  options.ca_pem = ca.text();
  client web(options);
  test::run_on_loop([&]() -> awaitable<void> {
    for (int i = 0; i < 10; ++i) {
      const auto page = co_await web.get(peer.url());
      EXPECT_EQ(page.body.size(), 100'000u);
    }
  });
  EXPECT_EQ(peer.accepted(), 1);
}

TEST(http_client_tls, a_second_answer_in_a_record_of_its_own_reaches_nobody) {
  const auto ca = authority();
  const auto two_answers = [&](stream& io, int) -> awaitable<void> {
    while (true) {
      const auto request = co_await read_request(io);
      if (request.empty()) co_return;
      const auto good = http_answer("good");
      const auto evil = http_answer("evil");
      // Two records in one packet.
      co_await io.write(good, evil);
    }
  };
  http_peer peer(two_answers, showing(certificate(for_name("IP:127.0.0.1"), ca)));
  client_options options;
  options.ca_pem = ca.text();
  client web(options);
  test::run_on_loop([&]() -> awaitable<void> {
    for (int i = 0; i < 10; ++i) {
      const auto page = co_await web.get(peer.url());
      EXPECT_EQ(page.body, "good");
    }
  });
}

TEST(http_client_tls, an_answer_until_the_end_must_end_in_good_order) {
  const auto ca = authority();
  const auto cut_off = [](stream& io, int) -> awaitable<void> {
    co_await read_request(io);
    co_await io.write("HTTP/1.1 200 OK\r\n\r\nhalf of i");
    io.socket().close();
  };
  http_peer peer(cut_off, showing(certificate(for_name("IP:127.0.0.1"), ca)));
  client_options options;
  options.ca_pem = ca.text();
  client web(options);
  EXPECT_NE(answer_or_failure(web, peer.url()).find("cut off"), std::string::npos);
}

// A proxy: passes on what CONNECT asks for, and answers everything else itself.
class proxy {
 public:
  explicit proxy(std::string connect_answer = "HTTP/1.1 200 Connection established\r\n\r\n")
      : connect_answer_(std::move(connect_answer)), peer_([this](stream& io, int) { return serve(io); }) {}

  std::string address() const { return "127.0.0.1:" + std::to_string(peer_.port()); }
  std::vector<std::string> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  awaitable<void> serve(stream& io) {
    while (true) {
      const auto request = co_await read_request(io);
      if (request.empty()) co_return;
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(request);
      }
      if (!request.starts_with("CONNECT ")) {
        co_await io.write(http_answer("from the proxy"));
        continue;
      }
      co_await io.write(connect_answer_);
      if (!connect_answer_.starts_with("HTTP/1.1 200")) co_return;
      const auto port = request.substr(request.find(':') + 1, 5);
      std::vector<asio::ip::tcp::endpoint> to{
          {asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(std::stoi(port))}};
      std::string trying;
      auto socket = co_await connect_to_any(to, trying);
      stream there(std::move(socket));
      co_await when_any(pass_on(io, there), pass_on(there, io));
      co_return;
    }
  }

  static awaitable<void> pass_on(stream& from, stream& to) {
    std::string space(10'000, '\0');
    while (true) {
      const auto size = co_await from.read_some(space);
      if (size == 0) co_return;
      co_await to.write(std::string_view(space).substr(0, size));
    }
  }

  const std::string connect_answer_;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  http_peer peer_;
};

TEST(http_client_proxy, gets_the_whole_url_and_its_own_credentials) {
  proxy between;
  client_options options;
  options.proxy = "http://user:pass@" + between.address();
  client web(options);
  EXPECT_EQ(answer_or_failure(web, "http://example.org/x?y"), "from the proxy");
  EXPECT_EQ(answer_or_failure(web, "http://example.com/z"), "from the proxy");
  const auto requests = between.requests();
  ASSERT_EQ(requests.size(), 2u);
  EXPECT_TRUE(requests[0].starts_with("GET http://example.org/x?y HTTP/1.1\r\nHost: example.org\r\n"))
      << requests[0];
  EXPECT_NE(requests[0].find("\r\nProxy-Authorization: Basic dXNlcjpwYXNz\r\n"), std::string::npos);
}

TEST(http_client_proxy, connects_through_and_keeps_credentials_apart) {
  const auto ca = authority();
  std::mutex mutex;
  std::string at_origin;
  const auto recording = [&](stream& io, int) -> awaitable<void> {
    while (true) {
      const auto request = co_await read_request(io);
      if (request.empty()) co_return;
      {
        const std::lock_guard lock(mutex);
        at_origin = request;
      }
      co_await io.write(http_answer("secure"));
    }
  };
  http_peer peer(recording, showing(certificate(for_name("IP:127.0.0.1"), ca)));
  proxy between;
  client_options options;
  options.ca_pem = ca.text();
  options.proxy = "http://user:pass@" + between.address();
  client web(options);
  test::run_on_loop([&]() -> awaitable<void> {
    for (int i = 0; i < 3; ++i) {
      const auto page = co_await web.get(peer.url("/x"), {.bearer = "token"});
      EXPECT_EQ(page.body, "secure");
    }
  });
  const auto requests = between.requests();
  ASSERT_EQ(requests.size(), 1u);
  EXPECT_TRUE(requests[0].starts_with("CONNECT 127.0.0.1:" + std::to_string(peer.port()) + " HTTP/1.1\r\n"));
  EXPECT_NE(requests[0].find("\r\nProxy-Authorization: Basic dXNlcjpwYXNz\r\n"), std::string::npos);
  EXPECT_EQ(requests[0].find("Bearer"), std::string::npos);
  const std::lock_guard lock(mutex);
  EXPECT_TRUE(at_origin.starts_with("GET /x HTTP/1.1\r\n")) << at_origin;
  EXPECT_EQ(at_origin.find("Proxy-Authorization"), std::string::npos);
  EXPECT_NE(at_origin.find("\r\nAuthorization: Bearer token\r\n"), std::string::npos);
}

TEST(http_client_proxy, a_refusal_is_an_error_of_the_proxy) {
  proxy between("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n");
  client_options options;
  options.proxy = "http://" + between.address();
  client web(options);
  const auto what = answer_or_failure(web, "https://example.org/");
  EXPECT_NE(what.find("asking the proxy to connect"), std::string::npos) << what;
  EXPECT_NE(what.find("the proxy refuses: 407 Proxy Authentication Required"), std::string::npos) << what;
}

TEST(http_client_proxy, what_it_sends_ahead_is_refused) {
  proxy between("HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
  client_options options;
  options.proxy = "http://" + between.address();
  client web(options);
  const auto what = answer_or_failure(web, "https://127.0.0.1:9/");
  EXPECT_NE(what.find("the proxy sent something behind its answer"), std::string::npos) << what;
}

}  // namespace
}  // namespace quarq::http::client_security_tests
