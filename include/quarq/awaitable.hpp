// The coroutine type of every asynchronous function in quarq, and the seat belt that g++ 12 needs.
#pragma once

#include <type_traits>

#include <boost/asio/awaitable.hpp>

namespace quarq {

/// A lazily started coroutine that yields T. It is Boost.Asio's, so quarq's functions can be awaited from any
/// Asio program and Asio's operations from any quarq handler. Move-only; await it exactly once.
template <class T = void>
using awaitable = boost::asio::awaitable<T>;

namespace detail {

template <class T>
inline constexpr bool is_awaitable = false;
template <class T, class Executor>
inline constexpr bool is_awaitable<boost::asio::awaitable<T, Executor>> = true;

/// What co_await of a T gives; T itself if that is no awaitable.
template <class T>
struct awaited {
  using type = T;
};
template <class T, class Executor>
struct awaited<boost::asio::awaitable<T, Executor>> {
  using type = T;
};

template <class T>
concept closure_like =
    std::is_class_v<T> && !std::is_aggregate_v<T> && !std::is_default_constructible_v<T> &&
    !std::is_copy_assignable_v<T> && (requires { &T::operator(); } || requires(T t) { t(); });

/// g++ before 12.3 destroys a temporary aggregate or capturing closure twice when the full expression it
/// stands in contains co_await. False for exactly those; a named variable, a class with a constructor, and
/// anything trivially destructible are safe.
template <class T, class U = std::remove_cvref_t<T>>
inline constexpr bool safe_in_co_await =
    std::is_lvalue_reference_v<T> || std::is_trivially_destructible_v<U> ||
    !(std::is_aggregate_v<U> || closure_like<U>);

#if defined(__GNUC__) && !defined(__clang__) && (__GNUC__ * 100 + __GNUC_MINOR__ < 1203)
template <class T>
struct seat_belt {
  static_assert(safe_in_co_await<T>,
                "quarq: this compiler (g++ before 12.3) would destroy this temporary twice inside "
                "co_await: give it a name first (auto x = ...;) and pass x, which is copied; what can't be "
                "copied may be held by a class with a constructor");
  static constexpr bool ok = true;
};
#else
template <class T>
struct seat_belt {
  static constexpr bool ok = true;
};
#endif

}  // namespace detail
}  // namespace quarq

/// Stands in every function that takes a forwarding reference, or several (`Args...`), and returns an
/// awaitable.
#define QUARQ_SEAT_BELT(T) static_assert(::quarq::detail::seat_belt<T>::ok)
#define QUARQ_SEAT_BELTS(Args) static_assert((true && ... && ::quarq::detail::seat_belt<Args>::ok))
