// Level 1: other processes and machines, behind a queue.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <quarq/awaitable.hpp>
#include <quarq/codec.hpp>
#include <quarq/map.hpp>
#include <quarq/queue.hpp>
#include <quarq/task.hpp>

namespace quarq {

/// How machines are asked.
struct machines_options {
  /// How long a call may take, from the moment it is awaited to its result: at least 1 ms. It travels with
  /// the job, which does not start later and does not run longer, whoever runs it. Nothing: no limit; then a
  /// call whose worker never comes waits for ever.
  std::optional<std::chrono::milliseconds> deadline = std::chrono::minutes(1);
};

namespace detail {
awaitable<std::string> run_on_machines(std::shared_ptr<queue_core> queue, raw_call call,
                                       std::optional<std::chrono::milliseconds> deadline,
                                       bool returns_nothing);
/// Throws invalid_argument for a deadline out of its range.
void check_deadline(std::optional<std::chrono::milliseconds> deadline);
}  // namespace detail

/// Where the workers of a queue run what is asked of them: run() enqueues a job, awaits its result, and takes
/// the job back if that is no longer wanted. Several workers, or one that is lost and replaced, serve a call
/// as one.
///
/// As a call's answer an exception of the handler is final: it is not tried again, whatever the handler's
/// retry policy, unless the call itself sets tries or backoff. A job whose worker was lost does run again,
/// within the deadline.
///
/// Cheap to copy; copies share the queue, and like it belong to one loop.
class machines : public detail::maps<machines> {
 public:
  /// Throws invalid_argument for a deadline that is not from 1 ms to 100 years.
  explicit machines(queue where, machines_options options = {})
      : queue_(std::move(where)), deadline_(options.deadline) {
    detail::check_deadline(deadline_);
  }

  /// Has a worker run the task with these arguments. They must convert to its parameters, and are encoded
  /// here, at once.
  ///
  /// Throws call_failed with what the handler threw; timed_out past the deadline, or past a shorter limit of
  /// the handler or the call; worker_lost if worker after worker died of it; cancelled if somebody else
  /// cancelled the job; broker_error. When the caller is cancelled, and past the deadline, the job is
  /// cancelled at the broker, which is waited for for up to two seconds.
  template <class R, class... Args, class... Given>
  auto run(const task<R(Args...)>& what, Given&&... given) const {
    QUARQ_REQUIRE_NAMED_ARGUMENTS(Given);
    return run(what(std::forward<Given>(given)...));
  }

  /// The same for a call with options of its own: `run(count_words(url).priority(9).timeout(5s))`. Its expiry
  /// and timeout count where they are shorter than the deadline. Throws duplicate_job as queue::enqueue does.
  template <class R>
  awaitable<R> run(call<R> c) const {
    const std::string name = "result of " + c.task();
    return typed<R>(
        detail::run_on_machines(queue_.core_, detail::raw_call(std::move(c)), deadline_, std::is_void_v<R>),
        name);
  }

  /// The same machines with another deadline for each call; nothing: none.
  machines within(std::optional<std::chrono::milliseconds> deadline) const {
    return machines(queue_, machines_options{deadline});
  }

  /// The max_concurrency of a map that sets none: 100, as many as a worker runs.
  std::size_t default_max_concurrency() const noexcept { return 100; }

 private:
  template <class R>
  static awaitable<R> typed(awaitable<std::string> raw, std::string what) {
    const std::string encoded = co_await std::move(raw);
    if constexpr (!std::is_void_v<R>) co_return from_msgpack<R>(encoded, what);
  }

  queue queue_;
  std::optional<std::chrono::milliseconds> deadline_;
};

}  // namespace quarq
