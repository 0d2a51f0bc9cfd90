// Level 4: coroutines, all on the loop that awaits them.
#pragma once

#include <cstddef>
#include <functional>
#include <stop_token>
#include <type_traits>
#include <utility>

#include <quarq/awaitable.hpp>
#include <quarq/map.hpp>

namespace quarq {

namespace detail {

/// Whether F is called with a std::stop_token before its arguments.
template <class F, class... Args>
inline constexpr bool takes_stop_token =
    !std::is_invocable_v<F, Args...> && std::is_invocable_v<F, std::stop_token, Args...>;

/// What F returns, called with values of these types; of an awaitable what it yields.
template <class F, class... Args>
struct run_result {
  static_assert(std::is_invocable_v<F, Args...> || takes_stop_token<F, Args...>,
                "quarq: this function can't be called with these arguments (see run_result<function, "
                "arguments> in this message)");
  static auto given() {
    if constexpr (takes_stop_token<F, Args...>) {
      return std::type_identity<std::invoke_result_t<F, std::stop_token, Args...>>();
    } else if constexpr (std::is_invocable_v<F, Args...>) {
      return std::type_identity<std::invoke_result_t<F, Args...>>();
    } else {
      return std::type_identity<void>();
    }
  }
  using returned = typename decltype(given())::type;
  static auto yielded() {
    if constexpr (is_awaitable<returned>) {
      return std::type_identity<typename awaited<returned>::type>();
    } else {
      return std::type_identity<std::decay_t<returned>>();
    }
  }
  using type = typename decltype(yielded())::type;
};

/// (A class of its own, since g++ 12 warns of a closure in the frame of a function template.)
template <class F, class... Args>
struct call_here {
  using result = run_result<F, Args...>;
  using type = typename result::type;

  static awaitable<type> run(F f, Args... args) {
    if constexpr (is_awaitable<typename result::returned>) {
      auto work = invoke(f, args...);
      if constexpr (std::is_void_v<type>) {
        co_await std::move(work);
      } else {
        auto value = co_await std::move(work);
        co_return value;
      }
    } else if constexpr (std::is_void_v<type>) {
      invoke(f, args...);
      co_return;
    } else {
      co_return invoke(f, args...);
    }
  }

  static decltype(auto) invoke(F& f, Args&... args) {
    if constexpr (takes_stop_token<F, Args...>) {
      return std::invoke(std::move(f), std::stop_token(), std::move(args)...);
    } else {
      return std::invoke(std::move(f), std::move(args)...);
    }
  }
};

}  // namespace detail

/// Where coroutines run: on the loop that awaits them, many at once on its one thread. It holds nothing;
/// every one is the same. It is there so that work can be moved to a thread_pool, a process_pool or machines,
/// and back, by changing one word.
class coroutines : public detail::maps<coroutines> {
 public:
  /// Calls f(args...) and returns what it returns, or what its awaitable yields; throws what it throws. `f`
  /// and the arguments are kept until the end, so references to them and captures are safe. Cancelling
  /// cancels what the coroutine awaits.
  ///
  /// A plain function is called as well, and blocks the loop while it runs: good for what is short. If it
  /// takes a std::stop_token first, that never stops.
  template <class F, class... Args>
  auto run(F&& f, Args&&... args) const
      -> awaitable<typename detail::run_result<std::decay_t<F>, std::decay_t<Args>...>::type> {
    static_assert((detail::seat_belted<F>::ok && ... && detail::seat_belted<Args>::ok));
    using call = detail::call_here<std::decay_t<F>, std::decay_t<Args>...>;
    return call::run(std::forward<F>(f), std::forward<Args>(args)...);
  }

  /// How many elements of a map are under way without at_once: 100.
  std::size_t default_at_once() const noexcept { return 100; }
};

}  // namespace quarq
