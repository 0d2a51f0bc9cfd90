#include "redis/resp.hpp"

#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace quarq::redis {
namespace {

using kind = reply::kind;

// As text that a test can compare: [1, "a", nil].
std::string shown(const reply& r) {
  switch (r.type) {
    case kind::nil:
      return "nil";
    case kind::text:
      return "\"" + r.text + "\"";
    case kind::integer:
      return std::to_string(r.integer);
    case kind::real:
      return "real " + std::to_string(r.real);
    case kind::boolean:
      return r.integer ? "true" : "false";
    case kind::error:
      return "error \"" + r.text + "\"";
    case kind::array:
    case kind::push:
      break;
  }
  std::string out = r.type == kind::push ? "push [" : "[";
  for (const auto& item : r.items) {
    if (&item != r.items.data()) out += ", ";
    out += shown(item);
  }
  return out + "]";
}

std::string parse_one(std::string_view bytes) {
  resp_parser parser;
  parser.feed(bytes);
  reply r;
  if (!parser.next(r)) return "incomplete";
  const std::string first = shown(r);
  return parser.next(r) ? "more than one" : first;
}

std::string resp_error(std::string_view bytes, resp_limits limits = {}) {
  resp_parser parser(limits);
  parser.feed(bytes);
  reply r;
  try {
    while (parser.next(r)) {
    }
  } catch (const protocol_error& e) {
    return e.what();
  }
  return "no error";
}

TEST(resp, a_command_is_an_array_of_bulk_strings) {
  std::string out = "before";
  const std::vector<std::string> words{"SET", "k", std::string("a\0\r\n", 4), ""};
  append_command(out, words);
  EXPECT_EQ(out, std::string("before*4\r\n$3\r\nSET\r\n$1\r\nk\r\n$4\r\na\0\r\n\r\n$0\r\n\r\n", 42));
}

TEST(resp, a_command_reads_back_as_itself) {
  std::string out;
  const std::vector<std::string> words{"ECHO", std::string(100'000, 'x'), "\xff\xfe"};
  append_command(out, words);
  resp_parser parser;
  parser.feed(out);
  reply r;
  ASSERT_TRUE(parser.next(r));
  ASSERT_EQ(r.items.size(), 3u);
  for (std::size_t i = 0; i < words.size(); ++i) EXPECT_EQ(r.items[i].text, words[i]);
}

TEST(resp, reads_every_type_of_the_specification) {
  const std::vector<std::pair<std::string_view, std::string_view>> vectors{
      {"+OK\r\n", "\"OK\""},
      {"+\r\n", "\"\""},
      {"-ERR unknown command 'asdf'\r\n", "error \"ERR unknown command 'asdf'\""},
      {"-WRONGTYPE Operation\r\n", "error \"WRONGTYPE Operation\""},
      {":0\r\n", "0"},
      {":1000\r\n", "1000"},
      {":+7\r\n", "7"},
      {":-9223372036854775808\r\n", "-9223372036854775808"},
      {":9223372036854775807\r\n", "9223372036854775807"},
      {"$5\r\nhello\r\n", "\"hello\""},
      {"$0\r\n\r\n", "\"\""},
      {"$4\r\n\r\n\r\n\r\n", "\"\r\n\r\n\""},
      {"$-1\r\n", "nil"},
      {"*0\r\n", "[]"},
      {"*2\r\n$5\r\nhello\r\n$5\r\nworld\r\n", "[\"hello\", \"world\"]"},
      {"*3\r\n:1\r\n:2\r\n:3\r\n", "[1, 2, 3]"},
      {"*5\r\n:1\r\n:2\r\n:3\r\n:4\r\n$5\r\nhello\r\n", "[1, 2, 3, 4, \"hello\"]"},
      {"*-1\r\n", "nil"},
      {"*2\r\n*3\r\n:1\r\n:2\r\n:3\r\n*2\r\n+Hello\r\n-World\r\n",
       "[[1, 2, 3], [\"Hello\", error \"World\"]]"},
      {"*3\r\n$5\r\nhello\r\n$-1\r\n$5\r\nworld\r\n", "[\"hello\", nil, \"world\"]"},
      {"*2\r\n*0\r\n*-1\r\n", "[[], nil]"},
      {"_\r\n", "nil"},
      {"#t\r\n", "true"},
      {"#f\r\n", "false"},
      {",1.23\r\n", "real 1.230000"},
      {",10\r\n", "real 10.000000"},
      {",+1.5e1\r\n", "real 15.000000"},
      {",-inf\r\n", "real -inf"},
      {"(3492890328409238509324850943850943825024385\r\n", "\"3492890328409238509324850943850943825024385\""},
      {"(-12\r\n", "\"-12\""},
      {"!21\r\nSYNTAX invalid syntax\r\n", "error \"SYNTAX invalid syntax\""},
      {"=15\r\ntxt:Some string\r\n", "\"Some string\""},
      {"=4\r\nmkd:\r\n", "\"\""},
      {"%2\r\n+first\r\n:1\r\n+second\r\n:2\r\n", "[\"first\", 1, \"second\", 2]"},
      {"%0\r\n", "[]"},
      {"~3\r\n+orange\r\n#t\r\n:100\r\n", "[\"orange\", true, 100]"},
      {">3\r\n+message\r\n+channel\r\n+payload\r\n", "push [\"message\", \"channel\", \"payload\"]"},
  };
  for (const auto& [bytes, expected] : vectors) EXPECT_EQ(parse_one(bytes), expected) << bytes;
}

TEST(resp, doubles_beyond_a_double_become_infinity_or_zero) {
  EXPECT_EQ(parse_one(",1e999\r\n"), "real inf");
  EXPECT_EQ(parse_one(",-1e999\r\n"), "real -inf");
  EXPECT_EQ(parse_one(",1e-999\r\n"), "real 0.000000");
  resp_parser parser;
  parser.feed(",nan\r\n");
  reply r;
  ASSERT_TRUE(parser.next(r));
  EXPECT_TRUE(std::isnan(r.real));
}

TEST(resp, attributes_are_skipped_wherever_they_stand) {
  EXPECT_EQ(
      parse_one(
          "|1\r\n+key-popularity\r\n%2\r\n$1\r\na\r\n,0.1923\r\n$1\r\nb\r\n,0.0012\r\n*2\r\n:20\r\n:95\r\n"),
      "[20, 95]");
  EXPECT_EQ(parse_one("*3\r\n:1\r\n:2\r\n|1\r\n+ttl\r\n:3600\r\n:3\r\n"), "[1, 2, 3]");
  EXPECT_EQ(parse_one("|1\r\n|1\r\n+inner\r\n*1\r\n:1\r\n+key\r\n+value\r\n:5\r\n"), "5");
  EXPECT_EQ(parse_one("|0\r\n:5\r\n"), "5");
  EXPECT_EQ(parse_one("|1\r\n+a\r\n:1\r\n"), "incomplete");
}

TEST(resp, a_document_reads_the_same_however_it_is_split) {
  const std::string document =
      "*2\r\n$5\r\nhe\r\no\r\n%1\r\n+k\r\n*2\r\n:1\r\n_\r\n|1\r\n+a\r\n~1\r\n:1\r\n=7\r\ntxt:abc\r\n-ERR "
      "no\r\n"
      ">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$2\r\nhi\r\n$-1\r\n,2.5\r\n(123\r\n#f\r\n!5\r\nE bad\r\n";
  const std::vector<std::string> expected{"[\"he\r\no\", [\"k\", [1, nil]]]",
                                          "\"abc\"",
                                          "error \"ERR no\"",
                                          "push [\"message\", \"c\", \"hi\"]",
                                          "nil",
                                          "real 2.500000",
                                          "\"123\"",
                                          "false",
                                          "error \"E bad\""};
  const auto read = [](resp_parser& parser, std::vector<std::string>& into) {
    reply r;
    while (parser.next(r)) into.push_back(shown(r));
  };
  for (std::size_t first = 0; first <= document.size(); ++first) {
    for (std::size_t second = first; second <= document.size(); ++second) {
      resp_parser parser;
      std::vector<std::string> got;
      parser.feed(document.substr(0, first));
      read(parser, got);
      parser.feed(document.substr(first, second - first));
      read(parser, got);
      parser.feed(document.substr(second));
      read(parser, got);
      ASSERT_EQ(got, expected) << "split at " << first << " and " << second;
    }
  }
  resp_parser byte_by_byte;
  std::vector<std::string> got;
  for (const char c : document) {
    byte_by_byte.feed(std::string_view(&c, 1));
    read(byte_by_byte, got);
  }
  EXPECT_EQ(got, expected);
}

TEST(resp, bytes_can_be_written_in_place) {
  resp_parser parser;
  const std::string_view bytes = "+first\r\n+second\r\n";
  auto space = parser.prepare(bytes.size());
  ASSERT_GE(space.size(), bytes.size());
  bytes.copy(space.data(), bytes.size());
  reply r;
  parser.commit(10);
  ASSERT_TRUE(parser.next(r));
  EXPECT_EQ(r.text, "first");
  EXPECT_FALSE(parser.next(r));
  parser.commit(bytes.size() - 10);
  ASSERT_TRUE(parser.next(r));
  EXPECT_EQ(r.text, "second");
}

TEST(resp, a_taken_reply_leaves_nothing_behind_in_the_next) {
  resp_parser parser;
  parser.feed("*2\r\n:1\r\n:2\r\n_\r\n:3\r\n");
  reply r;
  ASSERT_TRUE(parser.next(r));
  ASSERT_TRUE(parser.next(r));
  EXPECT_TRUE(r.is_nil());
  EXPECT_TRUE(r.items.empty());
  ASSERT_TRUE(parser.next(r));
  EXPECT_EQ(shown(r), "3");
}

TEST(resp, a_large_array_in_many_pieces_is_complete) {
  constexpr int count = 20'000;
  std::string bytes = "*" + std::to_string(count) + "\r\n";
  for (int i = 0; i < count; ++i) bytes += ":" + std::to_string(i) + "\r\n";
  resp_parser parser;
  reply r;
  for (std::size_t at = 0; at < bytes.size(); at += 7) {
    ASSERT_FALSE(parser.next(r)) << "before byte " << at;
    parser.feed(std::string_view(bytes).substr(at, 7));
  }
  ASSERT_TRUE(parser.next(r));
  ASSERT_EQ(r.items.size(), static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) ASSERT_EQ(r.items[static_cast<std::size_t>(i)].integer, i);
}

TEST(resp, malformed_bytes_are_refused_with_what_and_where) {
  const std::vector<std::pair<std::string_view, std::string_view>> cases{
      {"?huh\r\n", "RESP: a reply can't begin with '?' (byte 0)"},
      {std::string_view("\0\r\n", 3), "RESP: a reply can't begin with 0x0 (byte 0)"},
      {"\r\n", "RESP: an empty line where a reply should begin (byte 0)"},
      {"+OK\r\n+bad\n", "RESP: a line ends with LF alone instead of CR LF (byte 5)"},
      {":12a\r\n", "RESP: expected an integer, got \"12a\" (byte 0)"},
      {":\r\n", "RESP: expected an integer, got \"\" (byte 0)"},
      {":+-5\r\n", "RESP: expected an integer, got \"+-5\" (byte 0)"},
      {":9223372036854775808\r\n", "RESP: an integer does not fit 64 bits: \"9223372036854775808\" (byte 0)"},
      {"$x\r\n", "RESP: expected a length, got \"x\" (byte 0)"},
      {"$-2\r\n", "RESP: the length of a bulk string is negative: \"-2\" (byte 0)"},
      {"*-2\r\n", "RESP: the length of an array is negative: \"-2\" (byte 0)"},
      {"$3\r\nabcdef", "RESP: a bulk string of 3 bytes does not end with CR LF (byte 7)"},
      {"=3\r\nabc\r\n", "RESP: a verbatim string without its three-letter type: \"abc\" (byte 4)"},
      {"=5\r\nabcde\r\n", "RESP: a verbatim string without its three-letter type: \"abcde\" (byte 4)"},
      {"_x\r\n", "RESP: a nil with something after it: \"x\" (byte 0)"},
      {"#x\r\n", "RESP: expected t or f for a boolean, got \"x\" (byte 0)"},
      {",1.2.3\r\n", "RESP: expected a number for a double, got \"1.2.3\" (byte 0)"},
      {",\r\n", "RESP: expected a number for a double, got \"\" (byte 0)"},
      {"(12x\r\n", "RESP: expected digits for a big number, got \"12x\" (byte 0)"},
      {"(-\r\n", "RESP: expected digits for a big number, got \"-\" (byte 0)"},
      {"*1\r\n>1\r\n+x\r\n", "RESP: a push inside another reply (byte 4)"},
      {"$?\r\n", "RESP: streamed strings and arrays are not supported (byte 0)"},
      {"*?\r\n", "RESP: streamed strings and arrays are not supported (byte 0)"},
      {";4\r\n", "RESP: streamed strings and arrays are not supported (byte 0)"},
      {".\r\n", "RESP: streamed strings and arrays are not supported (byte 0)"},
      {"*2\r\n:1\r\n@\r\n", "RESP: a reply can't begin with '@' (byte 8)"},
  };
  for (const auto& [bytes, expected] : cases) EXPECT_EQ(resp_error(bytes), expected) << bytes;
}

TEST(resp, the_place_of_an_error_is_counted_from_the_start_of_the_stream) {
  resp_parser parser;
  reply r;
  std::size_t fed = 0;
  for (int i = 0; i < 1000; ++i) {
    const std::string bytes =
        "$" + std::to_string(i) + "\r\n" + std::string(static_cast<std::size_t>(i), 'x') + "\r\n";
    parser.feed(bytes);
    fed += bytes.size();
    ASSERT_TRUE(parser.next(r));
  }
  parser.feed("?\r\n");
  try {
    parser.next(r);
    FAIL() << "accepted";
  } catch (const protocol_error& e) {
    EXPECT_EQ(e.what(), "RESP: a reply can't begin with '?' (byte " + std::to_string(fed) + ")");
  }
}

TEST(resp, after_an_error_the_parser_stays_refused) {
  resp_parser parser;
  reply r;
  parser.feed("?\r\n+OK\r\n");
  EXPECT_THROW(parser.next(r), protocol_error);
  EXPECT_THROW(parser.next(r), protocol_error);
}

TEST(resp, limits_are_kept) {
  resp_limits limits;
  limits.depth = 3;
  limits.text_bytes = 10;
  limits.line_bytes = 20;
  limits.items = 4;
  EXPECT_EQ(resp_error("*1\r\n*1\r\n*1\r\n:1\r\n", limits), "no error");
  EXPECT_EQ(resp_error("*1\r\n*1\r\n*1\r\n*1\r\n", limits),
            "RESP: arrays are nested deeper than 3 levels (byte 12)");
  EXPECT_EQ(resp_error("$10\r\n0123456789\r\n", limits), "no error");
  EXPECT_EQ(resp_error("$11\r\n", limits),
            "RESP: the length of a bulk string is 11, more than the 10 allowed (byte 0)");
  EXPECT_EQ(resp_error("*4\r\n", limits), "no error");
  EXPECT_EQ(resp_error("*5\r\n", limits),
            "RESP: the length of an array is 5, more than the 4 allowed (byte 0)");
  EXPECT_EQ(resp_error("%9223372036854775807\r\n", limits).substr(0, 26), "RESP: the length of a map ");
  EXPECT_EQ(resp_error("+" + std::string(19, 'x') + "\r\n", limits), "no error");
  EXPECT_EQ(resp_error("+" + std::string(30, 'x'), limits), "RESP: a line is longer than 20 bytes (byte 0)");
}

TEST(resp, an_announced_length_takes_no_memory) {
  // Lengths that no allocation could serve, so that trying one throws.
  resp_limits limits;
  limits.items = limits.text_bytes = std::numeric_limits<std::size_t>::max() / 4;
  for (const std::string_view bytes : {"$4611686018427387903\r\nabc", "*4611686018427387903\r\n:1\r\n",
                                       "%4611686018427387903\r\n*4611686018427387903\r\n"}) {
    resp_parser parser(limits);
    parser.feed(bytes);
    reply r;
    EXPECT_NO_THROW(EXPECT_FALSE(parser.next(r))) << bytes;
  }
}

}  // namespace
}  // namespace quarq::redis
