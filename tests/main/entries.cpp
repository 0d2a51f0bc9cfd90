#include "main/entries.hpp"

#include <algorithm>
#include <cctype>
#include <stdexcept>

#include <gtest/gtest.h>

namespace quarq::test {
namespace {

// Suites whose tests change their process, or count what is in it: each of their tests has a process of its own.
struct alone {
  std::string_view folder, suite, why;
};
constexpr alone all_alone[] = {
    {"unit", "assert", "its death tests fork, and must not do so beside threads"},
    {"unit", "thread_pool_death", "its death tests fork"},
    {"unit", "ids", "it forks"},
    {"unit", "cron_schedule_brute_force", "it sets TZ"},
    {"integration", "sqlite_file", "it limits the size of files, and ignores SIGXFSZ"},
    {"integration", "sqlite_users", "it forks"},
    {"integration", "process_pool", "it counts open files"},
    {"integration", "process_pool_test", "it counts open files"},
    {"integration", "process", "it counts open files"},
    {"integration", "joinable_queue", "it counts open files"},
    {"integration", "http_client_cancel", "it counts open files"},
    {"integration", "child_main", "its children are copies of the program"},
    {"faults", "process_pool_ends", "its children die of signals"},
    {"faults", "process_pool_random_kills", "it counts open files"},
    {"faults", "joinable_queue_killed_at_every_instruction", "each test takes long, and traces its children"},
    {"faults", "joinable_queue_killed_peers", "each test takes long, and kills its children"},
};

bool is_number(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c); });
}

// The suites of one template differ by number only: "limits/0" and "limits/1" are one.
std::string without_number(std::string suite) {
  const auto slash = suite.rfind('/');
  if (slash != std::string::npos && is_number(std::string_view(suite).substr(slash + 1))) suite.resize(slash);
  return suite;
}

// Its parameter, if that has a name: "redis" of "a_job_runs/redis".
std::string parameter_of(std::string_view test) {
  const auto slash = test.find('/');
  if (slash == test.npos || is_number(test.substr(slash + 1))) return "";
  return std::string(test.substr(slash + 1));
}

entry entry_of(const std::string& suite, const std::string& test, bool by_itself) {
  if (by_itself) return {suite + "." + test, suite + "." + test};
  const auto group = without_number(suite);
  const auto parameter = parameter_of(test);
  if (!parameter.empty()) return {group + "/" + parameter, suite + ".*/" + parameter};
  return {group, group == suite ? suite + ".*" : group + "/*"};
}

void add(std::vector<entry>& all, entry one) {
  const auto known = std::find_if(all.begin(), all.end(), [&](const entry& e) { return e.name == one.name; });
  auto& in = known == all.end() ? all.emplace_back(std::move(one)) : *known;
  ++in.tests;
}

}  // namespace

std::vector<entry> entries_of(std::string_view folder) {
  std::vector<std::string_view> missing;
  for (const auto& one : all_alone)
    if (one.folder == folder) missing.push_back(one.suite);
  const std::vector<std::string_view> by_themselves = missing;

  std::vector<entry> all;
  const auto& program = *testing::UnitTest::GetInstance();
  for (int s = 0; s < program.total_test_suite_count(); ++s) {
    const auto& suite = *program.GetTestSuite(s);
    const std::string name = suite.name();
    const bool by_itself = std::count(by_themselves.begin(), by_themselves.end(), name) > 0;
    std::erase(missing, name);
    for (int t = 0; t < suite.total_test_count(); ++t)
      add(all, entry_of(name, suite.GetTestInfo(t)->name(), by_itself));
  }
  if (!missing.empty())
    throw std::logic_error("tests/main/entries.cpp names the suite " + std::string(missing.front()) +
                           ", which tests/" + std::string(folder) + " does not have");
  return all;
}

}  // namespace quarq::test
