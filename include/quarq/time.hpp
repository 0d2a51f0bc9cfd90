// Waiting for a time, and time limits for any await.
#pragma once

#include <chrono>
#include <optional>
#include <type_traits>
#include <utility>

#include <quarq/awaitable.hpp>
#include <quarq/detail/duration.hpp>
#include <quarq/errors.hpp>

namespace quarq {

namespace detail {

awaitable<void> sleep(std::chrono::nanoseconds duration);
awaitable<void> sleep_until_then(std::chrono::system_clock::time_point when);
awaitable<void> limit(awaitable<void> work, std::chrono::nanoseconds max);

template <class T>
awaitable<void> store(awaitable<T> from, std::optional<T>& into) {
  auto value = co_await std::move(from);
  into.emplace(std::move(value));
}

template <class T>
awaitable<T> limit_value(awaitable<T> work, std::chrono::nanoseconds max) {
  std::optional<T> value;
  co_await limit(store(std::move(work), value), max);
  co_return std::move(*value);
}

}  // namespace detail

/// Suspends the coroutine for at least this long (steady clock); zero or less yields once to the loop. A
/// duration may be of any unit: one beyond 292 years means that long. Throws boost::system::system_error
/// (operation_aborted) when cancelled.
template <class Rep, class Period>
[[QUARQ_MUST_AWAIT]] awaitable<void> sleep_for(std::chrono::duration<Rep, Period> duration) {
  return detail::sleep(detail::clamped<std::chrono::nanoseconds>(duration));
}

/// Suspends the coroutine until the system clock shows `when`.
template <class Duration>
[[QUARQ_MUST_AWAIT]] awaitable<void> sleep_until(
    std::chrono::time_point<std::chrono::system_clock, Duration> when) {
  using moment = std::chrono::system_clock::time_point;
  return detail::sleep_until_then(moment(detail::clamped<moment::duration>(when.time_since_epoch())));
}

/// Awaits `work` for at most `max`, of any unit; then it is cancelled, and waited for. If it returns a value
/// nevertheless, since it was shielded or caught the cancellation, that is returned; else timed_out is thrown.
/// An exception that `work` throws before is thrown unchanged, at once.
template <class T, class Rep, class Period>
[[QUARQ_MUST_AWAIT]] awaitable<T> with_timeout(awaitable<T> work, std::chrono::duration<Rep, Period> max) {
  const auto limit = detail::clamped<std::chrono::nanoseconds>(max);
  if constexpr (std::is_void_v<T>) {
    return detail::limit(std::move(work), limit);
  } else {
    return detail::limit_value(std::move(work), limit);
  }
}

}  // namespace quarq
