// Waiting coroutines in FIFO order: the common part of channel, semaphore and event.
#pragma once

#include <cstddef>
#include <memory>

#include <quarq/awaitable.hpp>

namespace quarq::detail {

class wait_queue_registry;

/// Waiting coroutines of one loop or strand, the longest waiting first. The wait queue and the loop may be
/// destroyed in any order: destroying the wait queue ends its waits with operation_aborted; destroying the
/// loop destroys the waiting coroutines.
class wait_queue {
 public:
  wait_queue() = default;
  ~wait_queue();
  wait_queue(const wait_queue&) = delete;
  wait_queue& operator=(const wait_queue&) = delete;

  /// Waits for hand_one() or an end function. Returns true after hand_one(), else what the end function was
  /// given. first() returns `with` meanwhile. Throws operation_aborted when cancelled, and has taken nothing
  /// then. The wait queue may be gone when this returns false or throws, or returns true after end_one(true).
  awaitable<bool> wait(void* with = nullptr);

  bool empty() const noexcept { return !waiting_.first; }
  /// How many coroutines have been handed something and have not resumed yet: it belongs to them.
  std::size_t handed() const noexcept { return handed_count_; }
  /// `with` of the longest waiting coroutine. REQUIRES: !empty().
  void* first() const noexcept;

  /// Wakes the longest waiting coroutine, if there is one, to take what is there. If that is cancelled before
  /// it resumes, the next one is woken instead.
  void hand_one();
  /// Ends the wait of the longest waiting coroutine, if there is one, with this result.
  void end_one(bool result);
  /// Ends the waits of all coroutines that wait now.
  void end_all(bool result);
  /// Ends all waits with operation_aborted, also of coroutines that were handed something.
  void abort_all();

 private:
  class waiter;
  friend class wait_queue_registry;
  struct chain {
    waiter* first = nullptr;
    waiter* last = nullptr;
    void append(waiter& one) noexcept;
    void remove(waiter& one) noexcept;
  };

  chain waiting_;
  chain handed_;
  std::size_t handed_count_ = 0;
  // So that the loop finds this wait queue when it is destroyed.
  std::shared_ptr<wait_queue_registry> registry_;
  wait_queue* previous_ = nullptr;
  wait_queue* next_ = nullptr;
};

}  // namespace quarq::detail
