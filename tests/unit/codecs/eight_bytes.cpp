#include "codecs/eight_bytes.hpp"

#include <cstdint>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace quarq::codecs::eight_bytes_tests {
namespace {

bool has_x(std::uint64_t eight) {
  for (int i = 0; i < 8; ++i, eight >>= 8)
    if ((eight & 0xff) == 'x') return true;
  return false;
}

TEST(clean_prefix, finds_what_is_sought_wherever_it_stands_in_texts_of_each_length) {
  for (std::size_t size = 0; size < 40; ++size) {
    const std::string clean(size, 'a');
    EXPECT_EQ(clean_prefix(clean, has_x), size);
    for (std::size_t at = 0; at < size; ++at) {
      auto text = clean;
      text[at] = 'x';
      EXPECT_EQ(clean_prefix(text, has_x), at / 8 * 8) << text;
    }
  }
}

TEST(clean_prefix, sees_nothing_but_the_text_and_spaces) {
  const std::string around(20, 'x');
  auto text = around;
  for (std::size_t size = 0; size < 9; ++size) {
    text.replace(4, size, std::string(size, 'a'));
    EXPECT_EQ(clean_prefix(std::string_view(text).substr(4, size), has_x), size);
  }
}

}  // namespace
}  // namespace quarq::codecs::eight_bytes_tests
