// Runs a coroutine from a test that is not one.
#pragma once

#include <chrono>
#include <concepts>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <quarq/awaitable.hpp>
#include <quarq/time.hpp>

#include "support/default_timeout.hpp"

namespace quarq::test {

namespace on_loop_detail {

template <class T>
struct outcome {
  std::optional<T> value;
  T take() { return std::move(*value); }
};
template <>
struct outcome<void> {
  void take() {}
};

template <class T>
awaitable<void> keep_outcome(awaitable<T> what, outcome<T>& into) {
  if constexpr (std::is_void_v<T>) {
    co_await std::move(what);
  } else {
    T value = co_await std::move(what);
    into.value.emplace(std::move(value));
  }
}

}  // namespace on_loop_detail

/// Runs a fresh loop until the coroutine ends: returns its value, throws what it threw. Past the deadline the
/// coroutine is destroyed where it stands and std::runtime_error says so. What it left running on the loop is
/// destroyed when it ends.
template <class T>
T run_on_loop(awaitable<T> what, std::chrono::steady_clock::duration deadline = test_timeout) {
  on_loop_detail::outcome<T> result;
  std::exception_ptr failure;
  bool ended = false;
  {
    boost::asio::io_context loop{1};
    boost::asio::co_spawn(loop, on_loop_detail::keep_outcome<T>(std::move(what), result),
                          [&](std::exception_ptr e) {
                            failure = e;
                            ended = true;
                            loop.stop();
                          });
    loop.run_for(deadline);
  }
  if (!ended) {
    const auto seconds = std::chrono::duration<double>(deadline).count();
    throw std::runtime_error("run_on_loop: the coroutine did not end within " + std::to_string(seconds) +
                             " s");
  }
  if (failure) std::rethrow_exception(failure);
  return result.take();
}

/// The same for a function that makes the coroutine, such as a capturing lambda; it is kept until the end.
template <std::invocable F>
auto run_on_loop(F make, std::chrono::steady_clock::duration deadline = test_timeout) {
  return run_on_loop(make(), deadline);
}

/// Returns when `holds` does; throws when the timeout ends.
template <class F>
awaitable<void> until(F holds) {
  const auto deadline = std::chrono::steady_clock::now() + default_timeout;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("waited in vain");
    co_await sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace quarq::test
