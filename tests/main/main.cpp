// The main function of our test programs.
//
//   unit_tests                       runs all tests, or those of --gtest_filter
//   unit_tests --list_entries unit   prints what ctest starts, a line each: name, number of tests, filter
//
// Ends with 0 if all tests passed, 1 if one failed or none was to be run, 77 if each one was skipped.
#include <cstdio>
#include <exception>
#include <string_view>

#include <gtest/gtest.h>

#include "main/deadline.hpp"
#include "main/entries.hpp"

namespace {

int list_entries(std::string_view folder) {
  try {
    for (const auto& one : quarq::test::entries_of(folder))
      std::printf("%s\t%d\t%s\n", one.name.c_str(), one.tests, one.filter.c_str());
    return 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
}

int run_all() {
  auto& program = *testing::UnitTest::GetInstance();
  program.listeners().Append(new quarq::test::deadline);
  if (RUN_ALL_TESTS() != 0) return 1;
  if (GTEST_FLAG_GET(list_tests)) return 0;
  if (program.test_to_run_count() == 0) {
    std::fprintf(stderr, "no test matches %s\n", GTEST_FLAG_GET(filter).c_str());
    return 1;
  }
  return program.successful_test_count() == 0 ? 77 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  return argc == 3 && argv[1] == std::string_view("--list_entries") ? list_entries(argv[2]) : run_all();
}
