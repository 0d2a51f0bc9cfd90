// A queue between coroutines of one loop.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <utility>

#include <quarq/awaitable.hpp>
#include <quarq/detail/wait_queue.hpp>
#include <quarq/errors.hpp>

namespace quarq {

/// A FIFO queue for any number of pushing and popping coroutines of one loop or strand; the longest waiting
/// is served first. (Between threads use blocking_queue, whose header lists the words that all queues share.)
/// T must be movable.
///
///     quarq::channel<std::string> urls(100);
///     co_await urls.async_push(url);                 // waits while the channel is full
///     while (true) {
///       auto url = co_await urls.async_pop();        // nullopt: closed and empty
///       if (!url) break;
///     }
///
/// A cancelled async_push() or async_pop() throws boost::system::system_error (operation_aborted), and has
/// pushed or popped nothing. If the channel is destroyed, waiting coroutines get the same exception; if the
/// loop is destroyed first, they are destroyed with it.
template <class T>
class channel {
 public:
  /// Holds up to `capacity` values. With 0, async_push() waits until another coroutine pops the value.
  explicit channel(std::size_t capacity) : capacity_(capacity) {}
  channel(const channel&) = delete;
  channel& operator=(const channel&) = delete;

  /// Waits for room. Throws closed_error if the channel is closed, also if that happens while it waits: the value
  /// was not pushed then.
  [[QUARQ_MUST_AWAIT]] awaitable<void> async_push(T value) {
    throw_if_closed();
    if (has_room()) {
      push(std::move(value));
      co_return;
    }
    const bool pushed = co_await pushers_.wait(&value);
    if (!pushed) throw_closed();
  }

  /// Returns false if the channel is full: `value` is unchanged then. Throws closed_error.
  bool try_push(T&& value) {
    throw_if_closed();
    if (!has_room()) return false;
    push(std::move(value));
    return true;
  }
  bool try_push(const T& value) {
    throw_if_closed();
    if (!has_room()) return false;
    push(T(value));
    return true;
  }

  /// Waits for a value. Returns nullopt once the channel is closed and empty.
  [[QUARQ_MUST_AWAIT]] awaitable<std::optional<T>> async_pop() {
    if (!has_value()) {
      if (closed_) co_return std::nullopt;
      const bool handed = co_await poppers_.wait();
      if (!handed) co_return std::nullopt;
    }
    co_return pop();
  }

  /// Returns nullopt if no value is there now.
  std::optional<T> try_pop() {
    if (!has_value()) return std::nullopt;
    return pop();
  }

  /// From now on nothing can be pushed; the values in the channel can still be popped. Those who wait to push
  /// get closed_error, those who wait to pop get nullopt.
  void close() {
    closed_ = true;
    pushers_.end_all(false);
    poppers_.end_all(false);
  }
  bool is_closed() const noexcept { return closed_; }

  /// How many values are in the channel, without those of waiting pushers.
  std::size_t size() const noexcept { return values_.size() - poppers_.handed(); }
  std::size_t capacity() const noexcept { return capacity_; }

 private:
  bool has_room() const noexcept { return !poppers_.empty() || size() < capacity_; }

  // Without a value in the channel, also fetches the one of a waiting pusher.
  bool has_value() {
    if (size() == 0) admit();
    return size() > 0;
  }

  void push(T&& value) {
    values_.push_back(std::move(value));
    poppers_.hand_one();
  }

  std::optional<T> pop() {
    std::optional<T> value(std::move(values_.front()));
    values_.pop_front();
    while (size() < capacity_ && !pushers_.empty()) admit();
    return value;
  }

  void admit() {
    if (pushers_.empty()) return;
    values_.push_back(std::move(*static_cast<T*>(pushers_.first())));
    pushers_.end_one(true);
  }

  void throw_if_closed() const {
    if (closed_) throw_closed();
  }
  [[noreturn]] static void throw_closed() { throw closed_error("pushed to a channel that is closed"); }

  const std::size_t capacity_;
  bool closed_ = false;
  std::deque<T> values_;
  detail::wait_queue pushers_;
  detail::wait_queue poppers_;
};

}  // namespace quarq
