// From plain code into coroutines: runs one on a loop of its own.
#pragma once

#include <optional>
#include <stop_token>
#include <type_traits>
#include <utility>

#include <quarq/awaitable.hpp>
#include <quarq/time.hpp>

namespace quarq {

namespace detail {
/// Runs `main` on a loop of its own, on this thread, until it ends; rethrows what it throws. A stop request
/// cancels it.
void run_loop(awaitable<void> main, std::stop_token stop = {});
}  // namespace detail

/// Runs a coroutine on a new loop on this thread until it ends, and returns its value or throws its
/// exception. What the coroutine has started on the loop and not awaited is destroyed with the loop. Throws
/// std::logic_error if called from a coroutine, whose loop it would block: use co_await there.
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
