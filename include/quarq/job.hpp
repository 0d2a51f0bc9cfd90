// A job: one enqueued call, seen from the side that asked for it.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <quarq/awaitable.hpp>
#include <quarq/codec.hpp>
#include <quarq/job_state.hpp>

namespace quarq {

/// What is known of a job, for people. Times are the broker's clock; arguments, result and error are text.
struct job_info {
  using time_point = std::chrono::sys_time<std::chrono::milliseconds>;

  std::string id;
  std::string queue;
  std::string task;
  job_state state = job_state::queued;
  int attempts = 0;  ///< how often it has been started
  int priority = 5;
  std::string arguments;          ///< JSON array; empty once the job has ended, unless it is dead
  std::string keyword_arguments;  ///< JSON object; empty unless some were given by name
  std::string result;             ///< JSON; empty unless it succeeded and its result is kept
  std::string error_type;         ///< of the last failure; empty if there was none
  std::string error;
  std::string worker;  ///< of a running job: the token of its lease; of an ended one: who ran it, host:pid
  std::optional<time_point> enqueued_at;
  std::optional<time_point> due_at;  ///< of a deferred job
  std::optional<time_point> expires_at;
  std::optional<time_point> started_at;  ///< of an ended job: its last start
  std::optional<time_point> finished_at;
};

/// What became of a request to cancel.
enum class cancel_outcome {
  cancelled,  ///< it had not started and never will
  requested,  ///< it is running; its worker has been told to stop it
  too_late,   ///< it had ended
  not_found,  ///< no such job, or ended and not kept
};

namespace detail {

class queue_core;

/// What job<R> does without knowing R.
class job_handle {
 public:
  job_handle(std::shared_ptr<queue_core> queue, std::string id, bool accepted_here)
      : queue_(std::move(queue)), id_(std::move(id)), accepted_here_(accepted_here) {}

  const std::string& id() const noexcept { return id_; }

  /// The encoded result; throws what ended the job otherwise. `nothing_kept` says what an absent job means:
  /// for a job that we saw accepted and whose result is nothing, absence is success.
  awaitable<std::string> result(std::optional<std::chrono::milliseconds> max, bool returns_nothing) const;
  awaitable<job_state> status(bool returns_nothing) const;
  awaitable<job_info> info() const;
  awaitable<cancel_outcome> cancel() const;

 private:
  std::shared_ptr<queue_core> queue_;
  std::string id_;
  bool accepted_here_;
};

}  // namespace detail

/// One job, by its id. A handle: copies mean the same job, and letting go of it changes nothing for the job.
/// Belongs to the loop of its queue, which it keeps open.
template <class R>
class job {
 public:
  explicit job(detail::job_handle handle) : handle_(std::move(handle)) {}

  const std::string& id() const noexcept { return handle_.id(); }

  /// Waits until the job has ended and returns its result; it is pushed, not polled for. Throws job_failed
  /// (what the handler threw), retries_exhausted, timed_out (the job's own limit), cancelled, job_expired or
  /// worker_lost, job_not_found if nothing is known of it any more, decode_error if the result is not an R.
  awaitable<R> result() const {
    return typed_result(handle_.result(std::nullopt, std::is_void_v<R>), handle_.id());
  }

  /// The same for at most this long, then timed_out; the job goes on.
  awaitable<R> result(std::chrono::milliseconds max) const {
    return typed_result(handle_.result(max, std::is_void_v<R>), handle_.id());
  }

  /// Throws job_not_found if nothing is known of it any more.
  awaitable<job_state> status() const { return handle_.status(std::is_void_v<R>); }

  /// Throws job_not_found if nothing is known of it any more.
  awaitable<job_info> info() const { return handle_.info(); }

  /// Asks for it never to run, or to stop: its handler's awaits are cancelled, its stop_token is set. From
  /// any process. A cancelled job is kept as such for an hour, or for keep_result if that is longer.
  awaitable<cancel_outcome> cancel() const { return handle_.cancel(); }

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
