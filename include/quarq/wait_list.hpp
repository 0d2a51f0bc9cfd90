// What channel, semaphore and event have in common: coroutines that wait in a row. Not for use by itself.
#pragma once

#include <cstddef>
#include <memory>

#include <quarq/awaitable.hpp>

namespace quarq::detail {

class waiter;
class loop_lists;

/// Waiting coroutines of one loop or strand, the longest waiting first. Both ends may come in any order: a
/// list that is destroyed ends its waits with operation_aborted; a loop that is destroyed destroys those who
/// wait.
class wait_list {
 public:
  wait_list() = default;
  ~wait_list();
  wait_list(const wait_list&) = delete;
  wait_list& operator=(const wait_list&) = delete;

  /// Waits for hand_one() or end_one(): true for the first, what was given for the second. `with` is what
  /// first() shows meanwhile. A cancelled wait throws operation_aborted and has taken nothing. The list may
  /// be gone when this returns false or throws, or returns true after end_one(true).
  awaitable<bool> wait(void* with = nullptr);

  bool empty() const noexcept { return !waiting_.first; }
  /// How many have been handed something and not yet come to take it: it is theirs.
  std::size_t handed() const noexcept { return handed_count_; }
  /// `with` of the longest waiting one; the list must not be empty.
  void* first() const noexcept;

  /// Wakes the longest waiting one to take what is there. If it is cancelled before it does, this passes to
  /// the next. Nothing happens if nobody waits.
  void hand_one();
  /// Ends the wait of the longest waiting one for good, if there is one.
  void end_one(bool result);
  /// Ends those of all who wait at this moment.
  void end_all(bool result);
  /// Ends all waits with operation_aborted, also of those that were handed something.
  void abort_all();

 private:
  friend class waiter;
  friend class loop_lists;
  struct chain {
    waiter* first = nullptr;
    waiter* last = nullptr;
    void append(waiter& one) noexcept;
    void remove(waiter& one) noexcept;
  };

  chain waiting_;
  chain handed_;
  std::size_t handed_count_ = 0;
  // So that the loop finds it at its end.
  std::shared_ptr<loop_lists> home_;
  wait_list* previous_ = nullptr;
  wait_list* next_ = nullptr;
};

}  // namespace quarq::detail
