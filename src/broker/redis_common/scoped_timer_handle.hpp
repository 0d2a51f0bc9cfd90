// Gives others access to the timer on which a coroutine sleeps, so that they can wake it.
#pragma once

#include <boost/asio/steady_timer.hpp>

namespace quarq::broker::redis_common {

/// Makes a timer of a coroutine's frame known for as long as it is there.
class scoped_timer_handle {
 public:
  scoped_timer_handle(boost::asio::steady_timer*& place, boost::asio::steady_timer& timer) : place_(place) {
    place_ = &timer;
  }
  scoped_timer_handle(const scoped_timer_handle&) = delete;
  scoped_timer_handle& operator=(const scoped_timer_handle&) = delete;
  ~scoped_timer_handle() { place_ = nullptr; }

 private:
  boost::asio::steady_timer*& place_;
};

}  // namespace quarq::broker::redis_common
