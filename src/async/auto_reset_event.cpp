#include "async/auto_reset_event.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace quarq::async {

namespace asio = boost::asio;

awaitable<void> auto_reset_event::wait_until(asio::steady_timer::time_point when) {
  if (!set_) {
    boost::system::error_code ec;
    timer_.expires_at(when);
    co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ec));
    // set() cancels the timer as well; only the caller's own cancellation is an error.
    const auto state = co_await asio::this_coro::cancellation_state;
    const bool was_cancelled = state.cancelled() != asio::cancellation_type::none;
    if (was_cancelled) throw boost::system::system_error(asio::error::operation_aborted);
  }
  set_ = false;
}

}  // namespace quarq::async
