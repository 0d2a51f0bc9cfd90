// What a function returns, seen through its awaitable.
#pragma once

#include <boost/asio/awaitable.hpp>

#include <quarq/detail/at_least_cpp20.hpp>

/// Stands before functions that return an awaitable, so that a warning names what was forgotten:
/// `[[QUARQ_MUST_AWAIT]] awaitable<void> f();`
#define QUARQ_MUST_AWAIT \
  nodiscard("quarq: a coroutine runs only when it is awaited: write co_await before it")

namespace quarq::detail {

template <class T>
inline constexpr bool is_awaitable = false;
template <class T, class Executor>
inline constexpr bool is_awaitable<boost::asio::awaitable<T, Executor>> = true;

/// The type that co_await of a T yields; T itself if it is not an awaitable.
template <class T>
struct awaited {
  using type = T;
};
template <class T, class Executor>
struct awaited<boost::asio::awaitable<T, Executor>> {
  using type = T;
};

}  // namespace quarq::detail
