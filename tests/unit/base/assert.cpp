#include "base/assert.hpp"

#include <gtest/gtest.h>

namespace quarq::test {
namespace {

#ifndef NDEBUG
TEST(assert_death, a_false_invariant_is_printed_and_aborts) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const int idle = 3, living = 2;
  EXPECT_DEATH(QUARQ_ASSERT(idle <= living), "assert.cpp:[0-9]+: assertion failed: idle <= living");
}
#endif

TEST(assert, a_true_invariant_does_nothing) {
  int evaluations = 0;
  QUARQ_ASSERT(++evaluations > 0);
#ifdef NDEBUG
  EXPECT_EQ(evaluations, 0);
#else
  EXPECT_EQ(evaluations, 1);
#endif
}

}  // namespace
}  // namespace quarq::test
