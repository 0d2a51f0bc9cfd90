// When a request is sent again.
#pragma once

#include <chrono>

#include <quarq/detail/at_least_cpp20.hpp>

namespace quarq::http {

/// A request whose answer is 429, 502, 503 or 504, or that got none, is sent again if its method is GET, HEAD,
/// OPTIONS, TRACE, PUT or DELETE, if it has an Idempotency-Key, or if not a byte of it was written; never if its
/// body was a stream. The pause doubles from attempt to attempt, plus or minus a fifth; the server's Retry-After
/// counts where it is longer. No pause goes beyond the request's deadline. All requests of a client share a
/// budget: where most fail, they are not sent again.
///
/// This is apart from connections that turn out to be dead when they are used again: those are replaced at once.
struct retry_policy {
  int max_attempts = 1;  ///< 1: no retry
  std::chrono::milliseconds first_pause{200};
  std::chrono::milliseconds max_pause{10'000};
};

}  // namespace quarq::http
