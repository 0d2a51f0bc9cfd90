// When to ask a silent server for a sign of life, and when to give it up.
#pragma once

#include <chrono>

namespace quarq::redis {

enum class health { ok, ping, dead };

/// A server is asked (PING) after `max_silence` without a byte from it, and given up when the same time
/// passes again without one.
class health_check {
 public:
  using clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds max_silence{2000};

  /// The silence begins now: bytes came, or the first request was sent to a server that owed nothing before.
  void reset(clock::time_point now) noexcept {
    since_ = now;
    pinged_ = false;
  }
  /// Returns `ping` once per silence: the caller must send a PING then.
  health check(clock::time_point now) noexcept {
    if (now < next_check()) return health::ok;
    if (pinged_) return health::dead;
    pinged_ = true;
    since_ = now;
    return health::ping;
  }
  clock::time_point next_check() const noexcept { return since_ + max_silence; }

 private:
  clock::time_point since_{};
  bool pinged_ = false;
};

}  // namespace quarq::redis
