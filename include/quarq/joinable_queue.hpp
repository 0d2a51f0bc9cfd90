// A queue between processes, as Python's multiprocessing.JoinableQueue.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include <quarq/codec.hpp>

namespace quarq {

namespace processes {
class shared_ring;
}

/// Both are bounds; whichever is reached first makes put() wait.
struct joinable_queue_options {
  std::size_t capacity = 1024;  ///< items, at least 1
  std::uint64_t bytes =
      8 * 1024 * 1024;  ///< of all items as msgpack, and so also of the biggest one; at least 1
};

namespace detail {

/// What joinable_queue does, on items that are encoded already.
class shared_queue {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  explicit shared_queue(const joinable_queue_options& options);
  explicit shared_queue(std::shared_ptr<processes::shared_ring> ring) noexcept : ring_(std::move(ring)) {}

  void put(std::string_view item, std::stop_token stop) const;
  bool put_until(std::string_view item, time_point until) const;
  bool try_put(std::string_view item) const;
  bool get(std::string& into, std::stop_token stop) const;
  bool get_until(std::string& into, time_point until) const;
  bool try_get(std::string& into) const;
  void task_done() const;
  bool join(std::stop_token stop) const;
  bool join_until(time_point until) const;
  void close() const;
  bool closed() const noexcept;
  std::size_t size() const noexcept;
  std::uint64_t unfinished() const noexcept;
  std::size_t capacity() const noexcept;

  void encode(encoder& out) const;
  static shared_queue decode(decoder& in);

  /// That long from now; a duration too long for the clock is for ever.
  template <class Rep, class Period>
  static time_point after(std::chrono::duration<Rep, Period> max) {
    const auto now = std::chrono::steady_clock::now();
    const std::chrono::duration<double> seconds = max;
    const std::chrono::duration<double> left = time_point::max() - now;
    if (seconds >= left) return time_point::max();
    return now + std::chrono::ceil<std::chrono::steady_clock::duration>(max);
  }

 private:
  std::shared_ptr<processes::shared_ring> ring_;
};

}  // namespace detail

/// A bounded first-in-first-out queue of T between processes and threads, any number of them putting and
/// taking. T travels by its codec. A handle: copies are the same queue, which lives as long as one of them
/// does, in any process.
///
///     void consume(quarq::joinable_queue<std::string> urls) {
///       while (const auto url = urls.get()) {   // nothing: closed and empty
///         fetch(*url);
///         urls.task_done();
///       }
///     }
///     quarq::joinable_queue<std::string> urls;
///     quarq::process consumer(consume, urls);
///     urls.put("https://example.org");
///     urls.join();    // all that was put is dealt with
///     urls.close();
///
/// It reaches other processes as an argument of quarq::process and process_pool::run, alone or inside another
/// argument. Anywhere else encoding it throws quarq::invalid_argument: a job can't carry it, since it is
/// memory of this machine.
///
/// A process that is killed, at whatever moment, harms nobody else: the others neither hang nor see half an
/// item. What it was putting has been put or not. An item that it had taken is gone, as with multiprocessing:
/// nobody calls task_done() for it, and join() waits on. Whoever knows of the death can call task_done() in
/// its place; unfinished() and size() say how many are missing: unfinished() - size() are in somebody's
/// hands.
///
/// Calls that wait block their thread; from a coroutine use them through a thread:
///     auto item = co_await threads.run([](std::stop_token stop, auto q) { return q.get(stop); }, urls);
/// All members are thread-safe; none may be called by a signal handler.
template <class T>
class joinable_queue {
 public:
  using value_type = T;

  /// Throws quarq::invalid_argument for a bound of 0, std::system_error if there is no memory. Memory is used
  /// as items come, and kept.
  explicit joinable_queue(joinable_queue_options options = {}) : queue_(options) {}

  /// Waits for room. Throws quarq::closed, quarq::cancelled when a stop is requested, and
  /// quarq::invalid_argument for an item of more bytes than the queue has, or that can't be encoded.
  void put(const T& item, std::stop_token stop = {}) const { queue_.put(to_msgpack(item), std::move(stop)); }
  /// Does not wait: false if there is no room, or others wait for it already. Throws as put does.
  bool try_put(const T& item) const { return queue_.try_put(to_msgpack(item)); }
  /// Waits at most that long: false if there was no room. Throws as put does.
  template <class Rep, class Period>
  bool put_for(const T& item, std::chrono::duration<Rep, Period> max) const {
    return queue_.put_until(to_msgpack(item), queue_.after(max));
  }

  /// Waits for an item. Nothing if the queue is closed and empty, or a stop is requested. Throws
  /// quarq::decode_error, with the item gone, if what a queue of another type has put is no T.
  std::optional<T> get(std::stop_token stop = {}) const {
    std::string item;
    if (!queue_.get(item, std::move(stop))) return std::nullopt;
    return decoded(item);
  }
  /// Does not wait: nothing if there is none.
  std::optional<T> try_get() const {
    std::string item;
    if (!queue_.try_get(item)) return std::nullopt;
    return decoded(item);
  }
  /// Waits at most that long.
  template <class Rep, class Period>
  std::optional<T> get_for(std::chrono::duration<Rep, Period> max) const {
    std::string item;
    if (!queue_.get_until(item, queue_.after(max))) return std::nullopt;
    return decoded(item);
  }

  /// An item that get() gave is dealt with; once for each. Throws quarq::invalid_argument if that was said of
  /// all that were taken.
  void task_done() const { queue_.task_done(); }
  /// Waits until task_done() was called for all that was put. False if a stop was requested before.
  bool join(std::stop_token stop = {}) const { return queue_.join(std::move(stop)); }
  /// Waits at most that long: false if it was not enough.
  template <class Rep, class Period>
  bool join_for(std::chrono::duration<Rep, Period> max) const {
    return queue_.join_until(queue_.after(max));
  }

  /// Nothing more can be put, by anybody; what is there can still be taken. Wakes all who wait in put or get.
  void close() const { queue_.close(); }
  bool closed() const noexcept { return queue_.closed(); }

  /// How many items wait to be taken, at this moment.
  std::size_t size() const noexcept { return queue_.size(); }
  bool empty() const noexcept { return size() == 0; }
  /// How many were put for which task_done() was not called yet.
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

/// Only beside the arguments of a call into another process.
template <class T>
struct codec<joinable_queue<T>> {
  static void encode(encoder& out, const joinable_queue<T>& value) { value.queue_.encode(out); }
  static joinable_queue<T> decode(decoder& in) { return joinable_queue<T>(detail::shared_queue::decode(in)); }
};

}  // namespace quarq
