#include "model/announcement.hpp"

#include <gtest/gtest.h>

namespace quarq::test::announcement_tests {

using model::encode_announcement;
using model::read_announcement;
using strings = std::vector<std::string>;

TEST(announcement, names_the_tasks_in_their_order) {
  const auto read = read_announcement(encode_announcement({"mail", "add"}));
  EXPECT_TRUE(read.known);
  EXPECT_EQ(read.tasks, (strings{"add", "mail"}));
  EXPECT_EQ(read.cut, 0u);
  EXPECT_TRUE(read.may_include("add"));
  EXPECT_FALSE(read.may_include("ad"));
}

TEST(announcement, is_bounded_and_counts_what_it_leaves_out) {
  strings many;
  for (char c = 'a'; c <= 'z'; ++c) many.emplace_back(1'000, c);
  const auto encoded = encode_announcement(many);
  EXPECT_LT(encoded.size(), model::max_announced + 200);
  const auto read = read_announcement(encoded);
  EXPECT_EQ(read.tasks.size(), 16u);
  EXPECT_EQ(read.cut, 10u);
  EXPECT_TRUE(read.may_include("not named")) << "it may be among those that were cut";
}

TEST(announcement, of_a_worker_that_says_nothing_leaves_all_possible) {
  for (const char* nothing : {"", "\x80", "no msgpack", "\x81\xa5tasks\x01"}) {
    const auto read = read_announcement(nothing);
    EXPECT_FALSE(read.known) << nothing;
    EXPECT_TRUE(read.may_include("anything")) << nothing;
  }
}

}  // namespace quarq::test::announcement_tests
