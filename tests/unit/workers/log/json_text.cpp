// JSON of a log line: what it escapes, and where it ends.
#include "workers/log/json_text.hpp"

#include <string>
#include <vector>

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace quarq::workers {
namespace {

using namespace std::chrono_literals;

std::string read_back(std::string_view text, std::size_t limit = std::string_view::npos) {
  return std::string(boost::json::parse(json_string(text, limit)).as_string());
}

TEST(json_text, all_of_utf8_is_read_back_as_it_was) {
  std::string all;
  for (char c = 0; c < 0x7f; ++c) all += c;
  all += "caf\xc3\xa9 \xe2\x80\xa8 \xf0\x9f\x98\x80";
  EXPECT_EQ(read_back(all), all);
  const auto written = json_string(all);
  for (const char c : written) EXPECT_GE(static_cast<unsigned char>(c), 0x20);
}

TEST(json_text, bytes_that_are_no_text_are_replaced) {
  EXPECT_EQ(read_back("caf\xe9!"), "caf\xef\xbf\xbd!");
}

TEST(json_text, what_is_too_long_is_cut_between_two_characters) {
  EXPECT_EQ(read_back("abcdef", 6), "abcdef");
  EXPECT_EQ(read_back("abcdef", 3), "abc\xe2\x80\xa6");
  EXPECT_EQ(read_back("ab\xc3\xa9"
                      "f",
                      3),
            "ab\xe2\x80\xa6");
  EXPECT_EQ(read_back("\"\"\"\"", 2), "\"\"\xe2\x80\xa6");
}

TEST(json_text, members_are_one_object) {
  json_members members;
  const std::vector<std::string> names = {"a", "b\"c"};
  members.text("event", "x").number("n", 3).ms("took_ms", 1234us).ms("waited_ms", -5us).texts("names", names);
  EXPECT_EQ(members.object(),
            R"({"event":"x","n":3,"took_ms":1.234,"waited_ms":0.000,"names":["a","b\"c"]})");
}

TEST(json_text, a_list_is_bounded) {
  json_members members;
  members.texts("all", std::vector<std::string>(1'000, "x"));
  EXPECT_EQ(boost::json::parse(members.object()).at("all").as_array().size(), 100u);
}

}  // namespace
}  // namespace quarq::workers
