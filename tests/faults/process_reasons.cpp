// Children that end for a reason of their own: the caller learns it.
#include <exception>
#include <string>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <quarq/process_pool.hpp>

#include "base/sanitizers.hpp"
#include "support/on_loop.hpp"

namespace quarq::test::process_reasons_tests {
namespace {

struct open_file {
  int descriptor = -1;
};

}  // namespace
}  // namespace quarq::test::process_reasons_tests

template <>
struct quarq::codec<quarq::test::process_reasons_tests::open_file> {
  static void encode(encoder& out, const test::process_reasons_tests::open_file& value) {
    out.file(value.descriptor);
  }
  static test::process_reasons_tests::open_file decode(decoder& in) { return {in.file()}; }
};

namespace quarq::test::process_reasons_tests {
namespace {

struct silent_exception : std::exception {
  const char* what() const noexcept override { return nullptr; }
};

void throw_without_words() {
  throw silent_exception();
}

void allow_no_more_files() {
  const int next = ::open("/dev/null", O_RDONLY);
  const rlimit all{static_cast<rlim_t>(next), static_cast<rlim_t>(next)};
  ::close(next);
  setrlimit(RLIMIT_NOFILE, &all);
}

void take(open_file file) {
  ::close(file.descriptor);
}

void replace_the_connection() {
  ::dup2(0, 3);
}

void close_the_connection() {
  ::close(3);
}

void close_the_connection_and_wait() {
  ::close(3);
  while (true) pause();
}

template <class... Args>
std::string loss(process_pool& pool, Args... call) {
  try {
    run_on_loop(pool.run(call...));
  } catch (const worker_lost& e) {
    return e.what();
  }
  return "nothing was lost";
}

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

TEST(process_reasons, what_of_null_is_an_empty_message) {
  process_pool pool({.size = 1});
  for (int i = 0; i < 5; ++i) {
    try {
      run_on_loop(pool.run(throw_without_words));
      FAIL() << "nothing was thrown";
    } catch (const call_failed& e) {
      EXPECT_STREQ(e.what(), "");
      EXPECT_NE(e.type().find("silent_exception"), std::string::npos) << e.type();
    }
  }
}

TEST(process_reasons, a_child_with_too_many_open_files_says_so) {
  if (base::sanitized) GTEST_SKIP() << "sanitizers need descriptors of their own";
  process_pool pool({.size = 1});
  for (int i = 0; i < 5; ++i) {
    run_on_loop(pool.run(allow_no_more_files));
    const std::string message = loss(pool, take, open_file{0});
    EXPECT_TRUE(
        ends_with(message,
                  " ended in mid-call: process frame: 1 files were said to come along, 0 did: too many "
                  "files are open"))
        << message;
  }
}

TEST(process_reasons, a_child_without_its_connection_ends_by_itself) {
  process_pool pool({.size = 1});
  for (int i = 0; i < 5; ++i) {
    const std::string replaced = loss(pool, replace_the_connection);
    EXPECT_TRUE(ends_with(replaced, " exited with code 70 in mid-call")) << replaced;
    const std::string closed = loss(pool, close_the_connection);
    EXPECT_TRUE(ends_with(closed, " exited with code 70 in mid-call")) << closed;
  }
}

TEST(process_reasons, a_kill_by_the_pool_is_not_taken_for_another) {
  process_pool pool({.size = 1});
  const std::string message = loss(pool, close_the_connection_and_wait);
  EXPECT_TRUE(ends_with(message, " closed its connection, and was killed in mid-call")) << message;
}

}  // namespace
}  // namespace quarq::test::process_reasons_tests
