// A queue between threads, and between threads and coroutines.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>

#include <quarq/awaitable.hpp>
#include <quarq/detail/duration.hpp>
#include <quarq/detail/queue_state.hpp>

namespace quarq {

/// A FIFO queue for any number of threads, and of coroutines on any loops, mixed. Waiters are woken in the
/// order in which they came.
///
/// All queues of quarq use the same words:
///
///                           channel      blocking_queue   joinable_queue
///     between               coroutines   threads, loops   processes
///     push, pop             -            block            block
///     push_for, pop_for     -            block            block
///     try_push, try_pop     yes          yes              yes
///     async_push/async_pop  awaited      awaited          -
///     close, is_closed      yes          yes              yes
///     task_done, join       -            yes              yes
///
/// push() and its kind throw closed_error once the queue is closed; pop() and its kind return nullopt once
/// it is closed and empty. To limit an awaited form: `co_await with_timeout(queue.async_pop(), 5s)`.
///
/// Thread safety: all members may be called at the same time. A coroutine must use the async_ functions: the
/// others block its loop.
///
/// Destroying the queue closes it for coroutines that still wait; their async_join() throws closed_error. No
/// thread may be inside a member function then.
template <class T>
class blocking_queue {
  static_assert(std::is_nothrow_move_constructible_v<T>, "quarq: items must move without exceptions");

 public:
  /// Holds at most `capacity` items; 0 means no limit.
  explicit blocking_queue(std::size_t capacity = 0)
      : state_(std::make_shared<detail::queue_state<T>>(capacity)) {}
  ~blocking_queue() { state_->waiters.end(); }
  blocking_queue(const blocking_queue&) = delete;
  blocking_queue& operator=(const blocking_queue&) = delete;

  /// Waits for room. Throws quarq::closed_error if the queue is closed, also if that happens while it waits.
  void push(T item) {
    std::unique_lock lock(state_->waiters.mutex());
    state_->waiters.wait_for_room(lock);
    state_->push(std::move(item));
  }
  /// Waits for room for at most `max` (zero or less: not at all). Returns false if there was none: `item` is
  /// unchanged then.
  template <class Rep, class Period>
  bool push_for(T&& item, std::chrono::duration<Rep, Period> max) {
    const auto until = detail::after(max);
    std::unique_lock lock(state_->waiters.mutex());
    const bool has_room = state_->waiters.wait_for_room(lock, until);
    if (has_room) state_->push(std::move(item));
    return has_room;
  }
  template <class Rep, class Period>
    requires std::is_copy_constructible_v<T>
  bool push_for(const T& item, std::chrono::duration<Rep, Period> max) {
    return push_for(T(item), max);
  }
  /// Returns false if the queue is full: `item` is unchanged then.
  bool try_push(T&& item) {
    const std::lock_guard lock(state_->waiters.mutex());
    if (!state_->waiters.has_room()) return false;
    state_->push(std::move(item));
    return true;
  }
  bool try_push(const T& item)
    requires std::is_copy_constructible_v<T>
  {
    return try_push(T(item));
  }

  /// Waits for an item. Returns nullopt once the queue is closed and empty.
  std::optional<T> pop() {
    std::unique_lock lock(state_->waiters.mutex());
    state_->waiters.wait_for_item(lock);
    return state_->pop();
  }
  /// Waits for at most `max` (zero or less: not at all). Returns nullopt if there was no item by then.
  template <class Rep, class Period>
  std::optional<T> pop_for(std::chrono::duration<Rep, Period> max) {
    const auto until = detail::after(max);
    std::unique_lock lock(state_->waiters.mutex());
    state_->waiters.wait_for_item(lock, until);
    return state_->pop();
  }
  /// Returns nullopt if the queue is empty.
  std::optional<T> try_pop() {
    const std::lock_guard lock(state_->waiters.mutex());
    return state_->pop();
  }

  /// push() for coroutines. If it is cancelled, the item has not been pushed.
  template <class U = T>
    requires std::is_constructible_v<T, U>
  [[QUARQ_MUST_AWAIT]] awaitable<void> async_push(U&& item) {
    QUARQ_REQUIRE_NAMED_ARGUMENT(U);
    return detail::async_push(state_, T(std::forward<U>(item)));
  }
  /// pop() for coroutines. If it is cancelled, no item has been popped.
  [[QUARQ_MUST_AWAIT]] awaitable<std::optional<T>> async_pop() { return detail::async_pop(state_); }
  /// join() for coroutines.
  [[QUARQ_MUST_AWAIT]] awaitable<void> async_join() { return detail::async_join(state_); }

  /// From now on nothing can be pushed; the items in the queue can still be popped. Wakes all who wait to
  /// push or to pop.
  void close() noexcept { state_->waiters.close(); }

  /// Marks one popped item as finished. Throws std::logic_error if called more often than items were pushed.
  void task_done() { state_->waiters.task_done(); }
  /// Waits until task_done() has been called once for each item that was pushed.
  void join() {
    std::unique_lock lock(state_->waiters.mutex());
    state_->waiters.wait_for_all_done(lock);
  }

  /// How many items are in the queue now.
  std::size_t size() const {
    const std::lock_guard lock(state_->waiters.mutex());
    return state_->items.size();
  }
  bool is_closed() const {
    const std::lock_guard lock(state_->waiters.mutex());
    return state_->waiters.is_closed();
  }

 private:
  std::shared_ptr<detail::queue_state<T>> state_;
};

}  // namespace quarq
