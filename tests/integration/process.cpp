// One function in a process of its own.
#include "support/process.hpp"

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/system_error.hpp>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <quarq/errors.hpp>
#include <quarq/gather.hpp>
#include <quarq/memory.hpp>
#include <quarq/process.hpp>
#include <quarq/run.hpp>
#include <quarq/time.hpp>

#include "base/sanitizers.hpp"
#include "support/descriptors.hpp"
#include "support/on_loop.hpp"
#include "support/temp_dir.hpp"

namespace quarq::test::process_tests {
namespace {

using namespace std::chrono_literals;
using quarq::process;  // not the one of the tests
namespace asio = boost::asio;

int sum(int a, int b) {
  return a + b;
}
void nothing() {}
void sleep_for_ever() {
  while (true) pause();
}
void write_file(std::string path, std::string text) {
  std::ofstream(path) << text;
}
// Tells a test that it has begun.
void say_and_sleep(std::string path) {
  std::ofstream(path + ".new") << getpid();
  std::filesystem::rename(path + ".new", path);
  sleep_for_ever();
}
void fail_with(std::string message) {
  throw std::out_of_range(message);
}
void crash() {
  raise(SIGSEGV);
}
awaitable<int> later(int value) {
  co_await sleep_for(1ms);
  co_return value;
}
std::uint8_t shown_name(std::string expected) {
  std::string name;
  std::getline(std::ifstream("/proc/self/comm"), name);
  return name == expected ? 0 : 1;
}
int allocate(std::uint64_t bytes) {
  try {
    const std::string memory(bytes, 'x');
    return memory[bytes / 2] == 'x' ? 0 : 1;
  } catch (const std::bad_alloc&) {
    return 7;
  }
}

// A dead orphan stays a zombie until init reaps it.
bool is_gone(pid_t pid) {
  std::string line;
  if (!std::getline(std::ifstream("/proc/" + std::to_string(pid) + "/stat"), line)) return true;
  return line.find(") Z") != std::string::npos;
}

TEST(process, what_the_function_returns_is_the_exit_code) {
  EXPECT_EQ(process(sum, 20, 22).wait(), 42);
  EXPECT_EQ(process(nothing).wait(), 0);
  EXPECT_EQ(process([](int a) { return a; }, 5).wait(), 5);
  EXPECT_EQ(process(later, 6).wait(), 6);
  EXPECT_EQ(process(sum, 250, 7).wait(), 1);  // modulo 256, as the system keeps it
}

TEST(process, join_from_coroutines_of_several_loops) {
  process p(later, 3);
  const auto body = [&p]() -> awaitable<void> {
    std::vector<awaitable<int>> all;
    for (int i = 0; i < 10; ++i) all.push_back(p.join());
    const auto codes = co_await gather(std::move(all));
    EXPECT_EQ(codes, std::vector<int>(10, 3));
    const int again = co_await p.join();
    EXPECT_EQ(again, 3);
  };
  std::jthread other([&] { run_on_loop(body); });
  run_on_loop(body);
}

TEST(process, arguments_travel_by_their_codecs) {
  temp_dir dir;
  const std::string path = dir.path() / "out";
  const std::string big(3'000'000, 'x');
  EXPECT_EQ(process(write_file, path, big).wait(), 0);
  EXPECT_EQ(read_file(path), big);
  const auto count = [](std::map<std::string, std::vector<int>> lists) {
    return static_cast<int>(lists.at("a").size());
  };
  const std::map<std::string, std::vector<int>> lists{{"a", {1, 2, 3}}};
  EXPECT_EQ(process(count, lists).wait(), 3);
}

TEST(process, an_exception_is_exit_code_one_and_a_line_on_stderr) {
  testing::internal::CaptureStderr();
  const int code = process(fail_with, "the page 7 is missing").wait();
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "std::out_of_range: the page 7 is missing\n");
  EXPECT_EQ(code, 1);
}

TEST(process, main_is_not_run) {
  testing::internal::CaptureStdout();
  EXPECT_EQ(process(nothing).wait(), 0);
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
}

TEST(process, terminate_and_kill) {
  process a(sleep_for_ever), b(sleep_for_ever);
  EXPECT_TRUE(a.running());
  EXPECT_EQ(a.exit_code(), std::nullopt);
  a.terminate();
  b.kill();
  EXPECT_EQ(a.wait(), -SIGTERM);
  EXPECT_EQ(b.wait(), -SIGKILL);
  EXPECT_FALSE(a.running());
  EXPECT_EQ(a.exit_code(), -SIGTERM);
  a.terminate();
  a.kill();
}

TEST(process, a_crash_is_minus_its_signal) {
  if (base::sanitized) GTEST_SKIP() << "the sanitizers turn a crash into an exit";
  EXPECT_EQ(process(crash).wait(), -SIGSEGV);
}

TEST(process, has_the_name_of_its_options) {
  EXPECT_EQ(process({.name = "index"}, shown_name, "index").wait(), 0);
}

TEST(process, memory_limit) {
  if (base::sanitized) GTEST_SKIP() << "the sanitizers need memory as they please";
  EXPECT_EQ(process({.memory_limit = 32_MiB}, allocate, 64_MiB).wait(), 7);
  EXPECT_EQ(process({.memory_limit = 256_MiB}, allocate, 64_MiB).wait(), 0);
}

TEST(process, the_destructor_kills_and_reaps) {
  pid_t pid = 0;
  {
    process p(sleep_for_ever);
    pid = p.pid();
    EXPECT_GT(pid, 0);
    EXPECT_FALSE(is_gone(pid));
  }
  EXPECT_TRUE(is_gone(pid));
}

TEST(process, moves) {
  process a(sleep_for_ever);
  const pid_t first = a.pid();
  process b(std::move(a));
  EXPECT_EQ(b.pid(), first);
  EXPECT_FALSE(a.running());
  EXPECT_EQ(a.pid(), 0);
  a.kill();
  EXPECT_THROW(a.wait(), error);
  EXPECT_THROW(a.exit_code(), error);
  process c(sleep_for_ever);
  const pid_t second = c.pid();
  c = std::move(b);
  EXPECT_TRUE(is_gone(second));
  EXPECT_EQ(c.pid(), first);
  EXPECT_TRUE(c.running());
  EXPECT_FALSE(process().running());
}

TEST(process, a_cancelled_join_leaves_the_process_alone) {
  process p(sleep_for_ever);
  const auto body = [&p]() -> awaitable<void> {
    bool late = false;
    try {
      co_await with_timeout(p.join(), 10ms);
    } catch (const timed_out&) {
      late = true;
    }
    EXPECT_TRUE(late);
    EXPECT_TRUE(p.running());
    p.kill();
    const int code = co_await p.join();
    EXPECT_EQ(code, -SIGKILL);
  };
  run_on_loop(body);
}

TEST(process, the_object_may_be_destroyed_during_a_join) {
  auto p = std::make_unique<process>(sleep_for_ever);
  const auto body = [&p]() -> awaitable<void> {
    auto joining = p->join();
    p.reset();
    const int code = co_await std::move(joining);
    EXPECT_EQ(code, -SIGKILL);
  };
  run_on_loop(body);
}

TEST(process, the_loop_may_end_during_a_join) {
  process p(sleep_for_ever);
  {
    asio::io_context loop(1);
    const auto unexpected = [](std::exception_ptr, int) { ADD_FAILURE() << "it can't have ended"; };
    asio::co_spawn(loop, p.join(), unexpected);
    loop.poll();
  }
  EXPECT_TRUE(p.running());
}

TEST(process, many_leave_nothing_behind) {
  process(nothing).wait();  // what stays open for good
  const auto before = open_descriptors();
  for (int i = 0; i < 20; ++i) {
    process a(sum, 1, 2), b(sleep_for_ever), c(sum, 3, 4);
    EXPECT_EQ(a.wait(), 3);
  }
  EXPECT_TRUE(eventually([&] { return open_descriptors() <= before; }, default_timeout))
      << open_descriptors();
  // No zombies either.
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
}

TEST(process, may_start_processes_itself) {
  const auto parent = [] { return process(sum, 4, 5).wait(); };
  EXPECT_EQ(process(parent).wait(), 9);
}

// Grandchildren too: they die with their own parent.
TEST(process, dies_with_its_parent) {
  temp_dir dir;
  const std::string path = dir.path() / "pid";
  const auto parent = [](std::string to) {
    process grandchild(say_and_sleep, to);
    return grandchild.wait();
  };
  pid_t grandchild = 0;
  {
    process p(parent, path);
    ASSERT_TRUE(eventually([&] { return std::filesystem::exists(path); }, default_timeout));
    grandchild = std::stoi(read_file(path));
  }
  EXPECT_TRUE(eventually([&] { return is_gone(grandchild); }, default_timeout));
}

TEST(process, from_many_threads) {
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([t] {
      for (int i = 0; i < 10; ++i) EXPECT_EQ(process(sum, t, i).wait(), t + i);
    });
  }
}

}  // namespace
}  // namespace quarq::test::process_tests
