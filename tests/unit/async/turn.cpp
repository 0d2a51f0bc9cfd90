// When work that waits for nothing lets others in.
#include "async/turn.hpp"

#include <gtest/gtest.h>

namespace quarq::async {
namespace {

TEST(turn, is_over_once_its_size_is_spent_and_begins_anew) {
  turn t(3);
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 3; ++i) {
      EXPECT_FALSE(t.is_over());
      t.spend();
    }
    EXPECT_TRUE(t.is_over());
  }
}

TEST(turn, a_piece_may_cost_more_than_a_turn) {
  turn t(3);
  t.spend(100);
  EXPECT_TRUE(t.is_over());
  EXPECT_FALSE(t.is_over());
}

TEST(turn, begins_anew_when_others_have_had_theirs) {
  turn t(2);
  t.spend();
  t.begin();
  t.spend();
  EXPECT_FALSE(t.is_over());
}

}  // namespace
}  // namespace quarq::async
