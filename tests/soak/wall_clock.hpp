// A wall clock that can be set, for processes that are started with it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <string>

namespace quarq::soak {

/// Whether processes of this build can have another clock: a sanitizer's can't be preloaded into.
bool clocks_can_be_set();

class wall_clock {
 public:
  /// `file` is made. Throws std::system_error if it can't be.
  explicit wall_clock(const std::string& file);
  ~wall_clock();
  wall_clock(const wall_clock&) = delete;
  wall_clock& operator=(const wall_clock&) = delete;

  /// What a process must have in its environment.
  std::map<std::string, std::string> environment() const;
  /// From now on its processes see this much more than it is.
  void set(std::chrono::microseconds ahead);

 private:
  std::string file_;
  std::atomic<std::int64_t>* offset_ = nullptr;
};

}  // namespace quarq::soak
