// Places in a queue of bounded length: who finds none waits for his turn.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <list>
#include <memory>
#include <mutex>

#include <quarq/awaitable.hpp>

#include "async/handoff.hpp"

namespace quarq::threads {

/// Thread-safe.
class places {
 public:
  explicit places(std::size_t count) : free_(count) {}

  /// False if there is none, or others wait.
  bool try_take();
  /// Blocks the thread.
  void take();
  /// Waits in a coroutine. Throws operation_aborted when that is cancelled, quarq::cancelled when closed.
  awaitable<void> async_take();
  void give_back();
  /// Nobody waits any more: threads go on as if they had a place.
  void close();

 private:
  struct waiter {
    std::shared_ptr<async::handoff> event;  ///< null: a thread
    bool has_place = false;
    bool is_closed = false;
  };
  using list = std::list<std::shared_ptr<waiter>>;
  struct in_line;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t free_;
  list waiting_;
  bool closed_ = false;
};

}  // namespace quarq::threads
