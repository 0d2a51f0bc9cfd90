// The free slots of a bounded queue, and the threads and coroutines that wait for one.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>

#include <quarq/awaitable.hpp>

#include "async/completion.hpp"
#include "base/linked_list.hpp"

namespace quarq::threads {

/// A semaphore with FIFO waiters. Thread safety: all members may be called at the same time.
class slots {
 public:
  explicit slots(std::size_t count) : count_(count), free_(count) {}

  /// Returns false if no slot is free, or others wait.
  bool try_acquire();
  /// Blocks the thread until it has a slot, or until close().
  void acquire();
  /// Waits in a coroutine. Throws operation_aborted when cancelled, quarq::cancelled when closed.
  awaitable<void> async_acquire();
  void release();
  /// Ends all waits: threads go on as if they had a slot.
  void close();

 private:
  struct waiter : base::linked<waiter> {
    std::shared_ptr<async::completion> completion;  ///< null: a thread
    bool waits = false;                             ///< it is in the list
    bool has_slot = false;
    bool is_closed = false;
  };
  struct wait_ticket;

  // REQUIRES: the mutex is held.
  void append(waiter& one);
  bool remove(waiter& one);

  std::mutex mutex_;
  std::condition_variable changed_;
  const std::size_t count_;
  std::size_t free_;
  base::linked_list<waiter> waiting_;
  bool closed_ = false;
};

}  // namespace quarq::threads
