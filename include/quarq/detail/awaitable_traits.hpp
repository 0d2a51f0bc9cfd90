// What a function returns, seen through its awaitable.
#pragma once

#include <boost/asio/awaitable.hpp>

#include <quarq/detail/must_await.hpp>

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
