// Threads that must not receive the program's signals.
#include "base/signals.hpp"

#include <gtest/gtest.h>

namespace quarq::base {
namespace {

bool is_blocked(int signal) {
  sigset_t now;
  pthread_sigmask(SIG_BLOCK, nullptr, &now);
  return sigismember(&now, signal) == 1;
}

TEST(signals, are_blocked_in_a_thread_that_is_started_without_them) {
  bool in_thread = false;
  start_thread_without_signals([&] { in_thread = is_blocked(SIGTERM) && is_blocked(SIGUSR1); }).join();
  EXPECT_TRUE(in_thread);
}

TEST(signals, stay_as_they_were_in_the_thread_that_starts_it) {
  sigset_t one, before;
  sigemptyset(&one);
  sigaddset(&one, SIGUSR2);
  pthread_sigmask(SIG_BLOCK, &one, &before);
  start_thread_without_signals([] {}).join();
  EXPECT_TRUE(is_blocked(SIGUSR2));
  EXPECT_FALSE(is_blocked(SIGTERM));
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace
}  // namespace quarq::base
