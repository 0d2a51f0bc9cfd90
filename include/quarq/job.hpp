// A job: one enqueued call, seen by the side that enqueued it.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <quarq/awaitable.hpp>
#include <quarq/codec.hpp>
#include <quarq/detail/duration.hpp>
#include <quarq/detail/job_handle.hpp>
#include <quarq/job_info.hpp>
#include <quarq/job_state.hpp>

namespace quarq {

/// One job, by its id. A handle: copies mean the same job, and destroying it changes nothing for the job.
/// Belongs to the loop of its queue, and keeps the queue's connection open.
///
/// All but id() throw broker_error if the broker can't be reached for ten seconds. That says nothing of the
/// job, and changes nothing for it: the call may be repeated.
template <class R>
class job {
 public:
  explicit job(detail::job_handle handle) : handle_(std::move(handle)) {}

  const std::string& id() const noexcept { return handle_.id(); }

  /// Waits until the job has ended and returns its result, which the broker pushes. Throws job_failed (what
  /// the handler threw), retries_exhausted, timed_out (the job's own limit), cancelled, job_expired or
  /// worker_lost; job_not_found if the job is not known any more; decode_error if the result is not an R.
  /// Where nothing is kept of a success (keep_result of 0, or a task that returns void under an id of the
  /// caller's choice), only a result() that was called before the end returns. Otherwise the end of a task that
  /// returns void is kept for a minute.
  [[QUARQ_MUST_AWAIT]] awaitable<R> result() const {
    return typed_result(handle_.result(std::nullopt), handle_.id());
  }

  /// The same, but throws timed_out after `timeout`, of any unit; the job goes on.
  template <class Rep, class Period>
  [[QUARQ_MUST_AWAIT]] awaitable<R> result(std::chrono::duration<Rep, Period> timeout) const {
    const auto limit = detail::clamped<std::chrono::milliseconds>(timeout);
    return typed_result(handle_.result(limit), handle_.id());
  }

  /// The same, and calls `on_progress(job_progress)` with what the job has said by context::progress(), and
  /// again when that has changed; on this loop, so it must not block. It does not hear every value: the worker
  /// tells the broker, and this asks the broker, four times a second at most. If it throws, this throws its
  /// exception; the job goes on.
  template <class Progress>
    requires std::is_invocable_v<Progress&, const job_progress&>
  [[QUARQ_MUST_AWAIT]] awaitable<R> result(Progress&& on_progress) const {
    QUARQ_REQUIRE_NAMED_ARGUMENT(Progress);
    return typed_result(handle_.result(std::nullopt, std::forward<Progress>(on_progress)), handle_.id());
  }

  /// Throws job_not_found if the job is not known any more.
  [[QUARQ_MUST_AWAIT]] awaitable<job_state> state() const { return handle_.state(); }

  /// Throws job_not_found if the job is not known any more.
  [[QUARQ_MUST_AWAIT]] awaitable<job_info> info() const { return handle_.info(); }

  /// Requests cancellation: a job that has not started never will; of a running one the handler's awaits are
  /// cancelled and its stop_token is set, in whatever process it runs. The end of a cancelled job is kept for
  /// an hour, or for keep_result if that is longer.
  [[QUARQ_MUST_AWAIT]] awaitable<cancel_outcome> cancel() const { return handle_.cancel(); }

 private:
  static awaitable<R> typed_result(awaitable<std::string> raw, std::string id) {
    const std::string encoded = co_await std::move(raw);
    if constexpr (!std::is_void_v<R>) {
      const std::string what = "result of job " + id;
      co_return from_msgpack<R>(encoded, what);
    }
  }

  detail::job_handle handle_;
};

}  // namespace quarq
