// Children of a program that is linked without the entry hook: quarq::child_main() takes its place.
#include <string>

#include <gtest/gtest.h>
#include <unistd.h>

#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace quarq::test::child_main_tests {
namespace {

TEST(child_main, what_follows_it_in_main_never_runs_in_a_child) {
  temp_dir dir;
  process parent({program("child_main_parent"), "with", dir / "trace"});
  const auto end = parent.wait(default_timeout);
  ASSERT_TRUE(end);
  EXPECT_EQ(end->code, 0) << parent.log();
  EXPECT_EQ(read_file(dir / "trace"), "main\nchild\nchild\nchild\n");
}

TEST(child_main, is_named_by_the_error_of_a_program_without_it) {
  process parent({program("child_main_parent"), "without"});
  ASSERT_TRUE(parent.wait(default_timeout));
  EXPECT_NE(parent.output().find("this program can't have child processes"), std::string::npos)
      << parent.output();
  EXPECT_NE(parent.output().find("quarq::child_main(argc, argv)"), std::string::npos) << parent.output();
}

TEST(child_main, refuses_the_mark_of_a_child_without_a_socket) {
  process alone({program("child_main_parent"), "--quarq-child=1", std::to_string(getpid()), "x"});
  const auto end = alone.wait(default_timeout);
  ASSERT_TRUE(end);
  EXPECT_EQ(end->code, 64);
  EXPECT_NE(alone.log().find("descriptor 3 is no socket"), std::string::npos) << alone.log();
}

}  // namespace
}  // namespace quarq::test::child_main_tests
