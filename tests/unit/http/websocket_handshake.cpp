// Who gets a WebSocket, and what a client accepts as one: every check of RFC 6455, 4.1 and 4.2, and of RFC 7692, 7.
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "http/websocket/extensions.hpp"
#include "http/websocket/handshake.hpp"

namespace quarq::http::ws {
namespace {

constexpr std::string_view sample_key = "dGhlIHNhbXBsZSBub25jZQ==";
constexpr std::string_view sample_accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

fields good_request() {
  return {{"Host", "example.org"},
          {"Upgrade", "websocket"},
          {"Connection", "keep-alive, Upgrade"},
          {"Sec-WebSocket-Key", sample_key},
          {"Sec-WebSocket-Version", "13"}};
}

upgrade_answer answer_to(const fields& headers, const websocket_options& options = {},
                         std::string_view method = "GET", int minor_version = 1) {
  return answer_upgrade({method, minor_version, headers}, options);
}

TEST(websocket_handshake, the_key_of_the_rfc_has_its_answer) {
  EXPECT_EQ(accept_of(sample_key), sample_accept);
}

TEST(websocket_handshake, each_key_is_new_and_16_bytes_in_base_64) {
  const auto one = new_key();
  EXPECT_EQ(one.size(), 24U);
  EXPECT_NE(one, new_key());
  auto headers = good_request();
  headers.set("Sec-WebSocket-Key", one);
  EXPECT_EQ(answer_to(headers).status, 101);
}

TEST(websocket_handshake, a_good_request_is_answered_with_101) {
  const auto answer = answer_to(good_request());
  EXPECT_EQ(answer.status, 101);
  EXPECT_EQ(answer.headers["Upgrade"], "websocket");
  EXPECT_EQ(answer.headers["Connection"], "Upgrade");
  EXPECT_EQ(answer.headers["Sec-WebSocket-Accept"], sample_accept);
  EXPECT_FALSE(answer.headers.contains("Sec-WebSocket-Protocol"));
  EXPECT_FALSE(answer.headers.contains("Sec-WebSocket-Extensions"));
}

struct changed_field {
  std::string_view name;
  std::string_view value;  ///< "-": without the field
  int status;
};

TEST(websocket_handshake, requests_that_break_a_rule_are_refused) {
  const changed_field all[] = {
      {"Host", "-", 400},
      {"Upgrade", "-", 426},
      {"Upgrade", "h2c", 426},
      {"Upgrade", "h2c, WebSocket", 101},
      {"Upgrade", "websocket2", 426},
      {"Connection", "-", 426},
      {"Connection", "keep-alive", 426},
      {"Connection", "upgrade", 101},
      {"Connection", "upgraded", 426},
      {"Sec-WebSocket-Key", "-", 400},
      {"Sec-WebSocket-Key", "", 400},
      {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ", 400},
      {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZR==", 400},
      {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25j!Q==", 400},
      {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZXh4", 400},
      {"Sec-WebSocket-Version", "-", 426},
      {"Sec-WebSocket-Version", "8", 426},
      {"Sec-WebSocket-Version", "013", 426},
      {"Content-Length", "5", 400},
      {"Content-Length", "0", 101},
      {"Transfer-Encoding", "chunked", 400},
      {"Sec-WebSocket-Protocol", "a b", 400},
      {"Sec-WebSocket-Protocol", "chat, chat", 400},
  };
  for (const auto& one : all) {
    auto headers = good_request();
    headers.erase(one.name);
    if (one.value != "-") headers.add(one.name, one.value);
    EXPECT_EQ(answer_to(headers).status, one.status) << one.name << ": " << one.value;
  }
}

TEST(websocket_handshake, fields_that_may_occur_once_may_not_occur_twice) {
  for (const std::string_view name : {"Host", "Sec-WebSocket-Key", "Sec-WebSocket-Version"}) {
    auto headers = good_request();
    const std::string value(headers[name]);
    headers.add(name, value);
    EXPECT_NE(answer_to(headers).status, 101) << name;
  }
}

TEST(websocket_handshake, refusals_say_what_would_be_right) {
  EXPECT_EQ(answer_to(good_request(), {}, "POST").status, 405);
  EXPECT_EQ(answer_to(good_request(), {}, "POST").headers["Allow"], "GET");
  EXPECT_EQ(answer_to(good_request(), {}, "GET", 0).status, 400);
  auto old = good_request();
  old.set("Sec-WebSocket-Version", "8");
  EXPECT_EQ(answer_to(old).headers["Sec-WebSocket-Version"], "13");
}

TEST(websocket_handshake, pages_of_other_sites_may_not_connect) {
  struct row {
    std::string_view origin, host, allowed;
    bool may;
  };
  const row all[] = {
      {"https://example.org", "example.org", "", true},
      {"http://example.org:8080", "example.org:8080", "", true},
      {"https://EXAMPLE.org", "example.ORG", "", true},
      {"https://example.org", "example.org:443", "", true},
      {"http://example.org:80", "example.org", "", true},
      {"http://[::1]:8080", "[::1]:8080", "", true},
      {"http://[::1]", "[::1]", "", true},
      {"https://evil.example", "example.org", "", false},
      {"https://example.org.evil.example", "example.org", "", false},
      {"https://evilexample.org", "example.org", "", false},
      {"http://example.org:8081", "example.org:8080", "", false},
      {"http://example.org:8080", "example.org", "", false},
      {"null", "example.org", "", false},
      {"", "example.org", "", false},
      {"https://", "example.org", "", false},
      {"https://a.example", "example.org", "https://b.example, https://a.example", true},
      {"https://example.org", "example.org", "https://a.example", false},
      {"http://a.example", "example.org", "https://a.example", false},
      {"null", "example.org", "*", true},
  };
  for (const auto& one : all) {
    EXPECT_EQ(origin_is_allowed(one.origin, one.host, one.allowed), one.may) << one.origin << " " << one.host;
    auto headers = good_request();
    headers.set("Host", one.host);
    headers.set("Origin", one.origin);
    EXPECT_EQ(answer_to(headers, {.origins = one.allowed}).status, one.may ? 101 : 403) << one.origin;
  }
}

TEST(websocket_handshake, the_servers_order_decides_about_the_subprotocol) {
  auto headers = good_request();
  headers.set("Sec-WebSocket-Protocol", "chat.v1, chat.v2");
  const auto answer = answer_to(headers, {.subprotocols = "chat.v2, chat.v1"});
  EXPECT_EQ(answer.headers["Sec-WebSocket-Protocol"], "chat.v2");
  EXPECT_EQ(answer.agreed.subprotocol, "chat.v2");
  EXPECT_FALSE(answer_to(headers, {.subprotocols = "other"}).headers.contains("Sec-WebSocket-Protocol"));
  EXPECT_EQ(answer_to(headers, {.subprotocols = "other"}).status, 101);
}

// ---- permessage-deflate

TEST(websocket_handshake, compression_is_off_unless_both_want_it) {
  auto headers = good_request();
  headers.set("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits");
  EXPECT_FALSE(answer_to(headers).headers.contains("Sec-WebSocket-Extensions"));
  const auto answer = answer_to(headers, {.compression = true});
  EXPECT_EQ(answer.headers["Sec-WebSocket-Extensions"], deflate_offer);
  EXPECT_TRUE(answer.agreed.compressed);
  EXPECT_FALSE(answer_to(good_request(), {.compression = true}).agreed.compressed);
}

TEST(websocket_handshake, the_first_offer_that_can_be_met_is_taken) {
  struct row {
    std::string_view offer;
    int window_bits;  ///< 0: none is taken
  };
  const row all[] = {
      {"permessage-deflate", 15},
      {"permessage-deflate; client_max_window_bits=10", 15},
      {"permessage-deflate; server_max_window_bits=10", 10},
      {"permessage-deflate; server_max_window_bits=\"10\"", 10},
      {"permessage-deflate; server_no_context_takeover; client_no_context_takeover", 15},
      {"Permessage-Deflate", 15},
      {"x-other, permessage-deflate", 15},
      {"permessage-deflate; server_max_window_bits=8, permessage-deflate; server_max_window_bits=9", 9},
      {"permessage-deflate; server_max_window_bits=8", 0},
      {"permessage-deflate; server_max_window_bits=16", 0},
      {"permessage-deflate; server_max_window_bits=010", 0},
      {"permessage-deflate; server_max_window_bits", 0},
      {"permessage-deflate; server_no_context_takeover=1", 0},
      {"permessage-deflate; server_no_context_takeover; server_no_context_takeover", 0},
      {"permessage-deflate; client_max_window_bits; client_max_window_bits=9", 0},
      {"permessage-deflate; unknown", 0},
      {"permessage-deflate; =", 0},
      {"x-webkit-deflate-frame", 0},
      {"", 0},
  };
  for (const auto& one : all) {
    const auto accepted = choose_offer({one.offer});
    EXPECT_EQ(accepted ? accepted->agreed.window_bits : 0, one.window_bits) << one.offer;
  }
}

// ---- the client's part

TEST(websocket_handshake, the_request_says_what_it_wants) {
  const auto plain = upgrade_fields(sample_key, {});
  EXPECT_EQ(plain["Upgrade"], "websocket");
  EXPECT_EQ(plain["Connection"], "Upgrade");
  EXPECT_EQ(plain["Sec-WebSocket-Version"], "13");
  EXPECT_FALSE(plain.contains("Sec-WebSocket-Extensions"));
  const auto more = upgrade_fields(sample_key, {.compression = true, .subprotocols = "a, b"});
  EXPECT_EQ(more["Sec-WebSocket-Extensions"], deflate_offer);
  EXPECT_EQ(more["Sec-WebSocket-Protocol"], "a, b");
  EXPECT_THROW(upgrade_fields(sample_key, {.subprotocols = "a b"}), usage_error);
}

fields good_answer() {
  return {{"Upgrade", "WebSocket"}, {"Connection", "upgrade"}, {"Sec-WebSocket-Accept", sample_accept}};
}

TEST(websocket_handshake, answers_that_break_a_rule_are_refused) {
  const websocket_options options{.compression = true, .subprotocols = "a, b"};
  EXPECT_EQ(judge_answer(101, good_answer(), sample_key, options).refused, "");
  EXPECT_NE(judge_answer(200, good_answer(), sample_key, options).refused, "");
  const changed_field all[] = {
      {"Upgrade", "-", 0},
      {"Upgrade", "h2c", 0},
      {"Connection", "-", 0},
      {"Connection", "close", 0},
      {"Sec-WebSocket-Accept", "-", 0},
      {"Sec-WebSocket-Accept", "S3pPLMBiTxaQ9kYGzzhZRbK+xOo=", 0},
      {"Sec-WebSocket-Protocol", "b", 101},
      {"Sec-WebSocket-Protocol", "c", 0},
      {"Sec-WebSocket-Protocol", "a, b", 0},
      {"Sec-WebSocket-Extensions", "permessage-deflate", 0},
      {"Sec-WebSocket-Extensions", "permessage-deflate; server_no_context_takeover", 101},
      {"Sec-WebSocket-Extensions", "permessage-deflate; server_no_context_takeover; server_max_window_bits=9",
       101},
      {"Sec-WebSocket-Extensions", "permessage-deflate; server_no_context_takeover; client_max_window_bits=9",
       0},
      {"Sec-WebSocket-Extensions", "permessage-deflate; server_no_context_takeover; x", 0},
      {"Sec-WebSocket-Extensions", "x-other", 0},
      {"Sec-WebSocket-Extensions", "a b", 0},
  };
  for (const auto& one : all) {
    auto headers = good_answer();
    headers.erase(one.name);
    if (one.value != "-") headers.add(one.name, one.value);
    const auto judged = judge_answer(101, headers, sample_key, options);
    EXPECT_EQ(judged.refused.empty(), one.status == 101)
        << one.name << ": " << one.value << ": " << judged.refused;
  }
}

TEST(websocket_handshake, an_extension_that_was_not_offered_is_refused) {
  auto headers = good_answer();
  headers.set("Sec-WebSocket-Extensions", "permessage-deflate; server_no_context_takeover");
  EXPECT_NE(judge_answer(101, headers, sample_key, {}).refused, "");
}

}  // namespace
}  // namespace quarq::http::ws
