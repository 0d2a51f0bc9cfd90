// A process forked by a test, to be killed.
#pragma once

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/default_timeout.hpp"

namespace quarq::test {

/// Runs `body` and exits with what it returns; 4 if it throws. It shares what the test has mapped, and is
/// made faster than a program could be started. Dies with the test.
class forked {
 public:
  using clock = std::chrono::steady_clock;

  template <class Body>
  explicit forked(Body body) {
    const pid_t parent = getpid();
    pid_ = fork();
    if (pid_ != 0) return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(3);
    try {
      _exit(body());
    } catch (...) {
      _exit(4);
    }
  }
  ~forked() { kill(); }
  forked(forked&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
  forked& operator=(forked&& other) noexcept {
    kill();
    pid_ = std::exchange(other.pid_, -1);
    return *this;
  }

  pid_t pid() const noexcept { return pid_; }
  /// SIGKILL; returns when it is gone.
  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  /// Its exit code; -1 if it still runs when the timeout ends, or was killed.
  int wait() {
    const auto until = clock::now() + default_timeout;
    int status = 0;
    while (waitpid(pid_, &status, WNOHANG) == 0) {
      if (clock::now() >= until) return -1;
      usleep(200);
    }
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  /// Whether it is asleep in a system call, now or within the timeout.
  bool sleeps() const {
    const auto until = clock::now() + default_timeout;
    while (state() != 'S') {
      if (clock::now() >= until) return false;
      usleep(100);
    }
    return true;
  }

 private:
  char state() const {
    const std::string path = "/proc/" + std::to_string(pid_) + "/stat";
    std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "r"), &std::fclose);
    char result = '?';
    if (!file || std::fscanf(file.get(), "%*d (%*[^)]) %c", &result) != 1) return '?';
    return result;
  }

  pid_t pid_ = -1;
};

}  // namespace quarq::test
