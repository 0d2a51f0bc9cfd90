// A queue between threads, and between threads and coroutines.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>

#include <quarq/awaitable.hpp>
#include <quarq/detail/queue_waiters.hpp>

namespace quarq {

namespace detail {

template <class T>
struct queue_state {
  explicit queue_state(std::size_t capacity) : waiters(capacity) {}
  queue_waiters waiters;
  std::deque<T> items;  ///< as many as the gate says; guarded by its mutex
};

}  // namespace detail

/// First in, first out, for any number of threads and of coroutines on any loops, mixed. Those that wait are
/// woken in the order in which they came. A coroutine uses the async_ functions: the others block its loop.
/// Its end is a close() for coroutines that still wait, and async_join() then throws quarq::closed; no thread
/// may be inside its functions then.
template <class T>
class blocking_queue {
  static_assert(std::is_nothrow_move_constructible_v<T>, "quarq: items must move without exceptions");

 public:
  /// At most `capacity` items lie in it; 0: any number.
  explicit blocking_queue(std::size_t capacity = 0)
      : state_(std::make_shared<detail::queue_state<T>>(capacity)) {}
  ~blocking_queue() { state_->waiters.end(); }
  blocking_queue(const blocking_queue&) = delete;
  blocking_queue& operator=(const blocking_queue&) = delete;

  /// Waits for room. Throws quarq::closed if it is closed, also when that happens meanwhile.
  void put(T item) {
    std::unique_lock lock(state_->waiters.mutex());
    state_->waiters.wait_for_room(lock);
    add(*state_, std::move(item));
  }
  /// False if it is full: the item is still the caller's then. Throws quarq::closed if it is closed.
  bool try_put(T&& item) {
    const std::lock_guard lock(state_->waiters.mutex());
    if (!state_->waiters.has_room()) return false;
    add(*state_, std::move(item));
    return true;
  }
  bool try_put(const T& item)
    requires std::is_copy_constructible_v<T>
  {
    return try_put(T(item));
  }

  /// Waits for an item. Nothing: it is closed, and empty.
  std::optional<T> get() {
    std::unique_lock lock(state_->waiters.mutex());
    state_->waiters.wait_for_item(lock);
    return take(*state_);
  }
  /// Waits no longer than `max` (zero or less: not at all). Nothing: there was none, or it is closed and
  /// empty.
  std::optional<T> get_for(std::chrono::nanoseconds max) {
    std::unique_lock lock(state_->waiters.mutex());
    state_->waiters.wait_for_item(lock, max);
    return take(*state_);
  }
  /// Nothing: it is empty.
  std::optional<T> try_get() {
    const std::lock_guard lock(state_->waiters.mutex());
    return take(*state_);
  }

  /// The same in a coroutine. Cancelled, it has not put the item.
  template <class U = T>
    requires std::is_constructible_v<T, U>
  awaitable<void> async_put(U&& item) {
    QUARQ_REQUIRE_NAMED_ARGUMENT(U);
    return put_in(state_, T(std::forward<U>(item)));
  }
  /// Cancelled, it has not taken an item.
  awaitable<std::optional<T>> async_get() { return get_from(state_); }
  awaitable<void> async_join() { return joined(state_); }

  /// Nothing can be put any more; what lies in it can still be got. Wakes all that wait to put or to get.
  void close() noexcept { state_->waiters.close(); }

  /// One item that was got has been dealt with. Throws std::logic_error if more are than have been put.
  void task_done() { state_->waiters.task_done(); }
  /// Waits until task_done() has been called for each item that has been put.
  void join() {
    std::unique_lock lock(state_->waiters.mutex());
    state_->waiters.wait_for_all_done(lock);
  }

  /// How many lie in it now.
  std::size_t size() const {
    const std::lock_guard lock(state_->waiters.mutex());
    return state_->items.size();
  }
  bool is_closed() const {
    const std::lock_guard lock(state_->waiters.mutex());
    return state_->waiters.is_closed();
  }

 private:
  using state = detail::queue_state<T>;

  static void add(state& to, T&& item) {
    to.items.push_back(std::move(item));
    to.waiters.pushed();
  }
  static std::optional<T> take(state& from) {
    if (from.items.empty()) return std::nullopt;
    std::optional<T> item(std::move(from.items.front()));
    from.items.pop_front();
    from.waiters.popped();
    return item;
  }

  // They hold the state, since the queue itself may be destroyed while they wait.
  static awaitable<void> put_in(std::shared_ptr<state> to, T item) {
    while (true) {
      {
        const std::lock_guard lock(to->waiters.mutex());
        if (to->waiters.has_room()) {
          add(*to, std::move(item));
          co_return;
        }
      }
      co_await detail::async_wait(to->waiters, detail::queue_waiters::pushers);
    }
  }
  static awaitable<std::optional<T>> get_from(std::shared_ptr<state> from) {
    while (true) {
      {
        const std::lock_guard lock(from->waiters.mutex());
        auto item = take(*from);
        if (item || from->waiters.is_closed()) co_return item;
      }
      co_await detail::async_wait(from->waiters, detail::queue_waiters::poppers);
    }
  }
  static awaitable<void> joined(std::shared_ptr<state> all) {
    co_await detail::async_wait(all->waiters, detail::queue_waiters::joiners);
  }

  std::shared_ptr<state> state_;
};

}  // namespace quarq
