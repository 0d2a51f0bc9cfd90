// How often a job is tried, and how long it waits between tries.
#pragma once

#include <chrono>
#include <optional>

namespace quarq {

/// A duration that means "for ever" where one is kept (keep_result).
inline constexpr std::chrono::milliseconds forever = std::chrono::milliseconds::max();

/// How a job that failed is tried again. Made by the functions of quarq::backoff; a value, cheap to copy.
///
/// A try is a start of the job, whatever ended it: an exception, a timeout or the loss of its worker. A
/// worker's shutdown is not a try.
class retry_policy {
 public:
  using milliseconds = std::chrono::milliseconds;

  /// The default of every task: 5 tries, 1 s doubling up to 5 min between them, spread by 25 %.
  constexpr retry_policy() = default;

  constexpr retry_policy(milliseconds first, milliseconds max, double factor)
      : first_(first), most_(max), factor_(factor) {}

  /// At most this many starts, at least 1. With 1, an exception of the handler is the job's answer: it ends
  /// as failed, not dead.
  constexpr retry_policy attempts(int n) const {
    auto copy = *this;
    copy.tries_ = n < 1 ? 1 : n;
    return copy;
  }

  /// Spreads each pause at random by up to this fraction of it, up and down, so that jobs that failed
  /// together do not come back together. From 0 to 1.
  constexpr retry_policy jitter(double fraction) const {
    auto copy = *this;
    copy.jitter_ = fraction < 0 ? 0 : fraction > 1 ? 1 : fraction;
    return copy;
  }

  constexpr int max_attempts() const noexcept { return tries_ == 0 ? default_tries : tries_; }
  /// Whether tries() said so.
  constexpr bool sets_attempts() const noexcept { return tries_ != 0; }
  constexpr milliseconds first() const noexcept { return first_; }
  constexpr milliseconds max() const noexcept { return most_; }
  constexpr double factor() const noexcept { return factor_; }
  constexpr double jitter_fraction() const noexcept { return jitter_; }

  /// The pause after try number `n` (from 1) has failed. `random` is from 0 to 1 and decides the spread.
  milliseconds pause_after(int n, double random) const noexcept;

  friend constexpr bool operator==(const retry_policy&, const retry_policy&) = default;

 private:
  static constexpr int default_tries = 5;
  milliseconds first_{1'000};
  milliseconds most_{300'000};
  double factor_ = 2;
  double jitter_ = 0.25;
  int tries_ = 0;  // 0: not said
};

/// The shapes of retry_policy: `backoff::exponential(1s, 5min).attempts(8)`.
namespace backoff {

/// `first`, then twice as long each time, never longer than `max`.
constexpr retry_policy exponential(std::chrono::milliseconds first, std::chrono::milliseconds max) {
  return retry_policy(first, max, 2);
}

/// The same pause each time.
constexpr retry_policy constant(std::chrono::milliseconds pause) {
  return retry_policy(pause, pause, 1);
}

/// Never again: one try.
constexpr retry_policy none() {
  return retry_policy().attempts(1);
}

}  // namespace backoff
}  // namespace quarq
