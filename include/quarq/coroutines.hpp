// Level 4: coroutines, all on the loop that awaits them.
#pragma once

#include <cstddef>
#include <stop_token>
#include <type_traits>
#include <utility>

#include <quarq/awaitable.hpp>
#include <quarq/detail/invoke.hpp>
#include <quarq/map.hpp>

namespace quarq {

namespace detail {

/// (A class, since g++ 12 warns about a closure in the coroutine frame of a function template.)
template <class F, class... Args>
struct call_here {
  using invocation_type = invocation<F, Args...>;
  using type = typename invocation_type::result;

  static awaitable<type> run(F f, Args... args) {
    if constexpr (!invocation_type::is_coroutine) {
      co_return invocation_type::invoke(std::stop_token(), f, args...);
    } else if constexpr (std::is_void_v<type>) {
      auto work = invocation_type::invoke(std::stop_token(), f, args...);
      co_await std::move(work);
    } else {
      auto work = invocation_type::invoke(std::stop_token(), f, args...);
      auto value = co_await std::move(work);
      co_return value;
    }
  }
};

}  // namespace detail

/// Runs coroutines on the loop that awaits them, many at the same time on its one thread. Has no state: all
/// objects are alike. With it, moving work to a thread_pool, a process_pool or machines, and back, changes
/// one word.
class coroutines : public detail::maps<coroutines> {
 public:
  /// Calls f(args...) and returns what it returns, or what its awaitable yields; throws what it throws. `f`
  /// and the arguments are kept until the call has ended, so references to them and captures are safe.
  /// Cancelling the caller cancels what the coroutine awaits.
  ///
  /// A plain function is called too, but blocks the loop while it runs. If it takes a std::stop_token first,
  /// a stop is never requested.
  template <class F, class... Args>
  [[QUARQ_MUST_AWAIT]] auto run(F&& f, Args&&... args) const
      -> awaitable<typename detail::invocation<std::decay_t<F>, std::decay_t<Args>...>::result> {
    QUARQ_REQUIRE_NAMED_ARGUMENT(F);
    QUARQ_REQUIRE_NAMED_ARGUMENTS(Args);
    using call = detail::call_here<std::decay_t<F>, std::decay_t<Args>...>;
    return call::run(std::forward<F>(f), std::forward<Args>(args)...);
  }

  /// The max_concurrency of a map that sets none: 100.
  std::size_t default_max_concurrency() const noexcept { return 100; }
};

}  // namespace quarq
