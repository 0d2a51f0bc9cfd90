#include "workers/clock.hpp"

#include <boost/asio/this_coro.hpp>
#include <time.h>

namespace quarq::workers {

clock::time_point machine_clock::read() noexcept {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return time_point(std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec));
}

// Asio's timers are on a clock that stands still while the machine is suspended.
awaitable<void> machine_clock::wait_until(async::auto_reset_event& woken, time_point until) {
  if (until == time_point::max()) return woken.wait();
  return woken.wait_until(std::chrono::steady_clock::now() + (until - now()));
}

awaitable<void> sleep_for(clock& by, milliseconds duration) {
  async::auto_reset_event never(co_await boost::asio::this_coro::executor);
  co_await by.wait_until(never, by.now() + duration);
}

}  // namespace quarq::workers
