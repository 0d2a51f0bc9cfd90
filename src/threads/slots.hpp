// The free slots of a bounded queue, and the threads and coroutines that wait for one.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <list>
#include <memory>
#include <mutex>

#include <quarq/awaitable.hpp>

#include "async/completion.hpp"

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
  struct waiter {
    std::shared_ptr<async::completion> completion;  ///< null: a thread
    bool has_slot = false;
    bool is_closed = false;
  };
  struct wait_ticket;

  std::mutex mutex_;
  std::condition_variable changed_;
  const std::size_t count_;
  std::size_t free_;
  std::list<std::shared_ptr<waiter>> waiting_;
  bool closed_ = false;
};

}  // namespace quarq::threads
