#include "http/net/tls_engine.hpp"

#include <array>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "support/certificates.hpp"
#include "support/temp_dir.hpp"

namespace quarq::http {
namespace {

using test::certificate;
using test::certificate_request;

// A client and a server, and the bytes between them.
class tls_pair {
 public:
  tls_pair(const certificate& shown, tls_settings client, const std::string& host,
           const std::string& client_ca = {})
      : client_(std::make_shared<tls_context>(tls_role::client, client), host) {
    tls_settings server;
    server.certificate_file = file("server.pem", shown.both());
    server.verify = !client_ca.empty();
    server.ca_pem = client_ca;
    server_ = std::make_unique<tls_engine>(std::make_shared<tls_context>(tls_role::server, server), "");
  }

  std::string file(const std::string& name, const std::string& text) { return folder().write(name, text); }

  // "" or why one of them refused.
  std::string handshake() {
    try {
      for (int i = 0; i < 10; ++i) {
        const bool client_done = client_.handshake();
        move(client_, *server_);
        const bool server_done = server_->handshake();
        move(*server_, client_);
        if (client_done && server_done) return "";
      }
    } catch (const tls_error& e) {
      return e.what();
    }
    return "no end";
  }

  static void move(tls_engine& from, tls_engine& to) {
    std::string bytes;
    from.take_output(bytes);
    to.feed(bytes);
  }

  tls_engine& client() { return client_; }
  tls_engine& server() { return *server_; }

 private:
  static test::temp_dir& folder() {
    static test::temp_dir one;
    return one;
  }
  tls_engine client_;
  std::unique_ptr<tls_engine> server_;
};

certificate authority() {
  certificate_request request;
  request.common_name = "quarq test authority";
  request.is_authority = true;
  return certificate(request);
}

certificate_request for_names(std::vector<std::string> names) {
  certificate_request request;
  request.names = std::move(names);
  return request;
}

std::string read_all(tls_engine& from) {
  std::string text;
  std::array<char, 5> space{};
  while (true) {
    const auto got = from.read(space);
    if (got.state != tls_engine::read_state::data) return text;
    text.append(space.data(), got.size);
  }
}

tls_settings trusting(const certificate& ca) {
  tls_settings settings;
  settings.ca_pem = ca.text();
  return settings;
}

TEST(http_tls_engine, carries_bytes_both_ways_and_ends_in_good_order) {
  const auto ca = authority();
  tls_pair pair(certificate(for_names({"DNS:example.org"}), ca), trusting(ca), "example.org");
  ASSERT_EQ(pair.handshake(), "");
  pair.client().write("hello, server");
  tls_pair::move(pair.client(), pair.server());
  EXPECT_TRUE(pair.server().has_unread());
  EXPECT_EQ(read_all(pair.server()), "hello, server");
  EXPECT_FALSE(pair.server().has_unread());
  pair.server().write("hello, client");
  EXPECT_FALSE(pair.server().shut_down());
  tls_pair::move(pair.server(), pair.client());
  EXPECT_EQ(read_all(pair.client()), "hello, client");
  std::array<char, 1> space{};
  EXPECT_EQ(pair.client().read(space).state, tls_engine::read_state::closed);
}

struct trust_row {
  const char* what;
  certificate shown;
  std::string host;
  std::string refusal;  // "": trusted
};

TEST(http_tls_engine, trusts_only_valid_certificates_for_the_host) {
  const auto ca = authority();
  auto expired = for_names({"DNS:example.org"});
  expired.valid_from = std::chrono::hours(-48);
  expired.valid_until = std::chrono::hours(-24);
  auto early = for_names({"DNS:example.org"});
  early.valid_from = std::chrono::hours(24);
  early.valid_until = std::chrono::hours(48);
  const auto wildcard = for_names({"DNS:*.example.org"});
  const std::string not_trusted = "the server's certificate is not trusted: ";
  const trust_row rows[] = {
      {"name", certificate(for_names({"DNS:example.org"}), ca), "example.org", ""},
      {"one of two names", certificate(for_names({"DNS:a.b", "DNS:example.org"}), ca), "example.org", ""},
      {"another name", certificate(for_names({"DNS:example.com"}), ca), "example.org",
       not_trusted + "hostname mismatch"},
      {"wildcard", certificate(wildcard, ca), "www.example.org", ""},
      {"wildcard, two levels", certificate(wildcard, ca), "a.b.example.org",
       not_trusted + "hostname mismatch"},
      {"wildcard, no level", certificate(wildcard, ca), "example.org", not_trusted + "hostname mismatch"},
      {"part of a wildcard", certificate(for_names({"DNS:w*.example.org"}), ca), "www.example.org",
       not_trusted + "hostname mismatch"},
      {"IPv4", certificate(for_names({"IP:127.0.0.1"}), ca), "127.0.0.1", ""},
      {"IPv6", certificate(for_names({"IP:::1"}), ca), "::1", ""},
      {"another address", certificate(for_names({"IP:127.0.0.2"}), ca), "127.0.0.1",
       not_trusted + "IP address mismatch"},
      {"an address as a name", certificate(for_names({"DNS:127.0.0.1"}), ca), "127.0.0.1",
       not_trusted + "IP address mismatch"},
      {"expired", certificate(expired, ca), "example.org", not_trusted + "certificate has expired"},
      {"not yet valid", certificate(early, ca), "example.org", not_trusted + "certificate is not yet valid"},
      {"unknown authority", certificate(for_names({"DNS:example.org"}), authority()), "example.org",
       not_trusted},
      {"signed by itself", certificate(for_names({"DNS:example.org"})), "example.org", not_trusted},
  };
  for (const auto& row : rows) {
    tls_pair pair(row.shown, trusting(ca), row.host);
    const auto refusal = pair.handshake();
    if (row.refusal.empty())
      EXPECT_EQ(refusal, "") << row.what;
    else
      EXPECT_EQ(refusal.substr(0, row.refusal.size()), row.refusal) << row.what << ": " << refusal;
  }
}

TEST(http_tls_engine, without_verification_takes_any_certificate) {
  tls_settings careless;
  careless.verify = false;
  tls_pair pair(certificate(for_names({"DNS:other"})), careless, "example.org");
  EXPECT_EQ(pair.handshake(), "");
}

TEST(http_tls_engine, the_systems_authorities_do_not_sign_tests) {
  tls_pair pair(certificate(for_names({"DNS:example.org"}), authority()), {}, "example.org");
  EXPECT_NE(pair.handshake().find("not trusted"), std::string::npos);
}

TEST(http_tls_engine, a_pinned_key_must_be_the_servers) {
  const auto ca = authority();
  const certificate shown(for_names({"DNS:example.org"}), ca);
  auto settings = trusting(ca);
  settings.pinned_key = shown.key_digest();
  EXPECT_EQ(tls_pair(shown, settings, "example.org").handshake(), "");
  settings.pinned_key = ca.key_digest();
  EXPECT_NE(tls_pair(shown, settings, "example.org").handshake().find("expected the pinned key"),
            std::string::npos);
}

TEST(http_tls_engine, a_server_may_ask_clients_for_certificates) {
  const auto ca = authority();
  const certificate shown(for_names({"DNS:example.org"}), ca);
  const certificate own(for_names({"DNS:client"}), ca);
  {
    tls_pair without(shown, trusting(ca), "example.org", ca.text());
    EXPECT_NE(without.handshake(), "");
  }
  auto settings = trusting(ca);
  test::temp_dir folder;
  settings.certificate_file = folder.write("client.pem", own.both());
  tls_pair with(shown, settings, "example.org", ca.text());
  EXPECT_EQ(with.handshake(), "");
}

TEST(http_tls_context, names_the_file_that_is_wrong) {
  const auto failure = [](const tls_settings& settings) -> std::string {
    try {
      tls_context(tls_role::client, settings);
    } catch (const usage_error& e) {
      return e.what();
    }
    return "no error";
  };
  tls_settings settings;
  settings.ca_file = "/nonexistent/ca.pem";
  EXPECT_NE(failure(settings).find("can't read the certificates to trust from /nonexistent/ca.pem"),
            std::string::npos);
  settings = {};
  settings.certificate_file = "/nonexistent/own.pem";
  EXPECT_NE(failure(settings).find("can't read the certificate from /nonexistent/own.pem"),
            std::string::npos);
  settings = {};
  settings.ca_pem = "no certificate";
  EXPECT_NE(failure(settings).find("has none in PEM"), std::string::npos);
}

}  // namespace
}  // namespace quarq::http
