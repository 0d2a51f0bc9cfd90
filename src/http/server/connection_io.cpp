#include "http/server/connection_io.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace quarq::http {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using boost::system::system_error;
using std::chrono::milliseconds;

namespace {

constexpr std::size_t max_idle_space = std::size_t{16} << 10;
constexpr std::size_t max_unsent = std::size_t{64} << 10;
constexpr milliseconds watch_interval{200};
constexpr auto as_read_result = asio::as_tuple(asio::deferred);

// Without this the kernel takes megabytes for a client that reads slowly.
void limit_unsent_in_kernel(tcp::socket& socket) {
  constexpr int max = 128 << 10;
  ::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &max, sizeof max);
}

}  // namespace

connection_io::connection_io(tcp::socket socket, deadline_wheel& wheel, std::size_t& in_flight,
                             milliseconds write_timeout, std::function<void()> peer_gone)
    : stream_(std::move(socket)),
      wheel_(wheel),
      in_flight_(in_flight),
      write_timeout_(write_timeout),
      peer_gone_(std::move(peer_gone)) {
  error_code ignored;
  stream_.socket().set_option(tcp::no_delay(true), ignored);
  limit_unsent_in_kernel(stream_.socket());
}

connection_io::~connection_io() {
  if (waiting_ == waits_for::handler) --in_flight_;
}

// ---- reading

awaitable<bool> connection_io::read_more(waits_for what, milliseconds max, std::size_t space) {
  const auto into = in.space(space);
  // A deadline that is set again and again by a peer that trickles would never pass.
  timed_out_ = max <= milliseconds(0);
  if (timed_out_) co_return false;
  wait_for(what, max);
  std::size_t size = 0;
  if (stream_.has_tls()) {
    size = co_await stream_.read_some(into);
  } else {
    // Without a coroutine of its own: each request waits here.
    auto reading = stream_.socket().async_read_some(asio::buffer(into.data(), into.size()), as_read_result);
    const auto [failure, read] = co_await std::move(reading);
    if (failure && failure != asio::error::eof && !timed_out_ && !stopped_) throw system_error(failure);
    size = read;
  }
  waiting_ = waits_for::nothing;
  in.add(size);
  co_return size > 0;
}

void connection_io::stop_reading() {
  stopped_ = true;
  error_code ignored;
  stream_.socket().cancel(ignored);
}

void connection_io::shrink() {
  in.shrink(max_idle_space);
  if (out.capacity() > max_unsent * 2 && out.empty()) out.shrink_to_fit();
}

// ---- sending

bool connection_io::queue_answer(std::size_t max_answers) {
  return ++answers_ >= max_answers || out.size() >= max_unsent;
}

bool connection_io::send_now() {
  if (out.empty()) return true;
  if (stream_.has_tls()) return false;
  while (sent_ < out.size()) {
    const auto size = ::send(stream_.socket().native_handle(), out.data() + sent_, out.size() - sent_,
                             MSG_NOSIGNAL | MSG_DONTWAIT);
    if (size >= 0) {
      sent_ += static_cast<std::size_t>(size);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      return false;
    } else if (errno != EINTR) {
      throw system_error(errno, boost::system::system_category());
    }
  }
  out.clear();
  sent_ = answers_ = 0;
  return true;
}

awaitable<void> connection_io::send_rest() {
  const bool watched = waiting_ == waits_for::handler;
  if (stream_.has_tls()) {
    // In parts: the deadline is for a client that takes nothing, not for a large answer.
    for (std::string_view rest = out; !rest.empty();) {
      const auto part = rest.substr(0, max_unsent);
      rest.remove_prefix(part.size());
      wait_for(waits_for::room, write_timeout_);
      co_await stream_.write(part);
    }
    out.clear();
    answers_ = 0;
  }
  while (!send_now()) {
    wait_for(waits_for::room, write_timeout_);
    co_await stream_.socket().async_wait(tcp::socket::wait_write, asio::use_awaitable);
  }
  if (watched) {
    watch_peer();
  } else {
    wait_for_nothing();
  }
}

// ---- the deadline

void connection_io::wait_for(waits_for what, milliseconds max) {
  if (waiting_ == waits_for::handler) --in_flight_;
  if (what == waits_for::handler) ++in_flight_;
  waiting_ = what;
  if (what == waits_for::nothing) {
    wheel_.clear(*this);
  } else {
    wheel_.set(*this, max);
  }
}

void connection_io::watch_peer() {
  wait_for(waits_for::handler, watch_interval);
}

void connection_io::watch_socket(const std::weak_ptr<void>& owner) {
  if (std::exchange(watches_socket_, true)) return;
  stream_.socket().async_wait(tcp::socket::wait_read, [this, owner](const error_code& ec) {
    const auto alive = owner.lock();
    if (!alive) return;
    watches_socket_ = false;
    if (ec || waiting_ != waits_for::handler) return;
    if (peer_is_gone()) {
      peer_gone_();
    } else if (is_quiet()) {
      watch_socket(owner);  // it was the request's body, which has been read since
    }
  });
}

void connection_io::deadline_passed() {
  switch (waiting_) {
    case waits_for::nothing:
      break;
    case waits_for::room:
      stream_.close();
      break;
    case waits_for::handler:
      if (peer_is_gone()) {
        peer_gone_();
      } else {
        watch_peer();
      }
      break;
    case waits_for::request:
    case waits_for::header:
    case waits_for::body:
      timed_out_ = true;
      error_code ignored;
      stream_.socket().cancel(ignored);
  }
}

bool connection_io::is_quiet() {
  char byte = 0;
  const auto size = ::recv(stream_.socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

// Behind what it has sent and we have not read, its end is not seen.
bool connection_io::peer_is_gone() {
  char byte = 0;
  const auto size = ::recv(stream_.socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return size == 0 || (size < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

void connection_io::close() {
  wait_for_nothing();
  stream_.close();
}

}  // namespace quarq::http
