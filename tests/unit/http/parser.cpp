// What tables don't say: limits, the end of a connection, and one test for each gap that Boost.Beast has had.
#include "http/message/parser.hpp"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace quarq::http {
namespace {

// Feeds all of it, in one piece, and returns the last event; bodies are appended to `body`.
template <class Parser>
parse_event read(Parser& parser, std::string_view bytes, std::string* body = nullptr) {
  while (true) {
    const auto step = parser.feed(bytes);
    bytes.remove_prefix(step.used);
    if (step.event == parse_event::body && body) *body += step.data;
    if (step.event != parse_event::header && step.event != parse_event::body) return step.event;
  }
}

// 0: it was read as a whole request.
int status_of(std::string_view bytes, message_limits limits = {}) {
  request_parser parser(limits);
  const auto event = read(parser, bytes);
  EXPECT_NE(event, parse_event::needs_more) << bytes.substr(0, 100);
  return event == parse_event::failed ? parser.error().status : 0;
}

std::string with_fields(std::string_view fields) {
  return "POST / HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n";
}

std::string chunked(std::string_view body, std::string_view version = "1.1") {
  return "POST / HTTP/" + std::string(version) + "\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" +
         std::string(body);
}

TEST(http_parser, beast_3100_transfer_encoding_that_does_not_end_in_chunked) {
  for (const char* coding :
       {"xchunked", "identity", "chunked, gzip", "gzip", "", "chunked;a=b", ",chunked", "chunked,"}) {
    EXPECT_EQ(status_of(with_fields(std::string("Transfer-Encoding: ") + coding + "\r\n")), 400) << coding;
  }
  EXPECT_EQ(status_of(with_fields("Transfer-Encoding: gzip, chunked\r\n")), 501);
  EXPECT_EQ(status_of(with_fields("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n")), 501);
  for (const auto* last : {"identity", "chunked"}) {
    const auto twice = "Transfer-Encoding: chunked\r\nTransfer-Encoding: " + std::string(last) + "\r\n";
    EXPECT_EQ(status_of(with_fields(twice)), 400) << last;
  }
}

TEST(http_parser, beast_3098_content_length_beside_transfer_encoding) {
  EXPECT_EQ(status_of(with_fields("Transfer-Encoding: identity\r\nContent-Length: 3\r\n") + "abc"), 400);
  EXPECT_EQ(status_of(with_fields("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n") + "abc"), 400);
  EXPECT_EQ(status_of(with_fields("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n") + "abc"), 400);
}

TEST(http_parser, beast_3096_chunked_in_http_1_0) {
  EXPECT_EQ(status_of(chunked("0\r\n\r\n", "1.0")), 400);
  EXPECT_EQ(status_of(chunked("0\r\n\r\n")), 0);
}

TEST(http_parser, beast_3042_3094_trailers_are_no_header_fields) {
  request_parser parser;
  EXPECT_EQ(read(parser, chunked("1\r\na\r\n0\r\nHost: evil\r\nContent-Length: 5\r\nConnection: close\r\n"
                                 "Authorization: x\r\nTransfer-Encoding: gzip\r\n\r\n")),
            parse_event::end);
  EXPECT_EQ(parser.headers()["Host"], "a");
  EXPECT_FALSE(parser.headers().contains("Authorization"));
  EXPECT_TRUE(parser.keeps_alive());
  EXPECT_EQ(status_of(chunked("0\r\nA : b\r\n\r\n")), 400);
}

TEST(http_parser, beast_2920_trailers_have_limits) {
  const std::string line = "X: " + std::string(1000, 'x') + "\r\n";
  std::string trailer;
  for (int i = 0; i < 9; ++i) trailer += line;
  EXPECT_EQ(status_of(chunked("0\r\n" + trailer + "\r\n")), 431);
  EXPECT_EQ(status_of(chunked("0\r\n" + line + "\r\n")), 0);
  message_limits few;
  few.fields = 3;
  EXPECT_EQ(status_of(chunked("0\r\nA: 1\r\nA: 2\r\nA: 3\r\nA: 4\r\n\r\n"), few), 431);
}

TEST(http_parser, beast_3077_3102_chunk_headers_have_a_limit_and_a_grammar) {
  EXPECT_EQ(status_of(chunked("1;" + std::string(300, 'x') + "\r\na\r\n0\r\n\r\n")), 400);
  EXPECT_EQ(status_of(chunked("1;" + std::string(300, 'x'))), 400);
  EXPECT_EQ(status_of(chunked("1;a=\"b;c\\\"d\";e\r\na\r\n0\r\n\r\n")), 0);
  for (const char* wrong :
       {"1;a=\"b", "1;a=\"b\x01\"", "1;=b", "1;", "1;a=", "1 ;a", "1; a", "1;a=\"b\"c", "1;a=\"\\"}) {
    EXPECT_EQ(status_of(chunked(std::string(wrong) + "\r\na\r\n0\r\n\r\n")), 400) << wrong;
  }
}

TEST(http_parser, beast_1770_a_limit_set_after_the_header_counts) {
  request_parser parser;
  const std::string bytes = with_fields("Content-Length: 10\r\n");
  const auto step = parser.feed(bytes);
  ASSERT_EQ(step.event, parse_event::header);
  ASSERT_EQ(step.used, bytes.size());
  parser.limit_body(9);
  EXPECT_EQ(parser.feed("").event, parse_event::failed);
  EXPECT_EQ(parser.error().status, 413);
}

TEST(http_parser, a_limit_set_within_the_body_counts) {
  request_parser parser;
  parser.feed(with_fields("Content-Length: 10\r\n"));
  EXPECT_EQ(parser.feed("12345").event, parse_event::body);
  parser.limit_body(9);
  EXPECT_EQ(parser.feed("6").event, parse_event::failed);
  request_parser chunks;
  EXPECT_EQ(read(chunks, chunked("5\r\n12345\r\n")), parse_event::needs_more);
  chunks.limit_body(9);
  EXPECT_EQ(read(chunks, "5\r\n12345\r\n"), parse_event::failed);
  EXPECT_EQ(chunks.error().status, 413);
}

TEST(http_parser, host_is_there_once) {
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.0\r\n\r\n"), 0);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"), 400);
  for (const char* wrong : {"", "a b", "a,b", "a/b", "u@a", "a:b", "[::1", "[::1]:x"}) {
    EXPECT_EQ(status_of(std::string("GET / HTTP/1.1\r\nHost: ") + wrong + "\r\n\r\n"), 400) << wrong;
  }
  for (const char* right : {"a", "a:80", "[::1]", "[::1]:80", "10.0.0.1:8080", "a_b.c"}) {
    EXPECT_EQ(status_of(std::string("GET / HTTP/1.1\r\nHost: ") + right + "\r\n\r\n"), 0) << right;
  }
}

TEST(http_parser, folded_fields_are_refused) {
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\n X: b\r\nHost: a\r\n\r\n"), 400);
}

// Beast #2920 as well: nothing throws, however long a field is.
TEST(http_parser, beast_2920_long_fields_fail_without_an_exception) {
  message_limits wide;
  wide.field = wide.header = 1 << 20;
  EXPECT_EQ(status_of(with_fields("X: " + std::string(100'000, 'x') + "\r\n"), wide), 0);
}

TEST(http_parser, each_limit_has_its_status) {
  EXPECT_EQ(status_of("GET /" + std::string(9000, 'x')), 414);
  EXPECT_EQ(status_of("GET /" + std::string(9000, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n"), 414);
  EXPECT_EQ(status_of(with_fields("X: " + std::string(9000, 'x') + "\r\n")), 431);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nX: " + std::string(9000, 'x')), 431);
  std::string many;
  for (int i = 0; i < 128; ++i) many += "X: y\r\n";
  EXPECT_EQ(status_of(with_fields(many)), 431);
  many.clear();
  for (int i = 0; i < 6; ++i) many += "X: " + std::string(6000, 'x') + "\r\n";
  EXPECT_EQ(status_of(with_fields(many)), 431);
  EXPECT_EQ(status_of(with_fields("Content-Length: 1048577\r\n")), 413);
  EXPECT_EQ(status_of(chunked("100001\r\n")), 413);
  EXPECT_EQ(status_of("GET / HTTP/2.0\r\n"), 505);
  EXPECT_EQ(status_of(with_fields("Expect: magic\r\n")), 417);
}

TEST(http_parser, what_begins_as_no_message_is_refused_before_a_line_ends) {
  EXPECT_EQ(status_of(std::string_view("\x16\x03\x01\x02\x00", 5)), 400);
  EXPECT_EQ(status_of("GET /\x01"), 400);
  EXPECT_EQ(status_of(" "), 400);
}

TEST(http_parser, the_end_of_a_connection) {
  request_parser fresh;
  EXPECT_EQ(fresh.feed_end().event, parse_event::needs_more);
  request_parser begun;
  begun.feed("GE");
  EXPECT_TRUE(begun.has_begun());
  EXPECT_EQ(begun.feed_end().event, parse_event::failed);

  response_parser open("GET");
  std::string body;
  EXPECT_EQ(read(open, "HTTP/1.1 200 OK\r\n\r\nab", &body), parse_event::needs_more);
  EXPECT_EQ(open.feed_end().event, parse_event::end);
  EXPECT_EQ(body, "ab");
  EXPECT_FALSE(open.keeps_alive());
  response_parser cut("GET");
  EXPECT_EQ(read(cut, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab"), parse_event::needs_more);
  EXPECT_EQ(cut.feed_end().event, parse_event::failed);
}

TEST(http_parser, an_answer_in_an_unknown_coding_lasts_until_the_end) {
  for (const char* coding : {"chunked, deflate", "identity", "chunked, chunked"}) {
    response_parser parser("GET");
    std::string body;
    const auto bytes = std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: ") + coding + "\r\n\r\n2\r\n";
    EXPECT_EQ(read(parser, bytes, &body), parse_event::needs_more) << coding;
    EXPECT_EQ(parser.feed_end().event, parse_event::end) << coding;
    EXPECT_EQ(body, "2\r\n") << coding;
    EXPECT_FALSE(parser.keeps_alive()) << coding;
  }
  response_parser both("GET");
  EXPECT_EQ(read(both, "HTTP/1.1 200 OK\r\nTransfer-Encoding: deflate, chunked\r\n\r\n0\r\n\r\n"),
            parse_event::end);
  EXPECT_TRUE(both.has_unknown_coding());
}

TEST(http_parser, answers_without_a_body) {
  for (const char* status : {"100 Continue", "204 No Content", "304 Not Modified"}) {
    response_parser parser("GET");
    EXPECT_EQ(read(parser, std::string("HTTP/1.1 ") + status + "\r\nContent-Length: 5\r\n\r\n"),
              parse_event::end);
  }
  response_parser head("HEAD");
  EXPECT_EQ(read(head, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"), parse_event::end);
  EXPECT_EQ(head.content_length(), 5u);
  EXPECT_FALSE(head.has_body());
  response_parser tunnel("CONNECT");
  EXPECT_EQ(read(tunnel, "HTTP/1.1 200 OK\r\n\r\n"), parse_event::end);
}

TEST(http_parser, several_messages_one_after_another) {
  request_parser parser;
  std::string_view bytes = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nxGET /b HTTP/1.0\r\n\r\n";
  bytes.remove_prefix(parser.feed(bytes).used);
  EXPECT_EQ(parser.target(), "/a");
  bytes.remove_prefix(parser.feed(bytes).used);
  EXPECT_EQ(parser.feed(bytes).event, parse_event::end);
  parser.reset();
  bytes.remove_prefix(parser.feed(bytes).used);
  EXPECT_EQ(parser.target(), "/b");
  EXPECT_TRUE(parser.headers().empty());
  EXPECT_FALSE(parser.keeps_alive());
  EXPECT_EQ(parser.feed(bytes).event, parse_event::end);
}

}  // namespace
}  // namespace quarq::http
