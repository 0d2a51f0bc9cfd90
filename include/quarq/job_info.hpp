// What is known of a job, as operators read it; and what a request to cancel it did.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <quarq/job_state.hpp>

namespace quarq {

/// One attempt of a job that has ended. Times are the broker's clock.
struct job_attempt {
  using time_point = std::chrono::sys_time<std::chrono::milliseconds>;

  int number = 0;  ///< counted from 1; starts that were lost with their worker do not count
  std::optional<time_point> started_at, finished_at;
  std::string worker;      ///< host:pid
  std::string error_type;  ///< empty: it succeeded
  std::string error;       ///< of an attempt before the last one: its first 1024 bytes
};

/// A line that a job has written by context::log(). The time is the broker's clock.
struct job_log_line {
  using time_point = std::chrono::sys_time<std::chrono::milliseconds>;

  time_point at;
  int attempt = 0;   ///< counted from 1
  std::string text;  ///< as the handler gave it: any bytes
};

/// What context::progress() said last.
struct job_progress {
  std::uint64_t done = 0;
  std::uint64_t total = 0;  ///< 0: not known

  friend bool operator==(const job_progress&, const job_progress&) = default;
};

/// A job as text. Times are the broker's clock, absent where they are not known.
struct job_info {
  using time_point = std::chrono::sys_time<std::chrono::milliseconds>;

  std::string id;
  std::string queue;
  std::string task;
  job_state state = job_state::queued;
  int attempts = 0;  ///< how often it has been started; starts that were lost with their worker do not count
  /// How often it was lost with the worker that held it. May be 0 once it has ended.
  int losses = 0;
  int priority = 5;
  std::string arguments;          ///< JSON array; empty once the job has ended, unless it is dead
  std::string keyword_arguments;  ///< JSON object; empty unless some were given by name
  std::string result;             ///< JSON; empty unless it succeeded and its result is kept
  std::string error_type;         ///< of the last failure; empty if there was none
  std::string error;
  std::string worker;  ///< of a running job: the token of its lease; of an ended one: its worker, host:pid
  std::optional<time_point> enqueued_at;
  std::optional<time_point> due_at;  ///< of a deferred job
  std::optional<time_point> expires_at;
  std::optional<time_point> started_at;   ///< of an ended job: its last start
  std::optional<time_point> finished_at;  ///< before the end: of the last attempt that failed
  /// The attempts that have ended, oldest first, the last one included: of those that failed before it, the latest
  /// ten. Empty where nothing has been tried, or the end was not kept.
  std::vector<job_attempt> history;
  /// The newest lines of its log, of all attempts, oldest first; see context::log(). Of a job that has ended for as
  /// long as its end is kept.
  std::vector<job_log_line> log;
  std::uint64_t log_lines_cut = 0;       ///< older lines that are not kept
  std::optional<job_progress> progress;  ///< absent: it has said nothing
  std::map<std::string, std::string>
      headers;                    ///< call::header(); empty once the job has ended, unless it is dead
  std::vector<std::string> tags;  ///< call::tag(); likewise
  int version = 0;                ///< call::version(); likewise. 0: none was set
};

/// What a request to cancel did.
enum class cancel_outcome {
  cancelled,  ///< it had not started and never will
  requested,  ///< it is running; its worker has been told to stop it
  too_late,   ///< it had ended
  not_found,  ///< there is no such job, or it has ended and is not kept
};

}  // namespace quarq
