#include "http/websocket/websocket_link.hpp"

#include <array>
#include <exception>
#include <utility>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>

#include "async/activity.hpp"
#include "http/websocket/utf8_checker.hpp"

namespace quarq::http::ws {

namespace asio = boost::asio;
using asio::ip::tcp;
using clock = std::chrono::steady_clock;
using phase = connection_fsm::phase;

namespace {

// What one read takes at most. All of a thread's WebSockets use it in turn, so none needs space of its own.
constexpr std::size_t read_at_once = std::size_t{64} << 10;
// Then others have their turn.
constexpr int reads_in_a_row = 4;

std::span<char> read_space() {
  static thread_local std::array<char, read_at_once> space;
  return space;
}

void check_text(std::string_view text) {
  utf8_checker checker;
  if (!checker.feed(text) || !checker.is_complete()) {
    throw usage_error("a text message must be UTF-8; send other bytes as a binary one");
  }
}

void check_close(std::uint16_t code, std::string_view reason) {
  if (!may_be_sent(code)) {
    throw usage_error("a WebSocket can't be closed with code " + std::to_string(code) +
                      ": use 1000 to 1003, 1007 to 1014, or one of your own from 4000 to 4999");
  }
  if (reason.size() > max_close_reason) {
    throw usage_error("the reason for closing a WebSocket has " + std::to_string(reason.size()) +
                      " bytes: at most 123 are allowed");
  }
  utf8_checker checker;
  if (!checker.feed(reason) || !checker.is_complete()) {
    throw usage_error("the reason for closing a WebSocket must be UTF-8");
  }
}

}  // namespace

settings settings_of(role self, const websocket_options& options, const agreement& agreed) {
  settings how;
  how.self = self;
  how.limits = {options.max_message, options.max_fragments};
  how.agreed = agreed.compressed;
  how.ping_interval = options.ping_interval;
  how.idle_timeout = options.idle_timeout;
  how.close_timeout = options.close_timeout;
  how.send_mark = options.send_mark;
  how.when_full = options.when_full;
  return how;
}

std::shared_ptr<websocket_link> websocket_link::start(std::shared_ptr<stream> connected,
                                                      std::string_view unread, role self,
                                                      const websocket_options& options, agreement agreed) {
  const auto how = settings_of(self, options, agreed);
  auto link = std::make_shared<websocket_link>(std::move(connected), how, std::move(agreed));
  std::string bytes(unread);
  if (!bytes.empty()) link->fsm_.on_data(bytes, clock::now());
  link->drive();
  return link;
}

websocket_link::websocket_link(std::shared_ptr<stream> connected, const settings& how, agreement agreed)
    : stream_(std::move(connected)),
      loop_(async::without_activity(stream_->socket().get_executor())),
      deadlines_(loop_deadlines::of(asio::query(loop_, asio::execution::context))),
      subprotocol_(std::move(agreed.subprotocol)),
      fsm_(how, clock::now()) {}

websocket_link::~websocket_link() {
  deadlines_->set(*this, std::nullopt);
}

// ---- calls of users

awaitable<message> websocket_link::receive() {
  const auto self = shared_from_this();
  // Before a message is taken: it would be lost if this is cancelled.
  if (receiving_.is_over()) co_await async::next_turn();
  while (!fsm_.has_message()) {
    fsm_.on_reader_waits(clock::now());
    drive();
    if (fsm_.is_over()) throw_closed();
    co_await receivers_.wait();
    receiving_.begin();
  }
  receiving_.spend();
  auto first = fsm_.take_message(clock::now());
  drive();
  co_return first;
}

awaitable<bool> websocket_link::send(std::string_view payload, bool is_text) {
  if (is_text) check_text(payload);
  const auto self = shared_from_this();
  bool must_wait = !senders_.empty() || senders_.handed() > 0;
  while (true) {
    if (!is_open()) throw_closed();
    if (!must_wait) {
      const auto sent = fsm_.send(payload, is_text, clock::now());
      drive();
      if (sent == connection_fsm::sent::queued) co_return true;
      if (!is_open()) throw_closed();
      if (sent == connection_fsm::sent::dropped) co_return false;
    }
    co_await senders_.wait();
    must_wait = false;
  }
}

bool websocket_link::try_send(std::string_view payload, bool is_text) {
  if (is_text) check_text(payload);
  if (!is_open() || !senders_.empty() || senders_.handed() > 0) return false;
  const auto sent = fsm_.send(payload, is_text, clock::now());
  drive();
  return sent == connection_fsm::sent::queued;
}

awaitable<std::chrono::nanoseconds> websocket_link::ping() {
  const auto self = shared_from_this();
  if (!is_open()) throw_closed();
  const auto begin = clock::now();
  const auto number = fsm_.ping();
  drive();
  while (fsm_.pongs_through() < number) {
    if (!is_open()) throw_closed();
    co_await pingers_.wait();
  }
  co_return clock::now() - begin;
}

void websocket_link::begin_closing(std::uint16_t code, std::string_view reason) {
  check_close(code, reason);
  fsm_.close(code, reason, clock::now());
  drive();
}

awaitable<void> websocket_link::close(std::uint16_t code, std::string_view reason) {
  const auto self = shared_from_this();
  begin_closing(code, reason);
  while (!fsm_.has_finished()) co_await closers_.wait();
}

awaitable<void> websocket_link::wait_closed() {
  const auto self = shared_from_this();
  while (fsm_.current() != phase::closed) co_await closers_.wait();
}

void websocket_link::throw_closed() const {
  throw websocket_closed(fsm_.end().code, fsm_.end().reason);
}

// ---- the connection

void websocket_link::on_deadline() {
  const auto self = shared_from_this();
  fsm_.on_deadline(clock::now());
  drive();
}

void websocket_link::drive() {
  if (fsm_.current() == phase::closed) {
    stream_->close();
    deadlines_->set(*this, std::nullopt);
    wake_users();
    return;
  }
  deadlines_->wake_by(*this, fsm_.deadline());
  if (!is_writing_ && (fsm_.has_output() || (fsm_.ends_output() && !has_said_end_))) {
    is_writing_ = true;
    write_soon();
  }
  if (!is_reading_ && fsm_.wants_read()) {
    is_reading_ = true;
    if (stream_->has_tls()) {
      asio::co_spawn(loop_, read_loop(shared_from_this()), asio::detached);
    } else {
      wait_readable();
    }
  }
  wake_users();
}

void websocket_link::wake_users() {
  if (fsm_.has_message() || fsm_.is_over()) receivers_.end_all(true);
  if (!is_open()) {
    senders_.end_all(true);
  } else if (fsm_.has_room() && senders_.handed() == 0) {
    senders_.hand_one();
  }
  pingers_.end_all(true);
  if (fsm_.has_finished()) closers_.end_all(true);
}

// Without TLS a WebSocket that is idle has no coroutine of its own: of ten thousand they would be ten megabytes.
void websocket_link::wait_readable() {
  auto read = [self = shared_from_this()](const boost::system::error_code& failure) {
    self->on_readable(failure);
  };
  stream_->socket().async_wait(tcp::socket::wait_read, asio::bind_executor(loop_, std::move(read)));
}

void websocket_link::on_readable(const boost::system::error_code& failure) {
  std::string why;
  try {
    if (failure) throw boost::system::system_error(failure);
    read_some();
  } catch (const std::exception& e) {
    why = e.what();
  }
  if (why.empty() && fsm_.wants_read()) {
    wait_readable();
  } else {
    end_reading(why);
  }
}

void websocket_link::end_reading(const std::string& failure) {
  is_reading_ = false;
  if (!failure.empty()) fsm_.on_lost(failure);
  drive();
}

awaitable<void> websocket_link::read_loop(std::shared_ptr<websocket_link> self) {
  std::string why;
  try {
    co_await self->read_all();
  } catch (const std::exception& failure) {
    why = failure.what();
  }
  self->end_reading(why);
}

awaitable<void> websocket_link::read_all() {
  while (fsm_.wants_read()) {
    const bool may_be_more = read_some();
    if (!fsm_.wants_read()) break;
    if (may_be_more) {
      co_await asio::post(loop_, asio::deferred);
    } else {
      co_await stream_->wait_readable();
    }
  }
}

// Returns false once nothing is there.
bool websocket_link::read_some() {
  for (int i = 0; i < reads_in_a_row && fsm_.wants_read(); ++i) {
    const auto space = read_space();
    const auto size = stream_->try_read(space);
    if (!size) return false;
    if (*size == 0) {
      fsm_.on_end();
    } else {
      fsm_.on_data(space.first(*size), clock::now());
    }
    drive();
    // The kernel had no more; of TLS a record may be left.
    if (*size < space.size() && !stream_->has_tls()) return false;
  }
  return true;
}

// In the loop's next turn, so that all that is sent in this one goes together.
void websocket_link::write_soon() {
  asio::post(loop_, [self = shared_from_this()] { self->write_now(); });
}

// Most output fits into the kernel's buffer, and needs no coroutine.
void websocket_link::write_now() {
  std::string why;
  try {
    if (!write_without_waiting()) return;
  } catch (const std::exception& failure) {
    why = failure.what();
  }
  end_writing(why);
}

// Returns false once a coroutine goes on.
bool websocket_link::write_without_waiting() {
  while (fsm_.has_output()) {
    auto bytes = fsm_.take_output();
    const auto sent = stream_->try_write(bytes);
    if (sent < bytes.size()) {
      asio::co_spawn(loop_, write_loop(shared_from_this(), std::move(bytes), sent), asio::detached);
      return false;
    }
    fsm_.on_written();
    drive();
  }
  if (!fsm_.ends_output() || has_said_end_) return true;
  asio::co_spawn(loop_, write_loop(shared_from_this(), {}, 0), asio::detached);
  return false;
}

awaitable<void> websocket_link::write_loop(std::shared_ptr<websocket_link> self, std::string begun,
                                           std::size_t sent) {
  std::string why;
  const auto left = std::string_view(begun).substr(sent);
  try {
    co_await self->write_all(left);
  } catch (const std::exception& failure) {
    why = failure.what();
  }
  self->end_writing(why);
}

void websocket_link::end_writing(const std::string& failure) {
  is_writing_ = false;
  if (!failure.empty()) fsm_.on_lost(failure);
  drive();
}

awaitable<void> websocket_link::write_all(std::string_view begun) {
  if (!begun.empty()) {
    co_await stream_->write(begun);
    fsm_.on_written();
    drive();
  }
  while (fsm_.has_output()) {
    const auto bytes = fsm_.take_output();
    co_await stream_->write(bytes);
    fsm_.on_written();
    drive();
  }
  if (!fsm_.ends_output() || has_said_end_) co_return;
  has_said_end_ = true;
  co_await stream_->say_end();
}

}  // namespace quarq::http::ws
