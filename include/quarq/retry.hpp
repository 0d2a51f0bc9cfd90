// How often a job is attempted, and how long it waits between attempts.
#pragma once

#include <chrono>

#include <quarq/detail/at_least_cpp20.hpp>

namespace quarq {

/// How a job that failed is attempted again. Made by the functions of quarq::backoff; a value, cheap to copy.
///
/// An attempt is a start of the job, whatever ended it: an exception, a timeout or the loss of its worker. A
/// start that a worker's shutdown interrupted does not count.
class retry_policy {
 public:
  using milliseconds = std::chrono::milliseconds;

  /// The default of every task: 5 attempts; 1 s doubling up to 5 min between them, spread by 25 %.
  constexpr retry_policy() = default;

  /// Pauses of `first`, then `factor` times as long each time, at most `max`.
  constexpr retry_policy(milliseconds first, milliseconds max, double factor)
      : first_(first), max_(max), factor_(factor) {}

  /// At most this many starts; less than 1 means 1. With 1, an exception of the handler is the job's answer:
  /// it ends as failed, not dead.
  constexpr retry_policy attempts(int n) const {
    auto copy = *this;
    copy.attempts_ = n < 1 ? 1 : n;
    return copy;
  }

  /// Spreads each pause at random by up to this fraction of it, up and down, so that jobs that failed
  /// together do not come back together. From 0 to 1.
  constexpr retry_policy jitter(double fraction) const {
    auto copy = *this;
    copy.jitter_ = fraction < 0 ? 0 : fraction > 1 ? 1 : fraction;
    return copy;
  }

  /// An exception or a timeout ends the job as failed, whatever the number of attempts: only retry_after, a
  /// lost worker and a task unknown to the worker lead to another attempt. The policy of a handler; a call's
  /// backoff does not change it.
  constexpr retry_policy only_when_asked(bool on = true) const {
    auto copy = *this;
    copy.only_when_asked_ = on;
    return copy;
  }

  constexpr int max_attempts() const noexcept { return attempts_ == 0 ? default_attempts : attempts_; }
  /// Whether attempts() was called: if not, max_attempts() is the default.
  constexpr bool sets_attempts() const noexcept { return attempts_ != 0; }
  constexpr bool retries_only_when_asked() const noexcept { return only_when_asked_; }
  constexpr milliseconds first() const noexcept { return first_; }
  constexpr milliseconds max() const noexcept { return max_; }
  constexpr double factor() const noexcept { return factor_; }
  constexpr double jitter_fraction() const noexcept { return jitter_; }

  /// The pause after attempt number `n` (from 1) has failed. `random`, from 0 to 1, decides the spread.
  milliseconds pause_after(int n, double random) const noexcept;

  friend constexpr bool operator==(const retry_policy&, const retry_policy&) = default;

 private:
  static constexpr int default_attempts = 5;
  milliseconds first_{1'000};
  milliseconds max_{300'000};
  double factor_ = 2;
  double jitter_ = 0.25;
  int attempts_ = 0;  // 0: not set
  bool only_when_asked_ = false;
};

/// The shapes of retry_policy: `backoff::exponential(1s, 5min).attempts(8)`.
namespace backoff {

/// `first`, then twice as long each time, at most `max`.
constexpr retry_policy exponential(std::chrono::milliseconds first, std::chrono::milliseconds max) {
  return retry_policy(first, max, 2);
}

/// The same pause each time.
constexpr retry_policy constant(std::chrono::milliseconds pause) {
  return retry_policy(pause, pause, 1);
}

/// No retry: one attempt.
constexpr retry_policy none() {
  return retry_policy().attempts(1);
}

}  // namespace backoff
}  // namespace quarq
