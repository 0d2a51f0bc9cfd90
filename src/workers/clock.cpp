#include "workers/clock.hpp"

#include <boost/asio/this_coro.hpp>

namespace quarq::workers {

awaitable<void> sleep_for(clock& by, milliseconds duration) {
  async::auto_reset_event never(co_await boost::asio::this_coro::executor);
  co_await by.wait_until(never, by.now() + duration);
}

}  // namespace quarq::workers
