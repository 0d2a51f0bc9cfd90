// Waiting for a time, and time limits for any await.
#pragma once

#include <chrono>
#include <optional>
#include <utility>

#include <quarq/awaitable.hpp>
#include <quarq/errors.hpp>

namespace quarq {

/// Suspends the coroutine for at least this long (steady clock); zero or less yields once to the loop. Throws
/// boost::system::system_error (operation_aborted) when cancelled.
awaitable<void> sleep_for(std::chrono::nanoseconds duration);

/// Suspends the coroutine until the system clock shows `when`.
awaitable<void> sleep_until(std::chrono::system_clock::time_point when);

namespace detail {
awaitable<void> limit(awaitable<void> work, std::chrono::nanoseconds max);

template <class T>
awaitable<void> store(awaitable<T> from, std::optional<T>& into) {
  auto value = co_await std::move(from);
  into.emplace(std::move(value));
}
}  // namespace detail

/// Awaits `work` for at most `max`; then it is cancelled, and timed_out is thrown when it has ended (a
/// coroutine that ignores cancellation is waited for). An exception of `work` is thrown unchanged, at once.
template <class T>
awaitable<T> with_timeout(awaitable<T> work, std::chrono::nanoseconds max) {
  std::optional<T> value;
  co_await detail::limit(detail::store(std::move(work), value), max);
  co_return std::move(*value);
}
inline awaitable<void> with_timeout(awaitable<void> work, std::chrono::nanoseconds max) {
  return detail::limit(std::move(work), max);
}

}  // namespace quarq
