// Level 1: run a task by the workers of a queue, on whatever machine they are, and await its answer.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <quarq/awaitable.hpp>
#include <quarq/call.hpp>
#include <quarq/codec.hpp>
#include <quarq/detail/call_data.hpp>
#include <quarq/detail/job_handle.hpp>
#include <quarq/job_info.hpp>
#include <quarq/map.hpp>
#include <quarq/queue.hpp>
#include <quarq/task.hpp>

namespace quarq {

struct machines_options {
  /// How long a call may take, from the moment it is awaited to its result: at least 1 ms. It travels with
  /// the job, which does not start later and does not run longer, on whichever worker. nullopt: no limit;
  /// then a call that no worker serves waits forever.
  std::optional<std::chrono::milliseconds> deadline = std::chrono::minutes(1);
};

namespace detail {
awaitable<std::string> run_on_machines(const queue& where, call_data call,
                                       std::optional<std::chrono::milliseconds> deadline,
                                       progress_function on_progress);
/// Throws usage_error for a deadline out of its range.
void check_deadline(std::optional<std::chrono::milliseconds> deadline);
}  // namespace detail

/// The workers of a queue, as a place to run tasks: run() enqueues a job, awaits its result, and cancels the
/// job if the result is no longer wanted. The caller does not see which worker serves a call, nor that a lost
/// worker was replaced.
///
/// An exception of the handler is the call's answer: there is no retry, whatever the handler's retry policy,
/// unless the call itself sets attempts or backoff. A job whose worker was lost does run again, within the
/// deadline.
///
/// Cheap to copy; copies share the queue, and like it belong to one loop. Not thread-safe.
class machines : public detail::maps<machines> {
 public:
  /// Throws usage_error for a deadline that is not from 1 ms to 100 years.
  explicit machines(queue where, machines_options options = {})
      : queue_(std::move(where)), deadline_(options.deadline) {
    detail::check_deadline(deadline_);
  }

  /// Has a worker run the task with these arguments, which must convert to its parameters. They are encoded
  /// before this returns its awaitable.
  ///
  /// Throws call_failed with what the handler threw; timed_out past the deadline, or past a shorter limit of
  /// the handler or the call; worker_lost if one worker after another died of it; cancelled if the job was
  /// cancelled by others; broker_error. When the caller is cancelled, and past the deadline, the job is
  /// cancelled at the broker, for which run() waits up to two seconds.
  template <class R, class... Args, class... Given>
  [[QUARQ_MUST_AWAIT]] auto run(const task<R(Args...)>& what, Given&&... given) const {
    QUARQ_REQUIRE_NAMED_ARGUMENTS(Given);
    return run(what(std::forward<Given>(given)...));
  }

  /// The same for a call with options of its own: `run(count_words(url).priority(9).timeout(5s))`. Its expiry
  /// and timeout count where they are shorter than the deadline. Throws duplicate_job as queue::enqueue does.
  template <class R>
  [[QUARQ_MUST_AWAIT]] awaitable<R> run(call<R> c) const {
    std::string name = "result of " + c.task();
    auto call = detail::call_access::take(std::move(c));
    return typed<R>(detail::run_on_machines(queue_, std::move(call), deadline_, on_progress_),
                    std::move(name));
  }

  /// The same machines with another deadline for each call; nullopt: no deadline.
  machines with_deadline(std::optional<std::chrono::milliseconds> deadline) const {
    detail::check_deadline(deadline);
    auto other = *this;
    other.deadline_ = deadline;
    return other;
  }

  /// The same machines, which call `on_progress(job_progress)`, as job::result() does, with what the handler of
  /// a call says by context::progress(). If it throws, run() throws its exception, and the job is cancelled. A
  /// map with a callback of its own calls only that one (progress::under_way).
  template <class Progress>
    requires std::is_invocable_v<Progress&, const job_progress&>
  machines with_progress(Progress&& on_progress) const {
    QUARQ_REQUIRE_NAMED_ARGUMENT(Progress);
    auto other = *this;
    other.on_progress_ = std::forward<Progress>(on_progress);
    return other;
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
  detail::progress_function on_progress_;
};

}  // namespace quarq
