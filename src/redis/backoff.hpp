// How long to wait before the next attempt.
#pragma once

#include <algorithm>
#include <chrono>

namespace quarq::redis {

/// Exponential backoff with full jitter: the n-th pause is random between nothing and first * 2^n, at most
/// `longest`, so that clients which lost the same server do not come back in step.
class backoff {
 public:
  using milliseconds = std::chrono::milliseconds;
  explicit backoff(milliseconds first = milliseconds(50), milliseconds longest = milliseconds(2000))
      : first_(first), longest_(longest) {}

  /// `random` is uniform in [0, 1).
  std::chrono::microseconds next(double random) {
    const auto max = std::min(longest_, first_ * (1 << doublings_));
    if (max < longest_) ++doublings_;
    return std::chrono::duration_cast<std::chrono::microseconds>(max * random);
  }
  void reset() noexcept { doublings_ = 0; }

 private:
  milliseconds first_, longest_;
  int doublings_ = 0;
};

}  // namespace quarq::redis
