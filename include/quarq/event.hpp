// Something that has happened, or not yet.
#pragma once

#include <quarq/awaitable.hpp>
#include <quarq/wait_list.hpp>

namespace quarq {

/// A flag that any number of coroutines can wait for; it stays set until clear(). To be used by the
/// coroutines of one loop or strand, not from other threads. If it is destroyed while some wait, their wait()
/// throws boost::system::system_error (operation_aborted); if the loop is destroyed first, so are they.
class event {
 public:
  event() = default;
  event(const event&) = delete;
  event& operator=(const event&) = delete;

  /// Ends the wait of all who wait, and of all who will until clear(). They go on at the next turn of the
  /// loop, in the order in which they came.
  void set() {
    set_ = true;
    waiting_.end_all(true);
  }
  /// From now on wait() waits again. Those whose wait has been ended by set() go on nevertheless.
  void clear() noexcept { set_ = false; }
  bool is_set() const noexcept { return set_; }

  /// Returns at once if it is set, or when it is. Cancellation ends the wait with operation_aborted; a set()
  /// that came before counts more.
  awaitable<void> wait() {
    if (set_) co_return;
    co_await waiting_.wait();
  }

 private:
  detail::wait_list waiting_;
  bool set_ = false;
};

}  // namespace quarq
