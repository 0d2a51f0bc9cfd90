#include "debug/escape.hpp"

#include <gtest/gtest.h>

namespace quarq::test {
namespace {

using namespace std::string_view_literals;
using debug::escaped;
using debug::escaped_bytes;
using debug::utf8_of;

TEST(debug_escape, controls_quotes_and_backslashes) {
  EXPECT_EQ(escaped("a\n\t\r\x1b[31m\x7f\0"sv, '"'), R"(a\n\t\r\x1b[31m\x7f\x00)");
  EXPECT_EQ(escaped(R"(say "it's" \)", '"'), R"(say \"it's\" \\)");
  EXPECT_EQ(escaped("'", '\''), R"(\')");
  EXPECT_EQ(escaped(R"("\)", 0), R"("\)");
}

TEST(debug_escape, utf8_stays_and_each_invalid_byte_is_shown) {
  EXPECT_EQ(escaped("äöü €😀", '"'), "äöü €😀");
  EXPECT_EQ(escaped("a\xff\xc3", '"'), R"(a\xff\xc3)");
  EXPECT_EQ(escaped("\xc0\xaf\xed\xa0\x80", '"'), R"(\xc0\xaf\xed\xa0\x80)");  // overlong; a surrogate
  EXPECT_EQ(escaped("\xe2\x82", '"'), R"(\xe2\x82)");
}

TEST(debug_escape, what_cannot_be_seen_is_a_code_point) {
  EXPECT_EQ(escaped("\u202e\u200b\u0085\ufeff", '"'), R"(\u202e\u200b\u0085\ufeff)");
  EXPECT_EQ(escaped("\U000e0041", '"'), R"(\U000e0041)");
}

TEST(debug_escape, bytes_are_ascii) {
  EXPECT_EQ(escaped_bytes("a\"\xc3\xa4\n"), R"(a\"\xc3\xa4\n)");
}

TEST(debug_escape, wide_text_becomes_utf8) {
  EXPECT_EQ(utf8_of(std::u32string_view(U"aä€😀")), "aä€😀");
  EXPECT_EQ(utf8_of(std::u16string_view(u"aä€😀")), "aä€😀");
  const char16_t lone[] = {0xd800, u'x', 0xdc00, 0};
  EXPECT_EQ(escaped(utf8_of(std::u16string_view(lone)), '"'), R"(\xed\xa0\x80x\xed\xb0\x80)");
}

}  // namespace
}  // namespace quarq::test
