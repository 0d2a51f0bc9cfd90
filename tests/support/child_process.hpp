// A program that a test starts, listens to, and ends.
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

namespace quarq::test {

/// Killed, at the latest, with the object.
class child_process {
 public:
  /// Starts a program of tests/programs by its name, with its standard output to be read here.
  child_process(const std::string& program, std::vector<std::string> arguments);
  ~child_process();
  child_process(const child_process&) = delete;
  child_process& operator=(const child_process&) = delete;

  pid_t pid() const noexcept { return pid_; }
  /// Waits until at least one more byte of output has come, and gives all there is; empty at its end.
  std::string read_output();
  /// SIGKILL, and waits for the end.
  void kill();

 private:
  pid_t pid_ = -1;
  int output_ = -1;
};

}  // namespace quarq::test
