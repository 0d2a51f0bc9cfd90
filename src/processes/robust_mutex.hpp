// A lock in memory that processes share, and a bell to wait for beside it. Both survive that any of the
// processes is killed at any instruction.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>

#include <pthread.h>

namespace quarq::processes {

using deadline = std::optional<std::chrono::steady_clock::time_point>;  ///< nothing: no limit

/// Tells the processor that this thread waits for another one in a loop.
inline void pause_processor() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// A process-shared, robust pthread mutex: when its owner is killed, the kernel hands it to the next one.
class robust_mutex {
 public:
  enum class result { locked, locked_after_a_death, timed_out };

  robust_mutex();
  robust_mutex(const robust_mutex&) = delete;
  robust_mutex& operator=(const robust_mutex&) = delete;

  result lock();
  result lock_until(const deadline& until);
  /// timed_out at once if somebody has it.
  result try_lock();
  void unlock() noexcept;

 private:
  result taken(int error);
  bool spin(int& error);

  pthread_mutex_t mutex_;
};

/// Those who wait for a change listen, and sleep until the bell rings. What they wait for is changed under
/// one robust_mutex, with which this protocol loses no wake-up, wherever somebody is killed:
/// - a listener locks it, sees that the change has not come, calls listen(), unlocks, and sleeps;
/// - a changer locks it, rings, makes the change by ONE store, and unlocks: in this order. Who wakes before the
///   store waits for the lock, until the store is made or its maker is dead;
/// - who gets the lock after a death rings: the dead one may have said that it rang without having done so.
class shared_bell {
 public:
  using heard = std::uint32_t;

  /// Under the lock.
  heard listen() noexcept;
  /// Under the lock, before the change. Costs one load when nobody listens.
  void ring() noexcept {
    if (listeners_.load(std::memory_order_relaxed) != 0) ring_always();
  }
  void ring_always() noexcept;

  /// Without the lock, and for no change: those who sleep look at their stop_tokens.
  void disturb() noexcept;
  /// Without the lock; until the bell rings after `since`, or `until`: then false. Also wakes for nothing.
  bool sleep(heard since, const deadline& until) noexcept;

 private:
  std::atomic<std::uint32_t> rings_ = 0;
  std::atomic<std::uint32_t> listeners_ = 0;  ///< whether anybody listens
};

}  // namespace quarq::processes
