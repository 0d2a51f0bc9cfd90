#include "debug/terminal.hpp"

#include <cerrno>

#include <gtest/gtest.h>

#include "debug/report.hpp"

namespace quarq::test {
namespace {

using debug::wants_colours;

TEST(debug_terminal, colours_are_for_terminals_that_want_them) {
  EXPECT_TRUE(wants_colours(colours::automatic, {true, nullptr, "xterm"}));
  EXPECT_TRUE(wants_colours(colours::automatic, {true, "", "xterm"}));
  EXPECT_FALSE(wants_colours(colours::automatic, {true, "1", "xterm"}));
  EXPECT_FALSE(wants_colours(colours::automatic, {false, nullptr, "xterm"}));
  EXPECT_FALSE(wants_colours(colours::automatic, {true, nullptr, "dumb"}));
  EXPECT_FALSE(wants_colours(colours::automatic, {true, nullptr, nullptr}));
  EXPECT_TRUE(wants_colours(colours::always, {false, "1", "dumb"}));
  EXPECT_FALSE(wants_colours(colours::never, {true, nullptr, "xterm"}));
}

TEST(debug_terminal, what_is_none_has_a_hundred_columns) {
  EXPECT_EQ(debug::terminal_width(-1), 100U);
}

TEST(debug_terminal, writing_to_nowhere_is_no_error) {
  errno = 7;
  debug::write_whole(-1, "text");
  EXPECT_EQ(errno, 7);
}

TEST(debug_terminal, files_below_this_folder_are_shown_from_there) {
  EXPECT_EQ(debug::relative_to("/a/b/c.cpp", "/a"), "b/c.cpp");
  EXPECT_EQ(debug::relative_to("/ab/c.cpp", "/a"), "/ab/c.cpp");
  EXPECT_EQ(debug::relative_to("c.cpp", "/a"), "c.cpp");
  EXPECT_EQ(debug::relative_to("/c.cpp", "/"), "/c.cpp");
  EXPECT_EQ(debug::relative_to("/c.cpp", ""), "/c.cpp");
}

}  // namespace
}  // namespace quarq::test
