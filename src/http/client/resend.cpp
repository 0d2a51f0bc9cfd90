#include "http/client/resend.hpp"

#include <algorithm>
#include <array>

namespace quarq::http {

bool is_idempotent(std::string_view method) noexcept {
  constexpr std::array<std::string_view, 6> methods{"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"};
  return std::find(methods.begin(), methods.end(), method) != methods.end();
}

bool goes_to_another_connection(const broken_connection& facts) noexcept {
  if (!facts.reused) return false;  // the server had no reason to close it
  if (facts.answer_has_begun) return false;
  if (!facts.body_can_be_sent_again) return false;
  return !facts.request_was_written || facts.idempotent;
}

void retry_budget::succeeded() noexcept {
  tokens_ = std::min(full, tokens_ + for_success);
}

bool retry_budget::failed() noexcept {
  tokens_ = std::max(0.0, tokens_ - 1);
  return tokens_ >= full / 2;
}

bool is_failure(int status) noexcept {
  return status == 0 || status == 429 || status == 502 || status == 503 || status == 504;
}

std::optional<std::chrono::milliseconds> pause_before_retry(const retry_policy& policy,
                                                            const failed_attempt& facts,
                                                            retry_budget& budget) {
  using std::chrono::milliseconds;
  if (!is_failure(facts.status)) return std::nullopt;
  const bool has_budget = budget.failed();
  if (facts.attempt >= policy.max_attempts || !facts.body_can_be_sent_again) return std::nullopt;
  if (facts.may_have_arrived && !facts.idempotent) return std::nullopt;
  if (!has_budget) return std::nullopt;
  auto pause = policy.first_pause;
  for (int i = 1; i < facts.attempt && pause < policy.max_pause; ++i) pause *= 2;
  pause = std::min(pause, policy.max_pause);
  pause = milliseconds(
      static_cast<milliseconds::rep>(static_cast<double>(pause.count()) * (0.8 + 0.4 * facts.random)));
  if (facts.retry_after) pause = std::max(pause, *facts.retry_after);
  if (pause >= facts.until_deadline) return std::nullopt;
  return pause;
}

}  // namespace quarq::http
