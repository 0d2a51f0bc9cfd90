// Every exception that quarq throws. All derive from quarq::error, which is a std::runtime_error.
//
// Those named ..._error are faults of a caller, of bytes or of the environment. The others say how work
// ended; their names, "quarq::timed_out", are stored with the job, and logs and the command line show them.
#pragma once

#include <chrono>
#include <stdexcept>
#include <string>
#include <utility>

#include <quarq/detail/at_least_cpp20.hpp>

namespace quarq {

/// Base of all. what() is a sentence for a person: it names the value, the place and the limit.
class error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Bytes from outside are not what the type asks for. what() begins with the path of the wrong value:
/// "count_words: argument 1 (url): expected string, got integer".
class decode_error : public error {
 public:
  using error::error;
};

/// A URL, flag, option or name given by the caller is not usable.
class usage_error : public error {
 public:
  using error::error;
};

/// The broker can't be reached, or refused the request (wrong password, disk full, a format version newer
/// than this library). Whether anything was stored is not known.
class broker_error : public error {
 public:
  /// What the broker says of the request, as far as it says anything.
  enum class reason {
    unknown,  ///< the request may succeed if it is sent again
    full,     ///< out of memory or disk space: the request may succeed once there is room
    refused,  ///< it has read the request and does not take it
  };
  explicit broker_error(const std::string& what, reason why = reason::unknown) : error(what), why_(why) {}
  reason why() const noexcept { return why_; }

 private:
  reason why_;
};

/// The id given to enqueue belongs to a job that has not ended, or whose result is still kept.
class duplicate_job : public error {
 public:
  explicit duplicate_job(std::string id)
      : error("a job with id \"" + id + "\" is queued, running or kept already"), id_(std::move(id)) {}
  /// The id that was refused.
  const std::string& id() const noexcept { return id_; }

 private:
  std::string id_;
};

/// There is no job with this id: it never existed, or it has ended and its result is no longer kept.
class job_not_found : public error {
 public:
  explicit job_not_found(const std::string& id)
      : error("no job with id \"" + id +
              "\": it never was, or it has ended and its result is no longer kept") {}
};

/// The work did not end by its deadline: a job's timeout, or the caller's own.
class timed_out : public error {
 public:
  using error::error;
};

/// The work was cancelled, by its caller or by an operator.
class cancelled : public error {
 public:
  using error::error;
};

/// No worker started the job before it expired.
class job_expired : public error {
 public:
  using error::error;
};

/// Something was pushed into a channel or a queue after its close().
class closed_error : public error {
 public:
  using error::error;
};

/// SIGINT or SIGTERM cancelled what quarq::run(..., stop_on_signals) ran.
class interrupted : public error {
 public:
  explicit interrupted(int signal) : error("ended by signal " + std::to_string(signal)), signal_(signal) {}
  int signal() const noexcept { return signal_; }

 private:
  int signal_;
};

/// The process that ran the work died: a worker's or a pool's. what() names the signal, if it is known.
class worker_lost : public error {
 public:
  using error::error;
};

/// A call to a process needed more memory than it was allowed. what() names the limit.
class memory_limit_exceeded : public error {
 public:
  using error::error;
};

/// A call that ran elsewhere, in another process or on another machine, threw. what() is the message of its
/// exception, type() the demangled C++ name of its type.
class call_failed : public error {
 public:
  call_failed(std::string type, const std::string& message) : error(message), type_(std::move(type)) {}
  const std::string& type() const noexcept { return type_; }

 private:
  std::string type_;
};

/// The handler of a job threw.
class job_failed : public call_failed {
 public:
  using call_failed::call_failed;
};

/// The job used all its attempts and is in the dead set. what() and type() are those of its last failure.
class retries_exhausted : public job_failed {
 public:
  retries_exhausted(std::string type, const std::string& message, int attempts)
      : job_failed(std::move(type), message), attempts_(attempts) {}
  /// How many times the job was started.
  int attempts() const noexcept { return attempts_; }

 private:
  int attempts_;
};

/// Thrown by a handler: this attempt has failed, and the next one comes after `delay`, whatever the retry
/// policy says. It counts as an attempt; if none is left, the job is dead. A negative delay means at once.
class retry_after : public error {
 public:
  explicit retry_after(std::chrono::milliseconds delay,
                       const std::string& why = "the handler asked to be tried again later")
      : error(why), delay_(delay) {}
  std::chrono::milliseconds delay() const noexcept { return delay_; }

 private:
  std::chrono::milliseconds delay_;
};

/// Thrown by a handler to end its job as failed at once: a retry would not help.
class permanent_failure : public error {
 public:
  using error::error;
};

}  // namespace quarq
