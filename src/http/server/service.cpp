#include "http/server/service.hpp"

#include <exception>
#include <iterator>
#include <utility>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <quarq/time.hpp>

#include "base/log.hpp"
#include "http/server/connection.hpp"

namespace quarq::http {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

service::service(asio::any_io_executor loop, std::shared_ptr<const server_setup> made, tcp::acceptor port)
    : wheel(loop),
      loop_(std::move(loop)),
      setup_(std::move(made)),
      acceptor_(std::move(port)),
      watching_(loop_) {}

void service::stop() {
  ++stop_requests_;
  hurry_ = stop_requests_ > 1;
  error_code ignored;
  acceptor_.cancel(ignored);
  progress_.set();
}

awaitable<void> service::run() {
  std::exception_ptr failure;
  try {
    co_await accept_until_stop();
  } catch (...) {
    failure = std::current_exception();
  }
  // What was cancelled is over at once, but its handlers are waited for.
  co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
  if (failure) {
    stop_requests_ += 1;
    hurry_ = true;
  }
  co_await end_connections();
  watching_.cancel();
  if (failure) std::rethrow_exception(failure);
}

awaitable<void> service::accept_until_stop() {
  // So that there is something to wait for where descriptors or memory have run out.
  constexpr std::chrono::milliseconds pause_after_error{100};
  while (!is_stopping()) {
    if (connections_.size() >= setup_->options.max_connections) {
      progress_.clear();
      co_await progress_.wait();
      continue;
    }
    error_code ec;
    auto socket = co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, ec));
    if (!ec) {
      begin(std::move(socket));
      continue;
    }
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) throw boost::system::system_error(ec);
    if (is_stopping() || ec == asio::error::connection_aborted) continue;
    base::log().warn("can't accept a connection: {}", ec.message());
    co_await sleep_for(pause_after_error);
  }
}

// What the kernel has accepted would be reset when the port is closed.
void service::accept_what_waits() {
  error_code ec;
  acceptor_.non_blocking(true, ec);
  while (!ec && connections_.size() < setup_->options.max_connections) {
    tcp::socket socket(loop_);
    acceptor_.accept(socket, ec);
    if (!ec) begin(std::move(socket));
  }
  acceptor_.close(ec);
}

void service::begin(tcp::socket socket) {
  auto made = std::make_shared<connection>(shared_from_this(), std::move(socket));
  connections_.push_back(made);
  const auto place = std::prev(connections_.end());
  // Also when the loop is destroyed, and the coroutine with it: a connection holds its service.
  std::shared_ptr<void> listed(
      nullptr, [self = shared_from_this(), place](void*) { self->connections_.erase(place); });
  auto ended = [this, listed = std::move(listed)](const std::exception_ptr&) mutable {
    const auto self = shared_from_this();
    listed.reset();
    progress_.set();
  };
  asio::co_spawn(loop_, made->run(), asio::bind_cancellation_slot(made->cancellation(), std::move(ended)));
}

void service::watch_later(std::weak_ptr<connection> one) {
  constexpr std::chrono::milliseconds moment{10};
  to_watch_.push_back(std::move(one));
  if (to_watch_.size() > 1) return;  // the timer runs
  watching_.expires_after(moment);
  watching_.async_wait([weak = weak_from_this()](const error_code& ec) {
    const auto self = weak.lock();
    if (self && !ec) self->watch_sockets();
  });
}

void service::watch_sockets() {
  for (const auto& one : std::exchange(to_watch_, {})) {
    if (const auto connected = one.lock()) connected->watch_socket();
  }
}

void service::cancel_all() {
  // One that ends within the call takes itself out of the list.
  const std::vector<std::shared_ptr<connection>> all(connections_.begin(), connections_.end());
  for (const auto& one : all) one->cancel();
}

awaitable<void> service::end_connections() {
  accept_what_waits();
  for (const auto& one : connections_) one->end();
  asio::steady_timer limit(loop_, setup_->options.shutdown_timeout);
  // It may be on its way when the wait is over.
  limit.async_wait([self = shared_from_this()](const error_code& ec) {
    if (ec) return;
    self->hurry_ = true;
    self->progress_.set();
  });
  bool cancelled_all = false;
  while (!connections_.empty()) {
    if (hurry_ && !std::exchange(cancelled_all, true)) cancel_all();
    progress_.clear();
    if (connections_.empty()) break;
    std::exception_ptr cancelled;
    try {
      co_await progress_.wait();
    } catch (...) {
      cancelled = std::current_exception();
    }
    if (cancelled) {
      hurry_ = true;
      co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
    }
  }
  limit.cancel();
}

}  // namespace quarq::http
