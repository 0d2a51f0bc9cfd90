// The part of blocking_queue that does not depend on its item type: counting, and waiting in FIFO order.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <mutex>

#include <quarq/awaitable.hpp>

namespace quarq::detail {

/// Counts the items; the queue itself stores them, guarded by this object's mutex. Unless stated otherwise,
/// the caller of a member holds the mutex.
class queue_waiters {
 public:
  enum role { pushers, poppers, joiners };

  explicit queue_waiters(std::size_t capacity) : capacity_(capacity) {}
  queue_waiters(const queue_waiters&) = delete;
  queue_waiters& operator=(const queue_waiters&) = delete;

  std::mutex& mutex() const noexcept { return mutex_; }

  /// Throws quarq::closed_error if the queue is closed.
  bool has_room() const;
  bool is_closed() const noexcept { return closed_; }
  void pushed();
  void popped();

  /// These block the thread. wait_for_room() throws quarq::closed_error if the queue is closed.
  void wait_for_room(std::unique_lock<std::mutex>& lock);
  void wait_for_item(std::unique_lock<std::mutex>& lock);
  void wait_for_all_done(std::unique_lock<std::mutex>& lock);
  /// The same until then at most. Returns whether there is room.
  bool wait_for_room(std::unique_lock<std::mutex>& lock, std::chrono::steady_clock::time_point until);
  void wait_for_item(std::unique_lock<std::mutex>& lock, std::chrono::steady_clock::time_point until);

  /// The caller must not hold the mutex.
  void close() noexcept;
  /// The queue is destroyed. The caller must not hold the mutex.
  void end() noexcept;
  void task_done();

 private:
  struct waiter;
  struct async_waiter;
  struct waiter_list {
    waiter* first = nullptr;
    waiter* last = nullptr;
  };
  friend awaitable<void> async_wait(queue_waiters& waiters, role as);

  bool is_ready(role as) const noexcept;
  void append(waiter& one, role as) noexcept;
  void remove(waiter& one, role as) noexcept;
  void wake_next(role as);
  void wake_all(role as);
  void wait(std::unique_lock<std::mutex>& lock, role as);
  void wait(std::unique_lock<std::mutex>& lock, role as, std::chrono::steady_clock::time_point until);

  mutable std::mutex mutex_;
  const std::size_t capacity_;
  std::size_t count_ = 0;
  std::size_t unfinished_ = 0;
  bool closed_ = false;
  bool ended_ = false;  ///< only coroutines that still wait are left
  std::array<waiter_list, 3> waiting_;
};

/// Waits in a coroutine until another attempt makes sense: there was room, an item, or nothing left to do.
/// The caller must not hold the mutex. Throws operation_aborted when cancelled; the next waiter is woken
/// instead.
awaitable<void> async_wait(queue_waiters& waiters, queue_waiters::role as);

}  // namespace quarq::detail
