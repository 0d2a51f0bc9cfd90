// Whether a request is sent once more: over another connection because its own was dead, or later because of what
// the retry policy says. Without I/O and without a clock.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include <quarq/http/retries.hpp>

namespace quarq::http {

/// GET, HEAD, OPTIONS, TRACE, PUT and DELETE: doing it twice is doing it once (RFC 9110, 9.2.2).
bool is_idempotent(std::string_view method) noexcept;

struct broken_connection {
  bool reused = false;                 ///< it had served a request before
  bool answer_has_begun = false;       ///< a byte of it has come
  bool request_was_written = false;    ///< at least one byte, as far as the kernel says
  bool idempotent = false;             ///< its method is, or it has an Idempotency-Key
  bool body_can_be_sent_again = true;  ///< it is not a stream of which something was read
};
/// Go's rule: a server may close an idle connection at the moment at which it is used again. A request that it can't
/// have read, or that may be done twice, goes to another connection at once; all others fail.
bool goes_to_another_connection(const broken_connection& facts) noexcept;

/// How many retries all requests of a client together may add: one for each failure while at least half of the
/// budget is there; successes fill it slowly. So a server that fails altogether gets hardly more requests.
class retry_budget {
 public:
  static constexpr double full = 10;
  static constexpr double for_success = 0.1;

  void succeeded() noexcept;
  bool is_full() const noexcept { return tokens_ >= full; }
  /// Whether a retry may follow.
  bool failed() noexcept;

 private:
  double tokens_ = full;
};

struct failed_attempt {
  int attempt = 1;  ///< counted from 1
  bool idempotent = false;
  bool may_have_arrived = true;  ///< false: not a byte of it was written
  bool body_can_be_sent_again = true;
  int status = 0;  ///< 0: there was no answer
  std::optional<std::chrono::milliseconds> retry_after;
  std::chrono::milliseconds until_deadline{};
  double random = 0;  ///< at least 0, less than 1
};
/// Whether this answer, or its absence, is a failure that another attempt may mend: none at all, 429, 502, 503, 504.
bool is_failure(int status) noexcept;
/// The pause before the next attempt, or nullopt: there is none. The pause doubles from attempt to attempt, plus
/// or minus a fifth; a Retry-After counts where it is longer. What would end after the deadline is not begun.
std::optional<std::chrono::milliseconds> pause_before_retry(const retry_policy& policy,
                                                            const failed_attempt& facts,
                                                            retry_budget& budget);

}  // namespace quarq::http
