// A program with child processes, for tests that look at it from outside. The first argument says what it
// does:
//   trace FILE    main() appends "main" to FILE, then calls a function in a child, which appends "child"
//   busy          starts children that never end, prints their pids (a child's own child as well), and waits
//   broken        its children crash before they are ready; prints how a call ends, twice
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <string>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <signal.h>
#include <unistd.h>

#include <quarq/errors.hpp>
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

}  // namespace

int main(int argc, char** argv) {
  quarq::test::die_with_parent();
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "trace" && argc == 3) return trace(argv[2]);
  if (what == "busy") return busy();
  if (what == "broken") return broken();
  std::cerr << "usage: process_pool_parent trace FILE | busy | broken\n";
  return 64;
}
