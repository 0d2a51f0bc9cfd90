// Wakes one waiting coroutine; for use within one loop.
#pragma once

#include <chrono>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <quarq/awaitable.hpp>

namespace quarq::async {

/// set() ends one wait: the present one, or else the next. At most one coroutine may wait at a time. (The
/// public quarq::event is manual-reset and for many waiters.)
class auto_reset_event {
 public:
  explicit auto_reset_event(boost::asio::any_io_executor loop) : timer_(std::move(loop)) {}

  void set() {
    set_ = true;
    timer_.cancel();
  }

  awaitable<void> wait() { return wait_until(boost::asio::steady_timer::time_point::max()); }

  /// Returns after `max` at the latest.
  awaitable<void> wait_for(std::chrono::milliseconds max) {
    return wait_until(boost::asio::steady_timer::clock_type::now() + max);
  }

  awaitable<void> wait_until(boost::asio::steady_timer::time_point when);

 private:
  boost::asio::steady_timer timer_;
  bool set_ = false;
};

}  // namespace quarq::async
