// Whether a call is sent again, and when: gRPC's retries (A6), without I/O and without a clock.
#pragma once

#include <chrono>
#include <optional>

namespace quarq::rpc {

/// How many retries all calls together may add: each failure takes one of ten tokens, each success gives back a tenth
/// of one, and while no more than half of them are left, nothing is sent again.
class retry_throttle {
 public:
  static constexpr double full = 10;
  static constexpr double for_success = 0.1;

  void succeeded() noexcept;
  void failed() noexcept;
  bool allows_retries() const noexcept { return tokens_ > full / 2; }
  double tokens() const noexcept { return tokens_; }

 private:
  double tokens_ = full;
};

inline constexpr std::chrono::milliseconds first_retry_pause{50};
inline constexpr std::chrono::milliseconds max_retry_pause{5'000};

/// An attempt that has failed in a way that another one may mend.
struct lost_attempt {
  int attempt = 1;  ///< counted from 1
  int max_attempts = 1;
  bool idempotent = false;
  bool may_have_started = true;  ///< a handler may have begun it
  /// The server says when; negative: not at all.
  std::optional<std::chrono::milliseconds> pushback = std::nullopt;
  /// Another host is there for it.
  bool has_another_host = false;
  std::chrono::milliseconds until_deadline = std::chrono::milliseconds::max();
  double random = 0.5;  ///< 0 to 1
};

/// The pause before the next attempt; nullopt: there is none. At once where another host is in service; otherwise it
/// doubles from attempt to attempt, plus or minus a fifth. What the server asks for replaces it. None ends after the
/// deadline.
std::optional<std::chrono::milliseconds> pause_before_retry(const lost_attempt& facts,
                                                            const retry_throttle& throttle) noexcept;

}  // namespace quarq::rpc
