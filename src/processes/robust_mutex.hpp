// A mutex and a condition variable in memory that processes share. Any of the processes may be killed at any
// instruction without harm to the others.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>

#include <pthread.h>

namespace quarq::processes {

using deadline = std::optional<std::chrono::steady_clock::time_point>;  ///< nullopt: no limit

/// A process-shared, robust pthread mutex: when its owner is killed, the kernel passes it to the next.
class robust_mutex {
 public:
  enum class result { locked, locked_after_a_death, timed_out };

  robust_mutex();
  robust_mutex(const robust_mutex&) = delete;
  robust_mutex& operator=(const robust_mutex&) = delete;

  result lock();
  result lock_until(const deadline& until);
  /// Returns timed_out at once if it is locked.
  result try_lock();
  void unlock() noexcept;

 private:
  result taken(int error);
  bool spin(int& error);

  pthread_mutex_t mutex_;
};

/// A condition variable for processes that share a robust_mutex. What is waited for changes under that mutex.
/// This protocol loses no wake-up, at whatever instruction a process is killed:
/// - A waiter locks the mutex, sees that nothing has changed, calls prepare_wait(), unlocks, and calls
///   wait().
/// - A changer locks it, calls notify(), makes the change with ONE store, and unlocks, in this order. A
///   waiter that
///   wakes before the store waits for the mutex, until the store is made or its maker is dead.
/// - Whoever gets the mutex after the death of its owner calls notify_always(): the dead process may have
///   cleared
///   the flag that somebody waits without having woken anybody.
class process_condition {
 public:
  using epoch = std::uint32_t;

  /// REQUIRES: the mutex is held. Returns what wait() needs.
  epoch prepare_wait() noexcept;
  /// REQUIRES: the mutex is held, and the change is not made yet. Costs one load if nobody waits.
  void notify() noexcept {
    if (waiting_.load(std::memory_order_relaxed) != 0) notify_always();
  }
  void notify_always() noexcept;

  /// Without the mutex, and without a change: the waiters look at their stop_tokens.
  void wake_all() noexcept;
  /// Without the mutex. Waits until a notification after `since`; false if `until` comes first. May also wake
  /// spuriously.
  bool wait(epoch since, const deadline& until) noexcept;

 private:
  std::atomic<std::uint32_t> epoch_ = 0;
  std::atomic<std::uint32_t> waiting_ = 0;  ///< 1 if anybody may wait
};

}  // namespace quarq::processes
