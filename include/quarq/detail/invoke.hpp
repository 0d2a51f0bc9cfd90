// A function called with values of its own: shared by the levels that call it in this program.
#pragma once

#include <functional>
#include <stop_token>
#include <type_traits>
#include <utility>

#include <quarq/awaitable.hpp>

namespace quarq::detail {

/// Whether F is called with a std::stop_token before its arguments.
template <class F, class... Args>
inline constexpr bool takes_stop_token = std::is_invocable_v<F, std::stop_token, Args...>;

/// A call of F with values of these types, after a std::stop_token if F takes one.
template <class F, class... Args>
struct invocation {
  static_assert(takes_stop_token<F, Args...> || std::is_invocable_v<F, Args...>,
                "quarq: this function can't be called with these arguments (see invocation<function, "
                "arguments> in this message)");
  static auto return_type() {
    if constexpr (takes_stop_token<F, Args...>) {
      return std::type_identity<std::invoke_result_t<F, std::stop_token, Args...>>();
    } else if constexpr (std::is_invocable_v<F, Args...>) {
      return std::type_identity<std::invoke_result_t<F, Args...>>();
    } else {
      return std::type_identity<void>();
    }
  }
  using returned = typename decltype(return_type())::type;
  static constexpr bool is_coroutine = is_awaitable<std::remove_cvref_t<returned>>;
  /// For a coroutine function, the type that it yields.
  using result = typename awaited<std::remove_cvref_t<returned>>::type;

  static returned invoke(std::stop_token stop, F& f, Args&... args) {
    if constexpr (takes_stop_token<F, Args...>) {
      return std::invoke(std::move(f), std::move(stop), std::move(args)...);
    } else {
      return std::invoke(std::move(f), std::move(args)...);
    }
  }
};

}  // namespace quarq::detail
