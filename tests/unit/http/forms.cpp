#include <string>

#include <gtest/gtest.h>

#include <quarq/errors.hpp>
#include <quarq/http/request_options.hpp>

namespace quarq::http {
namespace {

TEST(http_form, is_encoded_as_browsers_do) {
  EXPECT_EQ(form().encoded(), "");
  EXPECT_EQ((form{{"a", "b c"}, {"d&e", "f=g"}, {"a", ""}}).encoded(), "a=b+c&d%26e=f%3Dg&a=");
  EXPECT_EQ((form{{"q", "100% + \xc3\xa4"}}).encoded(), "q=100%25+%2B+%C3%A4");
  EXPECT_EQ((form{{"x", std::string_view("\r\n\0", 3)}}).encoded(), "x=%0D%0A%00");
}

TEST(http_multipart, is_encoded_as_browsers_do) {
  multipart parts;
  parts.add("name", "Eve").add_file("file", "a \"b\".txt", "content\r\n", "text/plain");
  const auto type = parts.content_type();
  const std::string before = "multipart/form-data; boundary=";
  ASSERT_TRUE(type.starts_with(before));
  const auto boundary = "--" + type.substr(before.size());
  EXPECT_EQ(parts.encoded(),
            boundary + "\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nEve\r\n" + boundary +
                "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a %22b%22.txt\"\r\n"
                "Content-Type: text/plain\r\n\r\ncontent\r\n\r\n" +
                boundary + "--\r\n");
}

TEST(http_multipart, no_two_have_one_boundary) {
  EXPECT_NE(multipart().content_type(), multipart().content_type());
}

TEST(http_multipart, what_could_split_a_part_is_refused) {
  for (const std::string& bad : {std::string("a\rb"), std::string("a\nb"), std::string("a\0b", 3)}) {
    multipart parts;
    EXPECT_THROW(parts.add(bad, "x"), usage_error);
    EXPECT_THROW(parts.add_file(bad, "x", "x"), usage_error);
    EXPECT_THROW(parts.add_file("x", bad, "x"), usage_error);
    EXPECT_THROW(parts.add_file("x", "x", "x", bad), usage_error);
    EXPECT_EQ(parts.encoded().find("Content-Disposition"), std::string::npos);
  }
}

}  // namespace
}  // namespace quarq::http
