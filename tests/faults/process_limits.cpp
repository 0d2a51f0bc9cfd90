// Programs with children, under limits and without privileges.
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include "support/process.hpp"

namespace quarq::test::process_limits_tests {
namespace {

using lines = std::vector<std::string>;

TEST(process_limits, a_program_that_dropped_its_privileges_can_end_its_pool) {
  if (getuid() != 0) GTEST_SKIP() << "only root can drop privileges";
  temp_dir dir;
  const std::string file = dir / "pids";
  process parent({program("process_pool_parent"), "unprivileged", file});
  const auto end = parent.wait(default_timeout);
  std::ifstream pids(file);
  for (pid_t pid = 0; pids >> pid;) EXPECT_EQ(::kill(pid, SIGKILL), 0) << "a call was ended that can't be";
  ASSERT_TRUE(end) << parent.output() << parent.log();
  EXPECT_EQ(end->code, 0) << parent.log();
  EXPECT_EQ(parent.lines(), (lines{"cancelled", "ended"}));
}

TEST(process_limits, a_limit_to_the_size_of_files_is_an_exception) {
  process parent({program("process_pool_parent"), "small_files"});
  const auto end = parent.wait(default_timeout);
  ASSERT_TRUE(end) << parent.output() << parent.log();
  EXPECT_EQ(end->code, 0) << "signal " << end->signal << parent.log();
  const std::string big = "shared memory for a big value: ftruncate: File too large";
  EXPECT_EQ(parent.lines(),
            (lines{big, big, "memory for a queue between processes: File too large", "worked"}));
}

}  // namespace
}  // namespace quarq::test::process_limits_tests
