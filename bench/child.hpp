// A worker in a process of its own, and what it cost.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include <sys/types.h>

namespace quarq::bench {

struct cost {
  double cpu_seconds = 0;  ///< user and system
  double peak_mb = 0;      ///< resident
};

/// This program started anew with other arguments. Killed at the latest when the object ends.
class child {
 public:
  explicit child(const std::vector<std::string>& arguments);
  ~child();
  child(const child&) = delete;
  child& operator=(const child&) = delete;

  pid_t pid() const noexcept { return pid_; }
  /// Sends SIGTERM, unless it is to end by itself, and waits for its end. Throws std::runtime_error if it
  /// failed.
  cost end(bool by_itself);
  /// CPU seconds used so far.
  double cpu_now() const;

 private:
  pid_t pid_ = -1;
};

}  // namespace quarq::bench
