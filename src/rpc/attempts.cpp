#include "rpc/attempts.hpp"

#include <algorithm>

namespace quarq::rpc {

using std::chrono::milliseconds;

void retry_throttle::succeeded() noexcept {
  tokens_ = std::min(full, tokens_ + for_success);
}

void retry_throttle::failed() noexcept {
  tokens_ = std::max(0.0, tokens_ - 1);
}

std::optional<milliseconds> pause_before_retry(const lost_attempt& facts,
                                               const retry_throttle& throttle) noexcept {
  if (facts.attempt >= facts.max_attempts) return std::nullopt;
  if (facts.may_have_started && !facts.idempotent) return std::nullopt;
  if (!throttle.allows_retries()) return std::nullopt;
  if (facts.pushback && *facts.pushback < milliseconds{0}) return std::nullopt;
  milliseconds pause{0};
  if (facts.pushback) {
    pause = *facts.pushback;
  } else if (!facts.has_another_host) {
    pause = first_retry_pause;
    for (int i = 1; i < facts.attempt && pause < max_retry_pause; ++i) pause *= 2;
    pause = std::min(pause, max_retry_pause);
    pause = milliseconds(
        static_cast<milliseconds::rep>(static_cast<double>(pause.count()) * (0.8 + 0.4 * facts.random)));
  }
  if (pause >= facts.until_deadline) return std::nullopt;
  return pause;
}

}  // namespace quarq::rpc
