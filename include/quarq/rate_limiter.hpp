// Limits how often coroutines do something: so many times a second, minute or day.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <type_traits>

#include <quarq/awaitable.hpp>
#include <quarq/detail/must_await.hpp>

namespace quarq {

/// `{.permits = 300, .per = 1min}`: 300 a minute, one after the other, 200 ms apart.
struct rate_limiter_options {
  std::size_t permits = 1;                      ///< at least 1
  std::chrono::nanoseconds per{1'000'000'000};  ///< more than 0
  /// How many may be taken at once when none was taken for a while. They also make up for moments at which the loop
  /// was busy. 0: as many as come in 20 ms, and at least 1.
  std::size_t burst = 0;
};
static_assert(std::is_trivially_destructible_v<rate_limiter_options>);

/// Hands out permits at a limited rate, to the coroutines of one loop or strand; other threads must not use it. In any
/// span of time it hands out at most as many as the rate allows in that time, and `burst` more. (This is GCRA, which
/// is to say a token bucket that holds `burst`.)
///
///     quarq::rate_limiter mails({.permits = 100, .per = 1s});
///     ...
///     co_await mails.acquire();   // 10 ms after the one before
///
/// Several workers that share a limit get a part of it each: nothing is known here of other processes.
class rate_limiter {
 public:
  /// Throws usage_error for options out of their range.
  explicit rate_limiter(rate_limiter_options options);
  /// Waiting coroutines get boost::system::system_error (operation_aborted); the one that is next, when its permit
  /// would have been due.
  ~rate_limiter();
  rate_limiter(const rate_limiter&) = delete;
  rate_limiter& operator=(const rate_limiter&) = delete;

  /// Waits for a permit, in FIFO order. Throws operation_aborted when cancelled, and takes none then.
  [[QUARQ_MUST_AWAIT]] awaitable<void> acquire();

  /// Takes a permit if one is there and nobody waits. Returns whether it did.
  bool try_acquire();

 private:
  struct state;
  static awaitable<void> acquire_from(std::shared_ptr<state> from);

  std::shared_ptr<state> state_;
};

}  // namespace quarq
