#include "redis/connection_driver.hpp"

#include <exception>
#include <utility>
#include <variant>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/query.hpp>
#include <boost/system/system_error.hpp>

#include "base/log.hpp"

namespace quarq::redis {

namespace asio = boost::asio;
using boost::system::error_code;
using clock = request::clock;

namespace {

constexpr std::size_t read_bytes = std::size_t{64} << 10;

std::string text_of(const error_code& ec) {
  return ec == asio::error::eof ? "the server closed the connection" : ec.message();
}

}  // namespace

connection_driver::connection_driver(asio::any_io_executor loop, connection_options options)
    : loop_(std::move(loop)), fsm_(std::move(options)) {
  if (!fsm_.options().sentinel.hosts.empty()) {
    resolver_ = std::make_shared<sentinel_resolver>(loop_, fsm_.options());
  }
}

std::shared_ptr<connection_driver> connection_driver::make(asio::any_io_executor loop,
                                                           connection_options options) {
  auto& context = asio::query(loop, asio::execution::context);
  auto driver = std::make_shared<connection_driver>(std::move(loop), std::move(options));
  async::loop_lifetime::of(context)->add(driver);
  return driver;
}

// ---------------------------------------------------------------- calls of users

void connection_driver::submit(request_ptr r) {
  fsm_.submit(std::move(r), clock::now());
  perform_actions();
}

void connection_driver::cancel(const request_ptr& r) {
  fsm_.cancel(r);
  perform_actions();
}

void connection_driver::add_subscription(std::string channel, receiver to) {
  fsm_.add_subscription(std::move(channel), std::move(to));
}

void connection_driver::remove_subscription(std::string_view channel) {
  fsm_.remove_subscription(channel, clock::now());
  perform_actions();
}

void connection_driver::remove_subscription(const std::string& channel, const receiver& to) {
  if (fsm_.subscriber(channel) == to) remove_subscription(channel);
}

void connection_driver::expect_messages(bool on) {
  fsm_.expect_messages(on, clock::now());
  perform_actions();
}

void connection_driver::close() {
  on_reconnect_.clear();
  on_rest_.clear();
  fsm_.close();
  if (resolver_) resolver_->stop();
  perform_actions();
  resting_.reset();  // it holds this
}

void connection_driver::loop_destroyed() noexcept {
  socket_.reset();
  timer_.reset();
  timer_at_.reset();
  // A waiting coroutine may own the connection, and is destroyed at the end of this function: by then, the
  // members must be empty.
  const auto requests = fsm_.on_loop_destroyed();
  const auto notifications = dispatcher_.take_all();
  const auto listeners = std::exchange(on_reconnect_, {});
  const auto rest_listeners = std::exchange(on_rest_, {});
  const auto resting = std::move(resting_);
}

// ---------------------------------------------------------------- actions of the machine

void connection_driver::perform_actions() {
  if (!fsm_.actions().empty()) {
    // An action may lead to others at once.
    auto batch = std::exchange(fsm_.actions(), std::exchange(spare_, {}));
    for (auto& each : batch) std::visit([this](auto& what) { perform(what); }, each);
    batch.clear();
    spare_ = std::move(batch);
  }
  if (!fsm_.notifications().empty()) {
    dispatcher_.add(fsm_.notifications());
    post_notifications();
  }
  set_timer();
}

void connection_driver::perform(start_attempt&) {
  const auto to = std::make_shared<socket>(loop_);
  to->on_progress = [self = shared_from_this()] { self->fsm_.on_data(clock::now()); };
  to->on_written = [self = shared_from_this(), to = to.get()](const std::string& failure) {
    if (self->socket_.lock().get() != to) return;
    self->fsm_.on_written(failure, clock::now());
    self->perform_actions();
  };
  socket_ = to;
  is_attempt_running_ = true;
  asio::co_spawn(loop_, attempt(shared_from_this(), to, socket_state::fresh), asio::detached);
}

void connection_driver::perform(start_write&) {
  const auto to = socket_.lock();
  if (!to) return;
  to->out.swap(fsm_.output());
  to->write();
}

void connection_driver::perform(schedule_flush&) {
  asio::post(loop_, [self = shared_from_this()] {
    self->fsm_.on_flush(clock::now());
    self->perform_actions();
  });
}

void connection_driver::perform(start_rest&) {
  resting_ = socket_.lock();
  if (resting_) resting_->stop_reading();
  const auto all = on_rest_;
  for (const auto& f : all) f();
}

void connection_driver::perform(end_rest&) {
  const auto to = std::move(resting_);
  // If it has not noticed yet that it was to stop, it goes on.
  if (!to || std::exchange(is_attempt_running_, true)) return;
  asio::co_spawn(loop_, attempt(shared_from_this(), to, socket_state::rested), asio::detached);
}

void connection_driver::perform(disconnect& d) {
  if (const auto current = socket_.lock()) current->drop(d.why);
}

void connection_driver::perform(distrust_sentinel&) {
  resolver_->distrust();
}

void connection_driver::perform(write_log& w) {
  if (w.is_warning) {
    base::log().warn("{}", w.text);
  } else {
    base::log().info("{}", w.text);
  }
}

void connection_driver::set_timer() {
  const auto at = fsm_.deadline();
  if (at && at == timer_at_) return;
  timer_at_ = at;
  if (!at) {
    timer_.reset();
    return;
  }
  if (!timer_) timer_.emplace(loop_);
  timer_->expires_at(*at);
  timer_->async_wait([self = shared_from_this()](error_code ec) {
    if (ec) return;  // set to another time
    self->timer_at_.reset();
    self->fsm_.on_deadline(clock::now(), self->progress());
    self->perform_actions();
  });
}

// ---------------------------------------------------------------- one attempt

awaitable<void> connection_driver::attempt(std::shared_ptr<connection_driver> self, socket_ptr to,
                                           socket_state begin) {
  disconnect_reason reason;
  try {
    if (begin == socket_state::fresh) co_await self->connect(to);
    co_await self->receive(to);
    if (self->resting_) {
      self->is_attempt_running_ = false;
      co_return;
    }
  } catch (const permanent_error& e) {
    reason = {e.what(), true};
  } catch (const boost::system::system_error& e) {
    reason = {text_of(e.code())};
  } catch (const std::exception& e) {
    reason = {e.what()};
  }
  to->drop(reason.why);
  self->socket_.reset();
  self->is_attempt_running_ = false;
  self->fsm_.on_disconnected(reason, clock::now(), std::generate_canonical<double, 32>(self->random_));
  self->perform_actions();
}

awaitable<void> connection_driver::connect(socket_ptr to) {
  auto where = co_await resolve();
  co_await to->open(where);
  to->step = "waiting for the first answers";
  fsm_.on_connected(clock::now());
  perform_actions();
}

awaitable<connection_options> connection_driver::resolve() {
  if (!resolver_) co_return fsm_.options();
  auto where = co_await sentinel_resolver::resolve(resolver_);
  fsm_.on_resolved(resolver_->master(), resolver_->sentinel(), clock::now());
  perform_actions();
  co_return where;
}

awaitable<void> connection_driver::receive(socket_ptr from) {
  reply r;
  while (fsm_.expects_replies() && !resting_) {
    auto space = from->parser.prepare(read_bytes);
    std::size_t n = 0;
    try {
      n = co_await from->read_some(space);
    } catch (const boost::system::system_error& e) {
      if (e.code() != asio::error::operation_aborted || from->dropped()) throw;
      continue;  // stop_reading(), after which it may be read from again
    }
    from->parser.commit(n);
    const auto now = clock::now();
    fsm_.on_data(now);
    while (fsm_.expects_replies() && from->parser.next(r)) fsm_.on_reply(std::move(r), now);
    perform_actions();
  }
}

attempt_progress connection_driver::progress() const {
  attempt_progress now;
  if (const auto current = socket_.lock()) {
    now.step = current->step;
    now.unsent = current->unsent();
  }
  if (resolver_) now.search = resolver_->progress();
  return now;
}

// ---------------------------------------------------------------- calling users

void connection_driver::post_notifications() {
  if (!dispatcher_.must_post()) return;
  asio::post(loop_, [self = shared_from_this()] { self->deliver_all(); });
}

void connection_driver::deliver_all() {
  try {
    dispatcher_.run([this](notification& n) { std::visit([this](auto& what) { deliver(what); }, n); });
  } catch (...) {
    // A user's handler threw, into the loop's run(), which may be called again.
    post_notifications();
    throw;
  }
}

void connection_driver::deliver(completion& c) {
  c.handler->complete(std::move(c.failure), std::move(c.content));
}

void connection_driver::deliver(message& m) {
  const auto to = fsm_.subscriber(m.channel);
  if (to) (*to)(m.text);
}

void connection_driver::deliver(reconnected&) {
  // One of them may close the connection, or register another.
  const auto all = on_reconnect_;
  for (const auto& f : all) {
    if (fsm_.current() != connection_fsm::phase::closed) f();
  }
}

}  // namespace quarq::redis
