// The bridge from plain code into coroutines.
#pragma once

#include <optional>
#include <stop_token>
#include <type_traits>
#include <utility>

#include <quarq/awaitable.hpp>
#include <quarq/time.hpp>

namespace quarq {

namespace detail {
/// Runs `main` on a loop of its own, on this thread, until it ends; rethrows what it throws. A stop cancels
/// it.
void run_loop(awaitable<void> main, std::stop_token stop = {});
}  // namespace detail

/// Runs a coroutine on a new loop on this thread until it ends, and returns its value or throws its
/// exception. What the coroutine has started elsewhere and not awaited ends with the loop. Not to be called
/// from a coroutine (it would block the loop that runs it): throws std::logic_error there.
template <class T>
T run(awaitable<T> main) {
  if constexpr (std::is_void_v<T>) {
    detail::run_loop(std::move(main));
  } else {
    std::optional<T> value;
    detail::run_loop(detail::store(std::move(main), value));
    return std::move(*value);
  }
}

}  // namespace quarq
