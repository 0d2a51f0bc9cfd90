// A queue between processes, like Python's multiprocessing.JoinableQueue.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

#include <quarq/codec.hpp>
#include <quarq/detail/duration.hpp>
#include <quarq/detail/shared_queue.hpp>

namespace quarq {

/// Both are bounds; a push waits if either is reached.
struct joinable_queue_options {
  std::size_t capacity = 1024;  ///< items, at least 1
  /// Bytes of all items as msgpack, and so also of the biggest one; at least 1.
  std::uint64_t bytes = 8 * 1024 * 1024;
};

/// A bounded FIFO queue of T between processes and threads, with any number of producers and consumers. T
/// travels by its codec. A handle: copies are the same queue, which lives as long as one of them does, in any
/// process.
///
///     void consume(quarq::joinable_queue<std::string> urls) {
///       while (const auto url = urls.pop()) {   // nullopt: closed and empty
///         fetch(*url);
///         urls.task_done();
///       }
///     }
///     quarq::joinable_queue<std::string> urls;
///     quarq::process consumer(consume, urls);
///     urls.push("https://example.org");
///     urls.join();    // every item has been dealt with
///     urls.close();
///
/// It reaches other processes as an argument of quarq::process and process_pool::run, alone or inside another
/// argument. Anywhere else encoding it throws quarq::usage_error: a job can't carry it, since it is
/// memory of this machine.
///
/// A process that is killed, at any instruction, harms nobody else: the others neither hang nor see half an
/// item. The item that it was pushing has been pushed or not. An item that it had popped is lost, as with
/// multiprocessing: nobody calls task_done() for it, and join() keeps waiting. Code that learns of the death
/// can call task_done() in its place; unfinished() - size() items are in the hands of consumers.
///
/// Waiting calls block their thread. There are no async_push and async_pop: processes wake each other by a
/// futex, on which an event loop can't wait. From a coroutine, go through a thread:
///     auto item = co_await threads.run([](std::stop_token stop, auto q) { return q.pop(stop); }, urls);
///
/// Thread safety: all members, from any thread, but none from a signal handler. Needs the library
/// quarq::processes.
template <class T>
class joinable_queue {
 public:
  using value_type = T;

  /// Throws quarq::usage_error for a bound of 0, std::system_error if there is no memory. Memory is used
  /// as items come, and kept.
  explicit joinable_queue(joinable_queue_options options = {}) : queue_(options) {}

  /// Waits for room. Throws quarq::closed_error, quarq::cancelled when a stop is requested, and
  /// quarq::usage_error for an item of more bytes than the queue has, or that can't be encoded.
  void push(const T& item, std::stop_token stop = {}) const {
    queue_.push(to_msgpack(item), std::move(stop));
  }
  /// Does not wait: false if there is no room, or others wait for it already. Throws as push does.
  bool try_push(const T& item) const { return queue_.try_push(to_msgpack(item)); }
  /// Waits at most that long: false if there was no room. Throws as push does.
  template <class Rep, class Period>
  bool push_for(const T& item, std::chrono::duration<Rep, Period> max) const {
    return queue_.push_until(to_msgpack(item), detail::after(max));
  }

  /// Waits for an item. Returns nullopt if the queue is closed and empty, or a stop is requested. Throws
  /// quarq::decode_error, with the item lost, if it was pushed by a queue of another type and is no T.
  std::optional<T> pop(std::stop_token stop = {}) const {
    std::string item;
    if (!queue_.pop(item, std::move(stop))) return std::nullopt;
    return decoded(item);
  }
  /// Does not wait: nullopt if there is none.
  std::optional<T> try_pop() const {
    std::string item;
    if (!queue_.try_pop(item)) return std::nullopt;
    return decoded(item);
  }
  /// Waits at most that long.
  template <class Rep, class Period>
  std::optional<T> pop_for(std::chrono::duration<Rep, Period> max) const {
    std::string item;
    if (!queue_.pop_until(item, detail::after(max))) return std::nullopt;
    return decoded(item);
  }

  /// A popped item has been dealt with; to be called once for each. Throws quarq::usage_error if there
  /// is no popped item left for which it was not called.
  void task_done() const { queue_.task_done(); }
  /// Waits until task_done() was called for every item pushed. False if a stop was requested before.
  bool join(std::stop_token stop = {}) const { return queue_.join(std::move(stop)); }
  /// Waits at most that long: false if it was not enough.
  template <class Rep, class Period>
  bool join_for(std::chrono::duration<Rep, Period> max) const {
    return queue_.join_until(detail::after(max));
  }

  /// Nothing more can be pushed, by anybody; what is in the queue can still be popped. Wakes all waiting
  /// calls.
  void close() const { queue_.close(); }
  bool is_closed() const noexcept { return queue_.is_closed(); }

  /// How many items are in the queue at this moment.
  std::size_t size() const noexcept { return queue_.size(); }
  bool empty() const noexcept { return size() == 0; }
  /// How many items were pushed for which task_done() was not called yet.
  std::uint64_t unfinished() const noexcept { return queue_.unfinished(); }
  std::size_t capacity() const noexcept { return queue_.capacity(); }

 private:
  friend struct codec<joinable_queue>;
  explicit joinable_queue(detail::shared_queue queue) noexcept : queue_(std::move(queue)) {}
  static std::optional<T> decoded(const std::string& item) {
    return std::optional<T>(from_msgpack<T>(item, "item of a joinable_queue"));
  }

  detail::shared_queue queue_;
};

/// Only among the arguments of a call to another process.
template <class T>
struct codec<joinable_queue<T>> {
  static void encode(encoder& out, const joinable_queue<T>& value) { value.queue_.encode(out); }
  static joinable_queue<T> decode(decoder& in) { return joinable_queue<T>(detail::shared_queue::decode(in)); }
};

}  // namespace quarq
