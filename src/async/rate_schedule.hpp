// When the permits of a rate limiter are due: the generic cell rate algorithm, without waiting and without a clock.
#pragma once

#include <chrono>

#include <quarq/rate_limiter.hpp>

namespace quarq::async {

class rate_schedule {
 public:
  using time_point = std::chrono::steady_clock::time_point;
  using nanoseconds = std::chrono::nanoseconds;

  /// Throws usage_error for options out of their range.
  explicit rate_schedule(const rate_limiter_options& options);

  /// When the next permit may be taken; if that has passed, at once.
  time_point next() const noexcept { return full_ - tolerance_; }
  /// REQUIRES: now >= next().
  void take(time_point now) noexcept;

  /// From one permit to the next, when all are wanted: rounded up, so that there are never more.
  nanoseconds interval() const noexcept { return interval_; }

 private:
  nanoseconds interval_;
  nanoseconds tolerance_;  // what the permits of a burst come early
  time_point full_{};      // when the bucket will be full again; a permit empties it by one interval
};

}  // namespace quarq::async
