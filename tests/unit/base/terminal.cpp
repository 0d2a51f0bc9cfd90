#include "base/terminal.hpp"

#include <gtest/gtest.h>

namespace quarq::base::terminal_tests {
namespace {

TEST(takes_escape_sequences, unless_the_terminal_is_dumb_or_unknown) {
  EXPECT_TRUE(takes_escape_sequences("xterm-256color"));
  EXPECT_FALSE(takes_escape_sequences("dumb"));
  EXPECT_FALSE(takes_escape_sequences(""));
  EXPECT_FALSE(takes_escape_sequences(nullptr));
}

}  // namespace
}  // namespace quarq::base::terminal_tests
