// Text that others chose, in one line.
#include <string>

#include <gtest/gtest.h>

#include "codecs/utf8.hpp"

namespace quarq::test {
namespace {

using codecs::printable;

TEST(utf8_printable, leaves_text_as_it_is) {
  EXPECT_EQ(printable("count_words", 80), "count_words");
  EXPECT_EQ(printable("größer → 日本 😀", 80), "größer → 日本 😀");
}

TEST(utf8_printable, escapes_what_would_forge_a_line_or_move_the_cursor) {
  EXPECT_EQ(printable("a\nb\r\x1b[2J\x7f", 80), "a\\nb\\x0d\\x1b[2J\\x7f");
  EXPECT_EQ(printable("\xc2\x9b", 80), "\\u009b");
  EXPECT_EQ(printable("\xe2\x80\xae"
                      "abc"
                      "\xe2\x80\xa8"
                      "d",
                      80),
            "\\u202eabc\\u2028d");
}

TEST(utf8_printable, replaces_bytes_that_are_no_text_and_cuts_what_is_long) {
  EXPECT_EQ(printable("a\xff", 80), "a\xef\xbf\xbd");
  EXPECT_EQ(printable("abcdef", 3), "abc…");
}

}  // namespace
}  // namespace quarq::test
