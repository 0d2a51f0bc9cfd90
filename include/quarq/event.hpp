// A flag that coroutines can wait for.
#pragma once

#include <quarq/awaitable.hpp>
#include <quarq/detail/wait_queue.hpp>

namespace quarq {

/// A manual-reset event: once set it stays set until clear(). Any number of coroutines of one loop or strand
/// may wait for it; other threads must not use it. If it is destroyed, their wait() throws
/// boost::system::system_error (operation_aborted); if the loop is destroyed first, they are destroyed with
/// it.
class event {
 public:
  event() = default;
  event(const event&) = delete;
  event& operator=(const event&) = delete;

  /// Ends all waits, and each wait that begins before clear(). Waiters resume in FIFO order on the next loop
  /// iteration.
  void set() {
    set_ = true;
    waiting_.end_all(true);
  }
  /// From now on wait() waits again. Waits that set() has ended stay ended.
  void clear() noexcept { set_ = false; }
  bool is_set() const noexcept { return set_; }

  /// Waits until the event is set. Throws operation_aborted when cancelled, unless set() came first.
  [[QUARQ_MUST_AWAIT]] awaitable<void> wait() {
    if (set_) co_return;
    co_await waiting_.wait();
  }

 private:
  detail::wait_queue waiting_;
  bool set_ = false;
};

}  // namespace quarq
