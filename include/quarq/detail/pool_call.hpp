// One call to a process_pool: what is checked when it is compiled, and how it is awaited.
#pragma once

#include <cstddef>
#include <memory>
#include <tuple>
#include <utility>

#include <quarq/awaitable.hpp>
#include <quarq/detail/fits.hpp>
#include <quarq/detail/process_call.hpp>

namespace quarq::processes {
class process_pool_impl;
}

namespace quarq::detail {

awaitable<void> exchange_with_process(std::shared_ptr<processes::process_pool_impl> pool,
                                      process_exchange& call);

template <class Exchange>
auto run_exchange(std::shared_ptr<processes::process_pool_impl> pool, Exchange call)
    -> awaitable<decltype(call.take())> {
  co_await exchange_with_process(std::move(pool), call);
  co_return call.take();
}

template <class F, class... Args>
constexpr void check_process_call() {
  static_assert(
      process_function<F>,
      "quarq: a function for another process must be a function or a lambda without captures: pass what "
      "it needs as arguments");
  using arguments = typename process_arguments<F, Args...>::type;
  static_assert(std::tuple_size_v<arguments> == sizeof...(Args),
                "quarq: wrong number of arguments for this function");
  static_assert(
      process_result<F, arguments>::callable,
      "quarq: this function can't be called with these arguments in another process: parameters must "
      "be values or references to const (for a quarq::context& include <quarq/process_handler.hpp>)");
}

/// An argument as it travels.
template <class Stored, class Given>
Stored to_stored(Given&& given) {
  static_assert(
      fits<Given, Stored>,
      "quarq: an argument does not fit the parameter of the function that is to run in another process");
  if constexpr (fits<Given, Stored>) return static_cast<Stored>(std::forward<Given>(given));
}

template <class Tuple, std::size_t... I, class... Given>
Tuple to_stored_arguments(std::index_sequence<I...>, Given&&... given) {
  return Tuple{to_stored<std::tuple_element_t<I, Tuple>>(std::forward<Given>(given))...};
}

}  // namespace quarq::detail
