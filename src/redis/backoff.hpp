// How long to wait before the next attempt.
#pragma once

#include <algorithm>
#include <chrono>

namespace quarq::redis {

/// Exponential backoff with full jitter: the n-th pause is random between 0 and the lesser of first * 2^n and
/// `max`, so that clients that lost the same server do not return in step.
class backoff {
 public:
  using milliseconds = std::chrono::milliseconds;
  explicit backoff(milliseconds first = milliseconds(50), milliseconds max = milliseconds(2000))
      : first_(first), max_(max) {}

  /// `random` is uniform in [0, 1).
  std::chrono::microseconds next(double random) {
    const auto limit = std::min(max_, first_ * (1 << doublings_));
    if (limit < max_) ++doublings_;
    return std::chrono::duration_cast<std::chrono::microseconds>(limit * random);
  }
  void reset() noexcept { doublings_ = 0; }

 private:
  milliseconds first_, max_;
  int doublings_ = 0;
};

}  // namespace quarq::redis
