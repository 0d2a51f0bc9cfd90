// Which process an object belongs to: a copy that fork() makes has neither the threads nor the children of the
// original, and shares its sockets.
#pragma once

#include <atomic>
#include <cstdint>

#include <pthread.h>

namespace quarq::base {

/// Remembers the process in which it was made.
class owner_process {
 public:
  owner_process() noexcept {
    [[maybe_unused]] static const int watched = pthread_atfork(nullptr, nullptr, [] { ++forks_; });
    here_ = forks_.load(std::memory_order_relaxed);
  }

  /// False in a copy of that process, made by fork(). Takes no lock.
  bool is_this_one() const noexcept { return here_ == forks_.load(std::memory_order_relaxed); }

 private:
  /// How many forks lie between the first process and this one.
  static inline std::atomic<std::uint64_t> forks_ = 0;
  std::uint64_t here_;
};

}  // namespace quarq::base
