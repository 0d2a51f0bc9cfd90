// A worker in a process of its own, and the CPU time and memory it used.
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

/// This program, started again with other arguments. Killed by the destructor if it still runs.
class child {
 public:
  explicit child(const std::vector<std::string>& arguments);
  ~child();
  child(const child&) = delete;
  child& operator=(const child&) = delete;

  pid_t pid() const noexcept { return pid_; }
  /// Sends SIGTERM, unless `by_itself`, and waits for its end. Throws std::runtime_error if it failed.
  cost end(bool by_itself);
  /// CPU seconds used so far.
  double cpu_now() const;

 private:
  pid_t pid_ = -1;
};

}  // namespace quarq::bench
