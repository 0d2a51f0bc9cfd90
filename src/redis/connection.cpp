#include "redis/connection.hpp"

#include <exception>
#include <type_traits>
#include <utility>

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "async/activity.hpp"
#include "redis/connection_driver.hpp"

namespace quarq::redis {

namespace asio = boost::asio;

namespace {

using driver_ptr = std::shared_ptr<connection_driver>;

template <class Handler>
class erased_handler final : public completion_handler {
 public:
  explicit erased_handler(Handler handler) : handler_(std::move(handler)) {}
  void complete(std::exception_ptr failure, reply content) override {
    async::complete_in_activity(std::move(handler_), std::move(failure), std::move(content));
  }

 private:
  Handler handler_;
};

class on_cancel {
 public:
  on_cancel(std::weak_ptr<connection_driver> driver, std::weak_ptr<request> r)
      : driver_(std::move(driver)), request_(std::move(r)) {}
  void operator()(asio::cancellation_type) {
    const auto driver = driver_.lock();
    const auto r = request_.lock();
    if (driver && r) driver->cancel(r);
  }

 private:
  std::weak_ptr<connection_driver> driver_;
  std::weak_ptr<request> request_;
};

// Begins a request, for async_initiate.
class initiate_request {
 public:
  initiate_request(driver_ptr driver, request_ptr r) : driver_(std::move(driver)), request_(std::move(r)) {}
  template <class Handler>
  void operator()(Handler&& handler) {
    auto slot = asio::get_associated_cancellation_slot(handler);
    if (slot.is_connected()) slot.template emplace<on_cancel>(driver_, request_);
    using erased = erased_handler<std::decay_t<Handler>>;
    request_->handler = std::make_unique<erased>(std::forward<Handler>(handler));
    driver_->submit(std::move(request_));
  }

 private:
  driver_ptr driver_;
  request_ptr request_;
};

awaitable<reply> send_request(driver_ptr driver, request_ptr r) {
  initiate_request begin(std::move(driver), std::move(r));
  return asio::async_initiate<const asio::use_awaitable_t<>, void(std::exception_ptr, reply)>(
      std::move(begin), asio::use_awaitable);
}

awaitable<void> send_subscribe(driver_ptr driver, std::string channel,
                               std::function<void(std::string_view)> receive) {
  const auto to = std::make_shared<const std::function<void(std::string_view)>>(std::move(receive));
  driver->add_subscription(channel, to);
  auto r = make_subscription(request::kind::subscribe, channel);
  try {
    co_await send_request(driver, r);
  } catch (...) {
    driver->remove_subscription(channel, to);
    throw;
  }
}

}  // namespace

connection::connection(asio::any_io_executor loop, connection_options options)
    : driver_(connection_driver::make(std::move(loop), std::move(options))) {}

connection::~connection() {
  driver_->close();
}

awaitable<reply> connection::command(std::vector<std::string> args) {
  return send_request(driver_, make_request(args));
}

awaitable<reply> connection::run(const script& source, std::vector<std::string> keys,
                                 std::vector<std::string> arguments) {
  return send_request(driver_, make_evalsha(source, std::move(keys), std::move(arguments)));
}

awaitable<reply> connection::run(const script& source, std::string_view key,
                                 std::span<const std::string_view> arguments) {
  return send_request(driver_, make_evalsha(source, key, arguments));
}

awaitable<void> connection::subscribe(std::string channel, std::function<void(std::string_view)> receive) {
  return send_subscribe(driver_, std::move(channel), std::move(receive));
}

void connection::unsubscribe(std::string_view channel) {
  driver_->remove_subscription(channel);
}

void connection::expect_messages(bool on) {
  driver_->expect_messages(on);
}

void connection::on_rest(std::function<void()> f) {
  driver_->on_rest(std::move(f));
}

void connection::on_reconnect(std::function<void()> f) {
  driver_->on_reconnect(std::move(f));
}

}  // namespace quarq::redis
