// The coroutine type that every asynchronous function of quarq returns.
#pragma once

#include <boost/asio/awaitable.hpp>

#include <quarq/detail/awaitable_traits.hpp>
#include <quarq/detail/named_argument.hpp>

// Made by CMake, installed with the library; absent where only the source tree is read.
#if __has_include(<quarq/detail/build_config.hpp>)
#include <quarq/detail/build_config.hpp>
#endif

namespace quarq {

/// A lazily started coroutine that yields T. The type is Boost.Asio's own, so any Asio program can await
/// quarq's functions, and a quarq handler can await any Asio operation. Move-only; await it exactly once.
template <class T = void>
using awaitable = boost::asio::awaitable<T>;

}  // namespace quarq
