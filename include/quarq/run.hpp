// From plain code into coroutines: runs one on a loop of its own, or a whole program.
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
/// The same, cancelled by SIGINT and SIGTERM, after which it throws quarq::interrupted if it did not return.
void run_loop_until_signal(awaitable<void> main);
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

/// The type of quarq::stop_on_signals.
struct stop_on_signals_t {
  explicit stop_on_signals_t() = default;
};
inline constexpr stop_on_signals_t stop_on_signals{};

/// The same, but SIGINT (Ctrl-C) or SIGTERM cancels the coroutine: its awaits throw operation_aborted, so that
/// it can clean up. If it does not return a value after that, quarq::interrupted is thrown. A second signal ends
/// the process at once. For one coroutine of a process at a time.
template <class T>
T run(awaitable<T> main, stop_on_signals_t) {
  if constexpr (std::is_void_v<T>) {
    detail::run_loop_until_signal(std::move(main));
  } else {
    std::optional<T> value;
    detail::run_loop_until_signal(detail::store(std::move(main), value));
    return std::move(*value);
  }
}

/// For programs: `int main() { return quarq::main(program()); }` runs the coroutine as run(..., stop_on_signals)
/// does and returns the exit code: 0, or what the coroutine returned; 1 after an exception, which is printed to
/// stderr in one line; 2 likewise after a quarq::usage_error; 128 and the number of the signal if one ended it.
int main(awaitable<void> program);
int main(awaitable<int> program);

}  // namespace quarq
