// Whether a batch is sent again, and when.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

namespace quarq::otlp {

using std::chrono::milliseconds;

/// What became of a request.
struct export_answer {
  int status = 0;  ///< 0: there was no answer
  std::optional<milliseconds> retry_after = std::nullopt;

  bool is_taken() const noexcept { return status >= 200 && status < 300; }
  /// As OTLP over HTTP has it (https://opentelemetry.io/docs/specs/otlp/#retryable-response-codes); it asks
  /// for the same where a connection fails.
  bool may_be_taken_later() const noexcept {
    return status == 0 || status == 429 || status == 502 || status == 503 || status == 504;
  }
};

/// The attempts to send one batch.
class export_retry {
 public:
  static constexpr int max_attempts = 5;
  static constexpr milliseconds first_pause{1'000};
  /// Of a Retry-After; one that is longer is not waited for.
  static constexpr milliseconds longest_pause{60'000};

  /// `random`: 0 to 1, by which the pause is up to a fifth longer or shorter. Nullopt: it is given up.
  std::optional<milliseconds> pause_after(const export_answer& answer, double random) {
    if (!answer.may_be_taken_later() || ++attempts_ >= max_attempts) return std::nullopt;
    const auto doubled = first_pause * (1 << (attempts_ - 1));
    auto pause = std::chrono::duration_cast<milliseconds>(doubled * (0.8 + 0.4 * random));
    if (answer.retry_after) pause = std::max(pause, *answer.retry_after);
    if (pause > longest_pause) return std::nullopt;
    return pause;
  }

 private:
  int attempts_ = 0;
};

}  // namespace quarq::otlp
