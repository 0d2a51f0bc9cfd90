// Work that is not to be interrupted.
#pragma once

#include <optional>
#include <utility>

#include <quarq/awaitable.hpp>
#include <quarq/gather.hpp>

namespace quarq {

namespace detail {
awaitable<void> run_shielded(awaitable<void> work);
}  // namespace detail

/// Awaits `work`, which the caller's cancellation does not reach: it is waited for to its end, and its value
/// is returned. The caller's next await throws operation_aborted. The loop's end destroys it, as everything.
///
/// A caller that is cancelled before it comes here does not begin the work: as any other await, this throws
/// then. To clean up after a cancellation, first `co_await
/// boost::asio::this_coro::reset_cancellation_state()`.
template <class T>
awaitable<T> shield(awaitable<T> work) {
  std::optional<detail::value_of<T>> slot;
  co_await detail::run_shielded(detail::into_slot<T>(std::move(work), slot));
  if constexpr (!std::is_void_v<T>) co_return std::move(*slot);
}

}  // namespace quarq
