// Protects work from the cancellation of its caller.
#pragma once

#include <optional>
#include <utility>

#include <quarq/awaitable.hpp>
#include <quarq/detail/gather_impl.hpp>

namespace quarq {

namespace detail {
awaitable<void> run_shielded(awaitable<void> work);
}  // namespace detail

/// Awaits `work` to its end and returns its value, even if the caller is cancelled meanwhile; then the
/// caller's next await throws operation_aborted. (Destroying the loop destroys the work, as it does any
/// coroutine.)
///
/// If the caller has been cancelled before, `work` is not started: like any other await, this one throws. To
/// clean up after a cancellation, first `co_await boost::asio::this_coro::reset_cancellation_state()`.
template <class T>
[[QUARQ_MUST_AWAIT]] awaitable<T> shield(awaitable<T> work) {
  std::optional<detail::value_of<T>> slot;
  co_await detail::run_shielded(detail::into_slot<T>(std::move(work), slot));
  if constexpr (!std::is_void_v<T>) co_return std::move(*slot);
}

}  // namespace quarq
