// A timer that a coroutine sleeps on, within reach of who may wake it.
#pragma once

#include <boost/asio/steady_timer.hpp>

namespace quarq::broker::redis {

/// Makes a timer of a coroutine's frame known for as long as it is there.
class known_timer {
 public:
  known_timer(boost::asio::steady_timer*& place, boost::asio::steady_timer& timer) : place_(place) {
    place_ = &timer;
  }
  known_timer(const known_timer&) = delete;
  known_timer& operator=(const known_timer&) = delete;
  ~known_timer() { place_ = nullptr; }

 private:
  boost::asio::steady_timer*& place_;
};

}  // namespace quarq::broker::redis
