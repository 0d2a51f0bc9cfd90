// What ctest starts: a process runs all tests of a suite that have the same parameter.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace quarq::test {

struct entry {
  std::string
      name;  ///< suite/parameter: "at/cron/redis", or "process.a_test" for a test with a process of its own
  std::string filter;  ///< which tests these are, for --gtest_filter
  int tests = 0;
};

/// Those of this program, which is built from tests/FOLDER. Throws std::logic_error if a suite that must have a process
/// for each of its tests does not exist.
std::vector<entry> entries_of(std::string_view folder);

}  // namespace quarq::test
