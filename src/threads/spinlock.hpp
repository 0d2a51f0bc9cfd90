// A lock for a few instructions: uncontended, it costs a third of a std::mutex.
#pragma once

#include <atomic>
#include <chrono>
#include <thread>

#include "base/cpu.hpp"

namespace quarq::threads {

/// To be held for some moves and stores, never while a user's code runs. A thread that finds it locked spins,
/// and after a while sleeps between attempts, since the holder has been preempted then.
class spinlock {
 public:
  void lock() noexcept {
    if (locked_.exchange(true, std::memory_order_acquire)) wait();
  }
  void unlock() noexcept { locked_.store(false, std::memory_order_release); }

 private:
  void wait() noexcept {
    for (int attempts = 0;; ++attempts) {
      const bool is_locked = locked_.load(std::memory_order_relaxed);
      if (!is_locked && !locked_.exchange(true, std::memory_order_acquire)) return;
      if (attempts < 100) {
        base::cpu_relax();
      } else if (attempts < 110) {
        std::this_thread::yield();
      } else {
        std::this_thread::sleep_for(std::chrono::microseconds(50));
      }
    }
  }

  std::atomic<bool> locked_ = false;
};

}  // namespace quarq::threads
