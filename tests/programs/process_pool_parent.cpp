// A program with child processes, for tests that look at it from outside. The first argument says what it
// does:
//   trace FILE    main() appends "main" to FILE, then calls a function in a child, which appends "child"
//   busy          starts children that never end, prints their pids (a child's own child as well), and waits
//   broken        its children crash before they are ready; prints how a call ends, twice
//   unprivileged FILE
//                 drops root's privileges while it has an idle child, one that calls and a process, which write
//                 their pids to FILE; prints how the call ends, and "ended" when all objects are gone
//   small_files   may write files of 64 KiB at most; prints how big values and queues fail
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <string>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <quarq/errors.hpp>
#include <quarq/joinable_queue.hpp>
#include <quarq/process.hpp>
#include <quarq/process_pool.hpp>
#include <quarq/run.hpp>

#include "programs/die_with_parent.hpp"

namespace {

constexpr const char* crash_variable = "QUARQ_TEST_CRASH_AT_START";

// Static initialisers run in children.
const bool crashed = [] {
  if (std::getenv(crash_variable) != nullptr) raise(SIGKILL);
  return true;
}();

void append(std::string file, std::string line) {
  std::ofstream(file, std::ios::app) << line << '\n';
}

void say_pid_and_wait() {
  std::cout << getpid() << std::endl;
  while (true) pause();
}

void start_one_and_wait() {
  quarq::process_pool inner({.size = 1});
  std::cout << getpid() << std::endl;
  quarq::run(inner.run(say_pid_and_wait));
}

int trace(const std::string& file) {
  append(file, "main");
  quarq::process_pool pool({.size = 2});
  for (int i = 0; i < 3; ++i) quarq::run(pool.run(append, file, "child"));
  return 0;
}

int busy() {
  quarq::process_pool pool({.size = 3});
  boost::asio::io_context loop(1);
  boost::asio::co_spawn(loop, pool.run(say_pid_and_wait), boost::asio::detached);
  boost::asio::co_spawn(loop, pool.run(say_pid_and_wait), boost::asio::detached);
  boost::asio::co_spawn(loop, pool.run(start_one_and_wait), boost::asio::detached);
  loop.run();
  return 0;
}

int broken() {
  setenv(crash_variable, "1", 1);
  quarq::process_pool pool({.size = 2});
  for (int i = 0; i < 2; ++i) {
    try {
      quarq::run(pool.run(getpid));
    } catch (const quarq::worker_lost& e) {
      std::cout << e.what() << std::endl;
    }
  }
  unsetenv(crash_variable);
  const bool works_again = quarq::run(pool.run(getpid)) != getpid();
  std::cout << (works_again ? "works again" : "does not work") << std::endl;
  return 0;
}

void write_pid_and_wait(std::string file) {
  append(file, std::to_string(getpid()));
  while (true) pause();
}

int lines_of(const std::string& file) {
  std::ifstream in(file);
  int count = 0;
  for (std::string line; std::getline(in, line);) ++count;
  return count;
}

int unprivileged(const std::string& file) {
  boost::asio::io_context loop(1);
  {
    quarq::process_pool pool({.size = 2});
    quarq::process single(write_pid_and_wait, file);
    boost::asio::co_spawn(loop, pool.run(write_pid_and_wait, file), [](const std::exception_ptr& e) {
      try {
        if (e) std::rethrow_exception(e);
      } catch (const quarq::cancelled&) {
        std::cout << "cancelled" << std::endl;
      }
    });
    while (lines_of(file) < 2) loop.poll();
    quarq::run(pool.run(getpid));
    if (setuid(65534) != 0) return 2;
  }
  loop.run();
  std::cout << "ended" << std::endl;
  return 0;
}

std::size_t size_of(std::string text) {
  return text.size();
}

std::string text_of(std::size_t size) {
  return std::string(size, 'x');
}

template <class F>
void say_failure(F f) {
  try {
    f();
    std::cout << "worked" << std::endl;
  } catch (const std::exception& e) {
    std::cout << e.what() << std::endl;
  }
}

int small_files() {
  const rlimit small{64 << 10, 64 << 10};
  setrlimit(RLIMIT_FSIZE, &small);
  quarq::process_pool pool({.size = 1});
  constexpr std::size_t big = 1 << 20;
  say_failure([&] { quarq::run(pool.run(size_of, std::string(big, 'x'))); });
  say_failure([&] { quarq::run(pool.run(text_of, big)); });
  say_failure([] { quarq::joinable_queue<int> queue; });
  say_failure([&] { quarq::run(pool.run(size_of, std::string(100, 'x'))); });
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  quarq::test::die_with_parent();
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "trace" && argc == 3) return trace(argv[2]);
  if (what == "busy") return busy();
  if (what == "broken") return broken();
  if (what == "unprivileged" && argc == 3) return unprivileged(argv[2]);
  if (what == "small_files") return small_files();
  std::cerr << "usage: process_pool_parent trace FILE | busy | broken | unprivileged FILE | small_files\n";
  return 64;
}
