#include "main/deadline.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <signal.h>
#include <unistd.h>

namespace quarq::test {
namespace {

// Written before the alarm is set, so the signal's handler only writes and aborts.
char message[1024];
std::size_t message_size = 0;

void on_alarm(int) {
  [[maybe_unused]] const auto written = ::write(STDOUT_FILENO, message, message_size);
  std::abort();
}

void start(unsigned seconds, const char* before, const testing::TestInfo& test) {
  ::alarm(0);
  const int size = std::snprintf(message, sizeof message, "\n[  HANGS   ] %s%s.%s has not ended after %u s\n",
                                 before, test.test_suite_name(), test.name(), seconds);
  message_size = std::min(static_cast<std::size_t>(size), sizeof message - 1);
  ::alarm(seconds);
}

}  // namespace

deadline::deadline() : seconds_(300) {
  if (const char* other = std::getenv("QUARQ_TEST_DEADLINE"))
    seconds_ = static_cast<unsigned>(std::stoul(other));
  struct sigaction action{};
  action.sa_handler = on_alarm;
  ::sigaction(SIGALRM, &action, nullptr);
}

void deadline::OnTestStart(const testing::TestInfo& test) {
  start(seconds_, "", test);
}

void deadline::OnTestEnd(const testing::TestInfo& test) {
  start(seconds_, "the program after ", test);
}

}  // namespace quarq::test
