#include "rpc/wire.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <quarq/codec.hpp>

#include "codecs/json.hpp"
#include "support/errors.hpp"

namespace quarq::rpc::wire_tests {
namespace {

using namespace std::chrono_literals;

std::string read(std::string_view json, std::vector<std::string> names = {"url", "depth"}) {
  return codecs::to_json(arguments_of("crawl", encoding::json, json, {2, names}));
}

TEST(rpc_arguments, come_as_an_array_or_by_their_names) {
  EXPECT_EQ(read("[\"a\", 2]"), "[\"a\", 2]");
  EXPECT_EQ(read("{\"depth\": 2, \"url\": \"a\"}"), "[\"a\", 2]");
  EXPECT_EQ(read(""), "[]");
  EXPECT_EQ(read("{}"), "[]");
}

TEST(rpc_arguments, come_as_msgpack) {
  const auto sent = encode_arguments(std::string("a"), 2);
  EXPECT_EQ(arguments_of("crawl", encoding::msgpack, sent, {2, {}}), sent);
  EXPECT_THROW(arguments_of("crawl", encoding::msgpack, sent.substr(1), {2, {}}), syntax_error);
  EXPECT_THROW(arguments_of("crawl", encoding::msgpack, "\x92\xa1", {2, {}}), syntax_error);
}

TEST(rpc_arguments, that_make_no_sense_are_refused_with_a_reason) {
  EXPECT_THROW(read("{\"url\": "), syntax_error);
  EXPECT_EQ(test::error_of<decode_error>([] { read("3"); }),
            "crawl: expected the arguments as an array, or as an object with the parameters' names");
  EXPECT_EQ(test::error_of<decode_error>([] { read("{\"url\": \"a\"}"); }),
            "crawl: argument 2 (depth) is missing");
  EXPECT_EQ(test::error_of<decode_error>([] { read("{\"deep\": 1}"); }),
            "crawl: there is no parameter \"deep\"; it has url, depth");
}

TEST(rpc_content_type, says_how_arguments_are_written) {
  EXPECT_EQ(encoding_of(""), encoding::json);
  EXPECT_EQ(encoding_of("application/json; charset=utf-8"), encoding::json);
  EXPECT_EQ(encoding_of("Application/JSON"), encoding::json);
  EXPECT_EQ(encoding_of("application/msgpack"), encoding::msgpack);
  EXPECT_EQ(encoding_of("application/x-msgpack"), encoding::msgpack);
  EXPECT_EQ(encoding_of("text/plain"), std::nullopt);
  EXPECT_EQ(encoding_of("application/x-www-form-urlencoded"), std::nullopt);
}

TEST(rpc_timeout_field, has_at_most_ten_digits) {
  EXPECT_EQ(parse_timeout("0"), 0ms);
  EXPECT_EQ(parse_timeout("1500"), 1500ms);
  EXPECT_EQ(parse_timeout("9999999999"), milliseconds(9'999'999'999));
  for (const auto* text : {"", "-1", "+1", "1s", "1.5", " 1", "10000000000"}) {
    EXPECT_EQ(parse_timeout(text), std::nullopt) << text;
  }
  EXPECT_EQ(timeout_text(milliseconds::max()), "9999999999");
  EXPECT_EQ(timeout_text(-5ms), "0");
  EXPECT_EQ(timeout_text(250ms), "250");
}

TEST(rpc_attempt_field, is_a_number_from_one_on) {
  EXPECT_EQ(parse_attempt("3"), 3);
  for (const auto* text : {"", "0", "-2", "x", "1000001"}) EXPECT_EQ(parse_attempt(text), 1) << text;
}

}  // namespace
}  // namespace quarq::rpc::wire_tests
