// Who may put into a blocking_queue or get from it, and who waits for that: all of it that knows no type.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <mutex>

#include <quarq/awaitable.hpp>

namespace quarq::detail {

/// Counts the items; the queue itself keeps them, under this one's mutex, which is held where not said
/// otherwise.
class queue_gate {
 public:
  enum line { putters, getters, joiners };

  explicit queue_gate(std::size_t capacity) : capacity_(capacity) {}
  queue_gate(const queue_gate&) = delete;
  queue_gate& operator=(const queue_gate&) = delete;

  std::mutex& mutex() const noexcept { return mutex_; }

  /// Throws quarq::closed if it is.
  bool has_room() const;
  bool is_closed() const noexcept { return closed_; }
  void added();
  void taken();

  /// These block the thread. The first throws quarq::closed.
  void wait_for_room(std::unique_lock<std::mutex>& lock);
  void wait_for_item(std::unique_lock<std::mutex>& lock);
  void wait_for_item(std::unique_lock<std::mutex>& lock, std::chrono::nanoseconds max);
  void wait_for_all_done(std::unique_lock<std::mutex>& lock);

  /// Not with the mutex held.
  void close() noexcept;
  void end() noexcept;
  void task_done();

 private:
  struct waiter;
  struct in_line;
  struct waiters {
    waiter* first = nullptr;
    waiter* last = nullptr;
  };
  friend awaitable<void> wait_in_line(queue_gate& gate, line which);

  bool is_ready(line which) const noexcept;
  void stand(waiter& one, line which) noexcept;
  void leave(waiter& one, line which) noexcept;
  void call_next(line which);
  void call_all(line which);
  void wait(std::unique_lock<std::mutex>& lock, line which);

  mutable std::mutex mutex_;
  const std::size_t capacity_;
  std::size_t count_ = 0;
  std::size_t unfinished_ = 0;
  bool closed_ = false;
  bool ended_ = false;  ///< only coroutines are left that waited
  std::array<waiters, 3> lines_;
};

/// Waits in a coroutine until it is worth a try: there was room, an item, or nothing left to do. Not with the
/// mutex held. Throws operation_aborted when cancelled; another one is called then.
awaitable<void> wait_in_line(queue_gate& gate, queue_gate::line which);

}  // namespace quarq::detail
