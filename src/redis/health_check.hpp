// When to ask whether a peer is still there, and when to stop believing in it.
#pragma once

#include <chrono>

namespace quarq::redis {

enum class health { ok, ping, dead };

/// A peer is asked (PING) after `silence` without a byte from it, and dead when as much passes again without
/// one.
class health_check {
 public:
  using clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds silence{2000};

  explicit health_check(clock::time_point now) : since_(now) {}

  /// Bytes came. Also to be called when waiting begins: a peer that nobody waited for owed nothing.
  void heard(clock::time_point now) noexcept {
    since_ = now;
    asked_ = false;
  }
  /// `ask` is said once per silence; whoever gets it sends the question now.
  health check(clock::time_point now) noexcept {
    if (now < next_check()) return health::ok;
    if (asked_) return health::dead;
    asked_ = true;
    since_ = now;
    return health::ping;
  }
  clock::time_point next_check() const noexcept { return since_ + silence; }

 private:
  clock::time_point since_;
  bool asked_ = false;
};

}  // namespace quarq::redis
