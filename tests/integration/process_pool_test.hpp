// A pool with two children for each test, and functions to run there.
#pragma once

#include <fstream>
#include <string>

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <quarq/process_pool.hpp>

#include "support/on_loop.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace quarq::test::process_pool_tests {

inline int add(int a, int b) {
  return a + b;
}

inline int own_pid() {
  return getpid();
}

inline void append_to(std::string file, std::string line) {
  std::ofstream(file, std::ios::app) << line << '\n';
}

class process_pool_test : public ::testing::Test {
 protected:
  template <class... Args>
  auto run(Args&&... args) {
    return run_on_loop(pool_.run(std::forward<Args>(args)...));
  }
  std::string path(const std::string& name) { return dir_ / name; }

  temp_dir dir_;
  process_pool pool_{{.size = 2}};
};

inline bool is_gone(pid_t pid) {
  return eventually([&] { return ::kill(pid, 0) != 0; }, default_timeout);
}

}  // namespace quarq::test::process_pool_tests
