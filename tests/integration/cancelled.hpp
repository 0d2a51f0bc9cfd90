// Cancelling what a test awaits, at a moment of its choice.
#pragma once

#include <functional>
#include <utility>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include "integration/worker_test.hpp"

namespace quarq::test {

/// Whether it ended as what was cancelled does.
inline bool is_aborted(const thrown& t) {
  const auto* error = t.as<boost::system::system_error>();
  return error != nullptr && error->code() == boost::asio::error::operation_aborted;
}

/// Begins the work, cancels it when `when` holds (which may be at once), and tells how it ended.
template <class T>
awaitable<thrown> cancelled_when(awaitable<T> work, std::function<bool()> when) {
  const auto loop = co_await boost::asio::this_coro::executor;
  boost::asio::cancellation_signal signal;
  bool ended = false;
  thrown t;
  auto noting = error_of(std::move(work));
  boost::asio::co_spawn(
      loop, std::move(noting),
      boost::asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr, thrown got) {
        t = std::move(got);
        ended = true;
      }));
  if (!when()) co_await until(std::move(when));
  signal.emit(boost::asio::cancellation_type::terminal);
  co_await until([&] { return ended; });
  co_return t;
}

}  // namespace quarq::test
