// What a connection has read, without a socket.
#include "http/server/input_buffer.hpp"

#include <algorithm>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace quarq::http {
namespace {

void read(input_buffer& in, std::string_view bytes, std::size_t wanted) {
  while (!bytes.empty()) {
    const auto space = in.space(wanted);
    ASSERT_FALSE(space.empty());
    const auto part = bytes.substr(0, space.size());
    std::ranges::copy(part, space.begin());
    in.add(part.size());
    bytes.remove_prefix(part.size());
  }
}

TEST(http_input_buffer, grows_while_nothing_is_used) {
  input_buffer in;
  EXPECT_TRUE(in.empty());
  const std::string bytes = "0123456789abcdef";
  read(in, bytes, 4);
  EXPECT_EQ(in.unread(), bytes);
}

TEST(http_input_buffer, what_is_unread_survives_moves) {
  input_buffer in;
  read(in, "01234567", 8);
  in.use(5);
  EXPECT_EQ(in.unread(), "567");
  read(in, "89", 8);
  EXPECT_EQ(in.unread(), "56789");
  in.use(1);
  read(in, "abcdefgh", 8);
  EXPECT_EQ(in.unread(), "6789abcdefgh");
  EXPECT_GE(in.space(64).size(), 64u - 12);
  EXPECT_EQ(in.unread(), "6789abcdefgh");
}

TEST(http_input_buffer, is_given_back_only_once_all_is_used) {
  input_buffer in;
  read(in, "0123456789", 32);
  in.shrink(16);
  EXPECT_EQ(in.unread(), "0123456789");
  in.use(10);
  in.shrink(32);
  EXPECT_EQ(in.space(1).size(), 32u);
  in.shrink(16);
  EXPECT_EQ(in.space(1).size(), 1u);
}

}  // namespace
}  // namespace quarq::http
