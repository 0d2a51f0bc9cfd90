// A deadline for each test, so that one that hangs is named though it shares its process with others.
#pragma once

#include <gtest/gtest.h>

namespace quarq::test {

/// Aborts the program, after a line with the test's name, when a test or the program's end takes longer than 300 s; the
/// environment variable QUARQ_TEST_DEADLINE is another number of seconds, and 0 is no deadline (for a debugger). Takes
/// the signal SIGALRM.
class deadline : public testing::EmptyTestEventListener {
 public:
  deadline();

 private:
  void OnTestStart(const testing::TestInfo& test) override;
  void OnTestEnd(const testing::TestInfo& test) override;

  unsigned seconds_;
};

}  // namespace quarq::test
