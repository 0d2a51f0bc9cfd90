// The greatest float, in the digits that other programs write for it.
#include <limits>
#include <string>

#include <gtest/gtest.h>

#include <quarq/codec.hpp>
#include <quarq/errors.hpp>

#include "codecs/json.hpp"

namespace quarq::test::codec_greatest_float_tests {
namespace {

constexpr float max = std::numeric_limits<float>::max();

float read(const std::string& json) {
  return from_msgpack<float>(codecs::json_to_msgpack(json), "value");
}

TEST(codec_greatest_float, its_shortest_form_is_read) {
  EXPECT_EQ(read("3.4028235e38"), max);
  EXPECT_EQ(read("-3.4028235e38"), -max);
  EXPECT_EQ(read("3.4028234663852886e38"), max);
  EXPECT_EQ(from_msgpack<float>(to_msgpack(max), "value"), max);
}

TEST(codec_greatest_float, what_is_nearer_to_infinity_is_refused) {
  EXPECT_NO_THROW(read("3.4028235677973362e38")) << "just below the middle";
  EXPECT_THROW(read("3.4028235677973366e38"), decode_error);
  EXPECT_THROW(read("-3.4028236e38"), decode_error);
}

}  // namespace
}  // namespace quarq::test::codec_greatest_float_tests
