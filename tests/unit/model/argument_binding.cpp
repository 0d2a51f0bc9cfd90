// Arguments given by name.
#include "model/argument_binding.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <quarq/codec.hpp>
#include <quarq/errors.hpp>

#include "codecs/json.hpp"
#include "unit/codecs/codec_helpers.hpp"

namespace quarq::model {
namespace {

const std::vector<std::string> two_names = {"url", "depth"};
const parameters two{2, two_names};

record crawl(const char* by_position, const char* by_name) {
  record r;
  r.task = "crawl";
  r.arguments = codecs::json_to_msgpack(by_position);
  r.keywords = codecs::json_to_msgpack(by_name);
  return r;
}

std::string bound(const char* by_position, const char* by_name) {
  return codecs::to_json(bind_arguments(crawl(by_position, by_name), two));
}

std::string error(const char* by_position, const char* by_name, parameters takes = two) {
  return testing::error_of<decode_error>([&] { bind_arguments(crawl(by_position, by_name), takes); });
}

TEST(bind, names_fill_the_places_behind_those_given_by_position) {
  EXPECT_EQ(bound(R"(["a"])", R"({"depth": 3})"), R"(["a", 3])");
  EXPECT_EQ(bound("[]", R"({"depth": [1, {"x": 2}], "url": null})"), R"([null, [1, {"x": 2}]])");
}

TEST(bind, no_names_need_none) {
  EXPECT_EQ(codecs::to_json(bind_arguments(crawl("[1]", "{}"), {1, {}})), "[1]");
}

TEST(bind, what_is_wrong_is_named) {
  EXPECT_EQ(error(R"(["a"])", R"({"deep": 3})"), R"(crawl: there is no parameter "deep"; it has url, depth)");
  EXPECT_EQ(error(R"(["a", 1])", R"({"url": "b"})"),
            "crawl: argument 1 (url) is given twice: by position and by name");
  EXPECT_EQ(error("[]", R"({"url": "b"})"), "crawl: argument 2 (depth) is missing");
  EXPECT_EQ(error(R"(["a", 1, 2])", R"({"depth": 1})"),
            "crawl: expected 2 arguments, got 3 by position and more by name");
  EXPECT_EQ(error("[]", R"({"url": 1})", {0, {}}),
            "crawl: it takes no arguments, but some are given by name");
  EXPECT_EQ(error("[]", R"({"url": 1})", {2, {}}),
            "crawl: arguments can't be given by name: the task is declared without its parameters' names");
}

TEST(bind, a_name_given_twice_is_refused) {
  // No JSON says that.
  auto r = crawl("[]", "{}");
  r.keywords = testing::from_hex("82 a3 75726c 01 a3 75726c 02");
  EXPECT_EQ(testing::error_of<decode_error>([&] { bind_arguments(r, two); }),
            "crawl: argument 1 (url) is given twice");
}

TEST(bind, names_come_through_a_record) {
  const auto back = decode_record(encode(crawl(R"(["a"])", R"({"depth": 3})")));
  EXPECT_EQ(codecs::to_json(back.keywords), R"({"depth": 3})");
  EXPECT_EQ(testing::error_of<decode_error>(
                [] { decode_record(codecs::json_to_msgpack(R"({"f": "crawl", "a": [], "k": [1]})")); }),
            "job payload: field k: expected map, got array");
}

}  // namespace
}  // namespace quarq::model
