// The lines that a worker logs about itself and its jobs. quarq has its own format; a broker whose jobs are
// shared with other programs hands over the format that their operators know (broker::about()). Events
// without a line here are logged where they happen.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <quarq/detail/traceparent.hpp>
#include <quarq/errors.hpp>
#include <quarq/job_state.hpp>

namespace quarq::broker {

/// The worker when it starts. Its views, and those of the structs below, are valid during the call only.
struct logged_worker {
  std::string_view name;
  std::string url;  ///< without its password
  std::span<const std::string> queues;
  std::span<const std::string> tasks;  ///< in the order of registration, cron jobs last
  std::size_t concurrency = 0;
};

/// A job and its current attempt.
struct logged_job {
  std::string_view id;
  std::string_view task;  ///< empty: its record can't be read
  std::string_view queue;
  bool is_cron = false;
  int attempts = 1;
  int max_attempts = 1;
  std::chrono::milliseconds age{0};     ///< from enqueue to the start of this attempt
  std::chrono::milliseconds waited{0};  ///< from when it first became due to the start of this attempt
  std::chrono::microseconds ran{0};
  std::string_view arguments;  ///< a msgpack array
  std::size_t by_position = std::string_view::npos;
  std::span<const std::string> names;  ///< of the parameters, if they are known
  detail::traceparent trace;           ///< of its attempt, or of what made the job
};

/// Why an attempt did not succeed.
struct logged_error {
  enum class kind {
    raised,              ///< the handler threw, or the job could not be run
    retry_requested,     ///< the handler asked to be tried again
    unknown_task,        ///< the worker has no handler for it
    attempts_exhausted,  ///< its workers were lost until no attempt was left
  };
  kind why = kind::raised;
  std::string_view type, message;
};

/// How many attempts ended in which way.
struct attempt_counts {
  std::size_t complete = 0, failed = 0, retried = 0;
};

/// The worker when it has been asked to stop.
struct logged_stop {
  std::string_view name;
  std::string_view asked_by;  ///< "SIGTERM", "stop()"; empty: nobody, its work was done
  attempt_counts ended;
  std::size_t done = 0;  ///< jobs that ended here
  std::size_t running = 0;
  bool immediately = false;  ///< it was asked twice
  std::chrono::milliseconds timeout{0};
};

/// Thread safety: a format has no state.
class worker_log_format {
 public:
  virtual ~worker_log_format() = default;

  /// How a worker's program writes a line, as spdlog's pattern.
  virtual const char* line_pattern() const noexcept = 0;

  // ---- the worker

  /// Before on_startup. `server`: broker::about_server().
  virtual void starting(const logged_worker&, std::string_view /*server*/) const {}
  virtual void serving(const logged_worker&) const {}
  virtual void stopping(const logged_stop& stop) const = 0;
  /// The running jobs have ended, or the shutdown timeout has.
  virtual void stop_timed_out(const logged_stop&) const {}
  virtual void stopped(const logged_stop&) const {}

  // ---- an attempt

  virtual void started(const logged_job& job) const = 0;
  /// `result`: one msgpack value; nullopt if results are not to be logged.
  virtual void finished(const logged_job& job, std::optional<std::string_view> result) const = 0;
  virtual void retried(const logged_job& job, const logged_error& error,
                       std::chrono::milliseconds pause) const = 0;
  /// Requeued without counting as an attempt.
  virtual void handed_back(const logged_job& job) const = 0;
  /// Ended as failed, cancelled, expired or dead.
  virtual void failed(const logged_job& job, const logged_error& error, job_state state) const = 0;
  /// The handler ignored the request to stop, and the worker does not wait for it any longer.
  virtual void left_running(const logged_job& job) const = 0;
  /// It was cancelled before the worker claimed it.
  virtual void aborted_unstarted(const logged_job& job) const = 0;
};

/// How much of arguments and results is logged, in characters or bytes.
inline constexpr std::size_t max_shown = 80;

/// Returns the text that `write` makes of encoded data; if that is malformed, why.
template <class Write>
std::string shown_by(Write write) {
  try {
    return write();
  } catch (const decode_error& e) {
    return std::string("<") + e.what() + ">";
  }
}

}  // namespace quarq::broker
