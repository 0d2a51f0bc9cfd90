#include "codecs/hex.hpp"

#include <array>
#include <cstdint>
#include <string>

#include <gtest/gtest.h>

namespace quarq::codecs {
namespace {

TEST(hex, numbers_have_as_many_digits_as_they_are_to_have) {
  std::string text;
  append_hex(text, 0x1b, 2);
  append_hex(text += ' ', 0x1b, 4);
  append_hex(text += ' ', 0xfedcba98, 8);
  append_hex(text += ' ', 0xfedcba98, 2);
  EXPECT_EQ(text, "1b 001b fedcba98 98");
}

TEST(hex, bytes_have_two_digits_each_and_stand_behind_what_is_there) {
  const std::array<std::uint8_t, 4> bytes = {0x00, 0x0f, 0xa5, 0xff};
  std::string text = "x";
  append_hex(text, bytes);
  EXPECT_EQ(text, "x000fa5ff");
}

TEST(hex, each_byte_is_read_as_it_was_written) {
  for (unsigned byte = 0; byte < 256; ++byte) {
    std::string text;
    append_hex(text, byte, 2);
    EXPECT_EQ(byte_in_hex(text), byte);
  }
  EXPECT_EQ(byte_in_hex("aBc"), 0xab) << "in either case, and only the first two";
}

TEST(hex, what_does_not_begin_with_two_digits_is_no_byte) {
  for (const auto* const wrong : {"", "a", "g0", "0g", "-1", "+1", " 1", "0x", "/0", ":0", "@0", "`0"}) {
    EXPECT_FALSE(byte_in_hex(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace quarq::codecs
