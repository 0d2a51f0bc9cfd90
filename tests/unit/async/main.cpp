#include <chrono>
#include <csignal>
#include <stdexcept>
#include <string>

#include <boost/system/system_error.hpp>
#include <gtest/gtest.h>

#include <quarq/errors.hpp>
#include <quarq/run.hpp>
#include <quarq/time.hpp>

namespace quarq::main_tests {
namespace {

using namespace std::chrono_literals;

awaitable<void> nothing() {
  co_return;
}

awaitable<int> code(int n) {
  co_return n;
}

template <class Error>
awaitable<void> failure(Error error) {
  throw error;
  co_return;
}

awaitable<void> raise_and_wait(int signal, bool& cleaned_up) {
  std::raise(signal);
  try {
    co_await sleep_for(24h);
  } catch (const boost::system::system_error&) {
    cleaned_up = true;
    throw;
  }
}

awaitable<int> raise_and_return(int signal) {
  std::raise(signal);
  try {
    co_await sleep_for(24h);
  } catch (const boost::system::system_error&) {
  }
  co_return 7;
}

TEST(main, returns_zero_or_what_the_program_returned) {
  EXPECT_EQ(quarq::main(nothing()), 0);
  EXPECT_EQ(quarq::main(code(3)), 3);
}

TEST(main, prints_an_exception_in_one_line) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(quarq::main(failure(std::runtime_error("no such thing"))), 1);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "unit_tests: no such thing\n");
}

TEST(main, misuse_has_a_code_of_its_own) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(quarq::main(failure(usage_error("no such option"))), 2);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "unit_tests: no such option\n");
}

TEST(main, names_the_type_of_what_is_no_exception) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(quarq::main(failure(42)), 1);
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "unit_tests: an object of type int was thrown, which is not a std::exception\n");
}

TEST(main, a_signal_cancels_the_program_and_says_nothing) {
  testing::internal::CaptureStderr();
  for (const int signal : {SIGINT, SIGTERM}) {
    bool cleaned_up = false;
    EXPECT_EQ(quarq::main(raise_and_wait(signal, cleaned_up)), 128 + signal);
    EXPECT_TRUE(cleaned_up);
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(main, what_is_returned_after_a_signal_counts) {
  EXPECT_EQ(quarq::main(raise_and_return(SIGINT)), 7);
}

TEST(run_until_signal, throws_interrupted) {
  bool cleaned_up = false;
  try {
    run(raise_and_wait(SIGTERM, cleaned_up), stop_on_signals);
    FAIL() << "it returned";
  } catch (const interrupted& e) {
    EXPECT_EQ(e.signal(), SIGTERM);
  }
  EXPECT_TRUE(cleaned_up);
}

TEST(run_until_signal, leaves_the_signal_as_it_was) {
  EXPECT_EQ(run(code(3), stop_on_signals), 3);
  struct sigaction now{};
  ASSERT_EQ(sigaction(SIGINT, nullptr, &now), 0);
  EXPECT_EQ(now.sa_handler, SIG_DFL);
}

}  // namespace
}  // namespace quarq::main_tests
