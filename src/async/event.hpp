// One coroutine waits, others on the same loop wake it.
#pragma once

#include <chrono>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <quarq/awaitable.hpp>

namespace quarq::async {

/// Auto-reset: set() ends one wait, the present one or else the next. For one waiter at a time, on one loop.
class event {
 public:
  explicit event(boost::asio::any_io_executor loop) : timer_(std::move(loop)) {}

  void set() {
    set_ = true;
    timer_.cancel();
  }

  awaitable<void> wait() { return wait_until(boost::asio::steady_timer::time_point::max()); }

  /// Returns at the latest after `max`.
  awaitable<void> wait_for(std::chrono::milliseconds max) {
    return wait_until(boost::asio::steady_timer::clock_type::now() + max);
  }

 private:
  awaitable<void> wait_until(boost::asio::steady_timer::time_point when);

  boost::asio::steady_timer timer_;
  bool set_ = false;
};

}  // namespace quarq::async
