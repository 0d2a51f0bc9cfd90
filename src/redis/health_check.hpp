// When to ask a silent server for a sign of life, and when to give it up.
#pragma once

#include <chrono>

namespace quarq::redis {

enum class health { ok, ping, dead };

/// A server is asked (PING) after `ping_after` without a byte from it, and given up after `timeout`. That is
/// long: a server may be busy for seconds, and to send it everything again would keep it busy. A host or a
/// network that is gone is found earlier, by TCP (socket.cpp).
class health_check {
 public:
  using clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds ping_after{2000}, max_silence{10'000};
  /// Sentinels may have promoted another master meanwhile: to be there before the leases of jobs run out (7 s) is
  /// worth the trouble.
  static constexpr std::chrono::milliseconds max_silence_with_sentinels{4'000};

  explicit health_check(std::chrono::milliseconds timeout = max_silence) noexcept : timeout_(timeout) {}

  std::chrono::milliseconds timeout() const noexcept { return timeout_; }

  /// The silence begins now: bytes came or were taken by the other end, or the first request was sent to a server
  /// that owed nothing before.
  void reset(clock::time_point now) noexcept {
    since_ = now;
    pinged_ = false;
  }
  /// Returns `ping` once per silence: the caller must send a PING then.
  health check(clock::time_point now) noexcept {
    if (now < next_check()) return health::ok;
    if (pinged_) return when_given_up(now);
    pinged_ = true;
    since_ = now;
    return health::ping;
  }
  clock::time_point next_check() const noexcept {
    return since_ + (pinged_ ? timeout_ - ping_after : ping_after);
  }

 private:
  static constexpr std::chrono::milliseconds lateness{500}, time_to_read{1000};

  // A loop that checks late has stood still itself: what has come meanwhile is yet to be read.
  health when_given_up(clock::time_point now) noexcept {
    if (now < next_check() + lateness) return health::dead;
    since_ = now + time_to_read - (timeout_ - ping_after);
    return health::ok;
  }

  std::chrono::milliseconds timeout_;
  clock::time_point since_{};
  bool pinged_ = false;
};

}  // namespace quarq::redis
