#include <string>

#include <gtest/gtest.h>

#include <quarq/errors.hpp>
#include <quarq/http/fields.hpp>

#include "http/message/writer.hpp"

namespace quarq::http {
namespace {

TEST(http_fields, names_are_found_in_any_case) {
  const fields f{{"Content-Type", "text/plain"}, {"X-A", "1"}, {"x-a", "2"}};
  EXPECT_EQ(f["content-type"], "text/plain");
  EXPECT_EQ(f.find_all("X-a").size(), 2u);
  EXPECT_EQ(f.find_all("X-a").at(1), "2");
  EXPECT_FALSE(f.contains("content"));
  EXPECT_EQ(f["absent"], "");
  EXPECT_EQ(f.find("absent"), std::nullopt);
}

TEST(http_fields, set_replaces_all_of_a_name) {
  fields f{{"A", "1"}, {"B", "2"}, {"a", "3"}};
  f.set("a", "4");
  EXPECT_EQ(f.size(), 2u);
  EXPECT_EQ(f["A"], "4");
  EXPECT_EQ(f.erase("b"), 1u);
  EXPECT_EQ(f.erase("b"), 0u);
  EXPECT_EQ(f.at(0).value, "4");
}

TEST(http_fields, its_own_views_may_be_given_back) {
  fields f{{"A", std::string(100, 'x')}};
  for (int i = 0; i < 10; ++i) f.add(f.at(0).name, f.at(0).value);
  f.set("B", f["A"]);
  f.set("A", f["B"]);
  EXPECT_EQ(f["a"], std::string(100, 'x'));
  EXPECT_EQ(f.size(), 2u);
}

TEST(http_fields, white_space_around_a_value_is_not_part_of_it) {
  fields f;
  f.add("A", " \t x y \t");
  EXPECT_EQ(f["a"], "x y");
}

TEST(http_fields, what_could_split_a_message_is_refused) {
  fields f;
  for (const std::string bad : {"a\r\nb", "a\rb", "a\nb", "\r\n", "a\x01", "a\x7f"}) {
    EXPECT_THROW(f.add("A", bad), usage_error);
    EXPECT_THROW(f.set("A", bad), usage_error);
  }
  EXPECT_THROW(f.add("A", std::string("a\0b", 3)), usage_error);
  for (const std::string bad : {"", "A B", "A:", "A\r\nB", "\xc3\xa4"})
    EXPECT_THROW(f.add(bad, "x"), usage_error);
  EXPECT_TRUE(f.empty());
  f.add("A", "tab\there, and \xc3\xa4");
  EXPECT_EQ(f.size(), 1u);
}

TEST(http_writer, writes_messages) {
  std::string out;
  append_request_header(out, "GET", "/a?b", {{"Host", "h"}});
  EXPECT_EQ(out, "GET /a?b HTTP/1.1\r\nHost: h\r\n\r\n");
  out.clear();
  append_response_header(out, 404, {{"A", ""}});
  EXPECT_EQ(out, "HTTP/1.1 404 Not Found\r\nA: \r\n\r\n");
  out.clear();
  append_response_header(out, 299, {}, "Fine");
  EXPECT_EQ(out, "HTTP/1.1 299 Fine\r\n\r\n");
  out.clear();
  append_chunk(out, std::string(26, 'x'));
  append_chunk(out, "");
  append_last_chunk(out);
  EXPECT_EQ(out, "1a\r\n" + std::string(26, 'x') + "\r\n0\r\n\r\n");
}

// Beast #3105.
TEST(http_writer, what_could_split_a_message_is_refused) {
  std::string out;
  for (const std::string bad : {"", "/a b", "/a\r\nX: y", "/a\n", "/\xc3\xa4", "/a#b", "/\x01"}) {
    EXPECT_THROW(append_request_header(out, "GET", bad, {}), usage_error);
  }
  for (const std::string bad : {"", "G T", "GET\r\n", "G\nT"})
    EXPECT_THROW(append_request_header(out, bad, "/", {}), usage_error);
  for (const std::string bad : {"a\r\nb", "a\nb", "\x01"})
    EXPECT_THROW(append_response_header(out, 200, {}, bad), usage_error);
  EXPECT_THROW(append_response_header(out, 99, {}), usage_error);
  EXPECT_THROW(append_response_header(out, 1000, {}), usage_error);
  EXPECT_EQ(out, "");
}

}  // namespace
}  // namespace quarq::http
