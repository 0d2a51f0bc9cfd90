// A child process whose output we read line by line.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

class child {
 public:
  /// Starts the program with a pipe for its standard input and one for its output, errors included. Throws
  /// std::system_error if it can't be started.
  child(std::string label, const std::string& program, std::vector<std::string> arguments);
  /// Kills it if it still runs.
  ~child();
  child(const child&) = delete;
  child& operator=(const child&) = delete;

  const std::string& label() const noexcept { return label_; }
  pid_t pid() const noexcept { return pid_; }
  /// What to poll; -1 once it has said its last.
  int output() const noexcept { return output_; }

  /// The lines that have come since the last call. To be called when output() is readable.
  std::deque<std::string> read_lines();
  void tell(const std::string& line);
  void signal(int number) noexcept;
  /// Waits for its end, which is near once output() is -1, and returns its status as waitpid gives it.
  int wait();

 private:
  std::string label_;
  pid_t pid_ = -1;
  int input_ = -1;
  int output_ = -1;
  std::string unfinished_;
  std::optional<int> status_;
};
