// What a blocking_queue shares with the coroutines that wait for it: they may outlive it.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include <quarq/awaitable.hpp>
#include <quarq/detail/queue_waiters.hpp>

namespace quarq::detail {

template <class T>
struct queue_state {
  explicit queue_state(std::size_t capacity) : waiters(capacity) {}

  /// The caller of both holds the mutex.
  void push(T&& item) {
    items.push_back(std::move(item));
    waiters.pushed();
  }
  std::optional<T> pop() {
    if (items.empty()) return std::nullopt;
    std::optional<T> item(std::move(items.front()));
    items.pop_front();
    waiters.popped();
    return item;
  }

  queue_waiters waiters;
  std::deque<T> items;  ///< guarded by the mutex of `waiters`, which counts them
};

template <class T>
awaitable<void> async_push(std::shared_ptr<queue_state<T>> to, T item) {
  while (true) {
    {
      const std::lock_guard lock(to->waiters.mutex());
      if (to->waiters.has_room()) {
        to->push(std::move(item));
        co_return;
      }
    }
    co_await async_wait(to->waiters, queue_waiters::pushers);
  }
}

template <class T>
awaitable<std::optional<T>> async_pop(std::shared_ptr<queue_state<T>> from) {
  while (true) {
    {
      const std::lock_guard lock(from->waiters.mutex());
      auto item = from->pop();
      if (item || from->waiters.is_closed()) co_return item;
    }
    co_await async_wait(from->waiters, queue_waiters::poppers);
  }
}

template <class T>
awaitable<void> async_join(std::shared_ptr<queue_state<T>> queue) {
  co_await async_wait(queue->waiters, queue_waiters::joiners);
}

}  // namespace quarq::detail
