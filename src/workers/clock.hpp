// The time by which a worker's roles decide and wait: a parameter, so that tests set it.
#pragma once

#include <chrono>

#include <boost/asio/any_io_executor.hpp>

#include <quarq/awaitable.hpp>

#include "async/auto_reset_event.hpp"

namespace quarq::workers {

using std::chrono::milliseconds;

class clock {
 public:
  /// Of the machine's run, as the kernel's CLOCK_BOOTTIME. Not to be compared with std::chrono::steady_clock::now().
  using time_point = std::chrono::steady_clock::time_point;

  virtual ~clock() = default;
  /// Thread-safe.
  virtual time_point now() const noexcept = 0;
  /// Returns when `woken` is set, at the latest at `until`.
  virtual awaitable<void> wait_until(async::auto_reset_event& woken, time_point until) = 0;
};

/// Nobody sets it, and it goes on while the machine is suspended or its virtual machine paused: leases run out meanwhile, and
/// a worker must not start jobs under one of which it only believes that it is still its own.
class machine_clock final : public clock {
 public:
  using reader = time_point (*)() noexcept;
  /// CLOCK_BOOTTIME. Thread-safe.
  static time_point read() noexcept;

  explicit machine_clock(reader read_by = read) : read_(read_by) {}
  time_point now() const noexcept override { return read_(); }
  /// Where the machine is suspended meanwhile, later by as long: timers stand still then.
  awaitable<void> wait_until(async::auto_reset_event& woken, time_point until) override;

 private:
  reader read_;
};

awaitable<void> sleep_for(clock& by, milliseconds duration);

}  // namespace quarq::workers
