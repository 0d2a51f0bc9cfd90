// The time by which a worker's roles wait: a parameter, so that tests set it.
#pragma once

#include <chrono>

#include <boost/asio/any_io_executor.hpp>

#include <quarq/awaitable.hpp>

#include "async/auto_reset_event.hpp"

namespace quarq::workers {

using std::chrono::milliseconds;

class clock {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  virtual ~clock() = default;
  /// Thread-safe.
  virtual time_point now() const noexcept = 0;
  /// Returns when `woken` is set, at the latest at `until`.
  virtual awaitable<void> wait_until(async::auto_reset_event& woken, time_point until) = 0;
};

class steady_clock final : public clock {
 public:
  time_point now() const noexcept override { return std::chrono::steady_clock::now(); }
  awaitable<void> wait_until(async::auto_reset_event& woken, time_point until) override {
    return woken.wait_until(until);
  }
};

awaitable<void> sleep_for(clock& by, milliseconds duration);

}  // namespace quarq::workers
