// Keeps trouble that lasts from filling the log.
#pragma once

#include <optional>

#include "workers/clock.hpp"

namespace quarq::workers {

/// The first occurrence is to be logged, and then one a minute until the trouble is over.
class log_limiter {
 public:
  static constexpr milliseconds interval = std::chrono::minutes(1);

  bool may_log(clock::time_point now) noexcept {
    if (logged_ && now - *logged_ < interval) return false;
    logged_ = now;
    return true;
  }
  void over() noexcept { logged_.reset(); }

 private:
  std::optional<clock::time_point> logged_;
};

}  // namespace quarq::workers
