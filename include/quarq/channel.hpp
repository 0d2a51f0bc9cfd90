// Values from coroutines to coroutines.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <utility>

#include <quarq/awaitable.hpp>
#include <quarq/detail/wait_queue.hpp>
#include <quarq/errors.hpp>

namespace quarq {

/// A queue with any number of senders and receivers, all coroutines of one loop or strand (between threads:
/// blocking_queue). Values leave it in the order in which they were sent, and who waits longest is served
/// first. T needs to be movable only.
///
///     quarq::channel<std::string> urls(100);
///     co_await urls.send(url);                       // waits while it is full
///     while (true) {
///       auto url = co_await urls.receive();          // nothing: closed and empty
///       if (!url) break;
///     }
///
/// A cancelled send() or receive() throws boost::system::system_error (operation_aborted), and then has
/// neither sent nor taken anything. If the channel is destroyed, those who wait get the same; if the loop is
/// destroyed first, so are they.
template <class T>
class channel {
 public:
  /// Holds up to `capacity` values. With 0, send() waits until a receiver takes the value.
  explicit channel(std::size_t capacity) : capacity_(capacity) {}
  channel(const channel&) = delete;
  channel& operator=(const channel&) = delete;

  /// Throws closed if the channel is closed, also if that happens while it waits: the value was not sent.
  awaitable<void> send(T value) {
    throw_if_closed();
    if (has_room()) {
      put(std::move(value));
      co_return;
    }
    const bool sent = co_await senders_.wait(&value);
    if (!sent) refuse();
  }

  /// False if it is full, and then `value` is as it was. Throws closed.
  bool try_send(T&& value) {
    throw_if_closed();
    if (!has_room()) return false;
    put(std::move(value));
    return true;
  }
  bool try_send(const T& value) {
    throw_if_closed();
    if (!has_room()) return false;
    put(T(value));
    return true;
  }

  /// The next value; nothing once the channel is closed and empty.
  awaitable<std::optional<T>> receive() {
    if (!has_value()) {
      if (closed_) co_return std::nullopt;
      const bool handed = co_await receivers_.wait();
      if (!handed) co_return std::nullopt;
    }
    co_return take();
  }

  /// Nothing if no value is there now.
  std::optional<T> try_receive() {
    if (!has_value()) return std::nullopt;
    return take();
  }

  /// No more values: those that wait to send get closed, those that wait to receive get nothing. What is in
  /// it can still be received.
  void close() {
    closed_ = true;
    senders_.end_all(false);
    receivers_.end_all(false);
  }
  bool is_closed() const noexcept { return closed_; }

  /// How many values try_receive() would give, without those of senders that wait.
  std::size_t size() const noexcept { return values_.size() - receivers_.handed(); }
  std::size_t capacity() const noexcept { return capacity_; }

 private:
  bool has_room() const noexcept { return !receivers_.empty() || size() < capacity_; }

  // Also fetches the value of a sender that waits, if there is room for none.
  bool has_value() {
    if (size() == 0) admit();
    return size() > 0;
  }

  void put(T&& value) {
    values_.push_back(std::move(value));
    receivers_.hand_one();
  }

  std::optional<T> take() {
    std::optional<T> value(std::move(values_.front()));
    values_.pop_front();
    while (size() < capacity_ && !senders_.empty()) admit();
    return value;
  }

  void admit() {
    if (senders_.empty()) return;
    values_.push_back(std::move(*static_cast<T*>(senders_.first())));
    senders_.end_one(true);
  }

  void throw_if_closed() const {
    if (closed_) refuse();
  }
  [[noreturn]] static void refuse() { throw closed("sent to a channel that is closed"); }

  const std::size_t capacity_;
  bool closed_ = false;
  std::deque<T> values_;
  detail::wait_queue senders_;
  detail::wait_queue receivers_;
};

}  // namespace quarq
