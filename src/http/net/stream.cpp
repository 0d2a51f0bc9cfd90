#include "http/net/stream.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <exception>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/system_error.hpp>
#include <sys/socket.h>

#include <quarq/time.hpp>

namespace quarq::http {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using boost::system::system_error;

namespace {

constexpr auto as_result = asio::as_tuple(asio::deferred);
constexpr std::size_t encrypted_at_once = std::size_t{64} << 10;
// A record of TLS and what stands around it. One for all streams of a thread: nothing is kept in it.
constexpr std::size_t received_at_once = (std::size_t{16} << 10) + 512;
constexpr int max_quiet_receives = 4;
using received_bytes = std::array<char, received_at_once>;

received_bytes& received_space() {
  static thread_local received_bytes space;
  return space;
}

}  // namespace

std::string text_of(const tcp::endpoint& address) {
  const auto host = address.address().to_string();
  return (address.address().is_v6() ? "[" + host + "]" : host) + ":" + std::to_string(address.port());
}

stream::stream(tcp::socket socket) : socket_(std::move(socket)) {
  error_code ignored;
  socket_.non_blocking(true, ignored);
}

stream::~stream() {
  close();
}

awaitable<void> stream::start_tls(std::shared_ptr<const tls_context> context, std::string host) {
  tls_ = std::make_unique<tls_engine>(std::move(context), host);
  std::exception_ptr failure;
  while (true) {
    bool complete = false;
    try {
      complete = tls_->handshake();
    } catch (...) {
      failure = std::current_exception();
    }
    // Also after a failure: the peer gets to know why.
    co_await flush();
    if (failure) std::rethrow_exception(failure);
    if (complete) co_return;
    co_await receive();
    if (peer_ended_) throw tls_error("the peer closed the connection during the handshake");
  }
}

awaitable<std::size_t> stream::read_some(std::span<char> space) {
  if (tls_) return read_decrypted(space);
  const auto read = [](tcp::socket& from, std::span<char> into) -> awaitable<std::size_t> {
    auto reading = from.async_read_some(asio::buffer(into.data(), into.size()), as_result);
    const auto [failure, size] = co_await std::move(reading);
    if (failure == asio::error::eof) co_return 0;
    if (failure) throw system_error(failure);
    co_return size;
  };
  return read(socket_, space);
}

awaitable<std::size_t> stream::read_decrypted(std::span<char> space) {
  // What comes faster than it is decrypted would be read without ever waiting.
  reading_.spend();
  if (reading_.is_over()) co_await async::next_turn();
  while (true) {
    const auto got = tls_->read(space);
    if (got.state == tls_engine::read_state::data) co_return got.size;
    if (got.state == tls_engine::read_state::closed) co_return 0;
    // The peer may have asked for new keys.
    co_await flush();
    if (peer_ended_) throw tls_error("the connection was cut off: it ended without TLS' close_notify");
    co_await receive();
  }
}

// Returns false if nothing is there. Throws system_error.
bool stream::receive_now() {
  auto& space = received_space();
  const auto size = ::recv(socket_.native_handle(), space.data(), space.size(), MSG_DONTWAIT);
  if (size > 0) {
    tls_->feed({space.data(), static_cast<std::size_t>(size)});
    return true;
  }
  if (size == 0) {
    peer_ended_ = true;
    return true;
  }
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return false;
  throw system_error(errno, boost::system::system_category());
}

awaitable<void> stream::wait_readable() {
  // The peer may have asked for new keys.
  if (tls_) co_await flush();
  auto waiting = socket_.async_wait(tcp::socket::wait_read, as_result);
  const auto [failure] = co_await std::move(waiting);
  if (failure) throw system_error(failure);
}

std::optional<std::size_t> stream::try_read(std::span<char> space) {
  if (!tls_) {
    const auto size = ::recv(socket_.native_handle(), space.data(), space.size(), MSG_DONTWAIT);
    if (size >= 0) return static_cast<std::size_t>(size);
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return std::nullopt;
    throw system_error(errno, boost::system::system_category());
  }
  while (true) {
    const auto got = tls_->read(space);
    if (got.state == tls_engine::read_state::data) return got.size;
    if (got.state == tls_engine::read_state::closed) return 0;
    if (peer_ended_) throw tls_error("the connection was cut off: it ended without TLS' close_notify");
    if (!receive_now()) return std::nullopt;
  }
}

awaitable<void> stream::receive() {
  while (true) {
    const bool received = receive_now();
    if (received) co_return;
    // Rather than a read: an idle connection needs no buffer.
    auto waiting = socket_.async_wait(tcp::socket::wait_read, as_result);
    const auto [failure] = co_await std::move(waiting);
    if (failure) throw system_error(failure);
  }
}

awaitable<void> stream::flush() {
  tls_->take_output(unsent_);
  if (is_sending_ || unsent_.empty()) co_return;
  is_sending_ = true;
  std::string sending;
  while (!unsent_.empty()) {
    sending.swap(unsent_);
    unsent_.clear();
    auto writing = asio::async_write(socket_, asio::buffer(sending), as_result);
    const auto [failure, size] = co_await std::move(writing);
    sent_ += size;
    if (failure) throw system_error(failure);
    tls_->take_output(unsent_);
  }
  is_sending_ = false;
}

std::size_t stream::try_write(std::string_view bytes) {
  if (tls_) return 0;
  const auto size = ::send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (size >= 0) {
    sent_ += static_cast<std::uint64_t>(size);
    return static_cast<std::size_t>(size);
  }
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return 0;
  throw system_error(errno, boost::system::system_category());
}

awaitable<void> stream::write(std::string_view bytes) {
  return write(bytes, {});
}

awaitable<void> stream::write(std::string_view first, std::string_view second) {
  if (!tls_) {
    const std::array<asio::const_buffer, 2> both{asio::buffer(first), asio::buffer(second)};
    auto writing = asio::async_write(socket_, both, as_result);
    const auto [failure, size] = co_await std::move(writing);
    sent_ += size;
    if (failure) throw system_error(failure);
    co_return;
  }
  std::array<std::string_view, 2> parts{first, second};
  for (auto& part : parts) {
    while (!part.empty()) {
      const auto now = part.substr(0, encrypted_at_once);
      part.remove_prefix(now.size());
      tls_->write(now);
      if (now.size() == encrypted_at_once) co_await flush();
    }
  }
  co_await flush();
}

bool stream::is_quiet() {
  if (!is_open() || peer_ended_) return false;
  if (!tls_) {
    char byte = 0;
    const auto size = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
  }
  try {
    // Session tickets may have come: they are no data. What a peer sends without end must not be taken in first.
    char byte = 0;
    for (int i = 0; i < max_quiet_receives; ++i) {
      const bool received = receive_now();
      if (peer_ended_ || tls_->read({&byte, 1}).state != tls_engine::read_state::needs_input) return false;
      if (!received) return true;
    }
    return false;
  } catch (const std::exception&) {
    return false;
  }
}

awaitable<void> stream::say_end() {
  if (tls_) {
    tls_->shut_down();
    co_await flush();
  }
  error_code ignored;
  socket_.shutdown(tcp::socket::shutdown_send, ignored);
}

awaitable<void> stream::read_to_end() {
  co_await say_end();
  std::array<char, 1024> unwanted;
  while (true) {
    auto reading = socket_.async_read_some(asio::buffer(unwanted), as_result);
    const auto [failure, size] = co_await std::move(reading);
    if (failure) co_return;
  }
}

awaitable<void> stream::finish(std::chrono::milliseconds max) {
  if (!is_open()) co_return;
  try {
    co_await with_timeout(read_to_end(), max);
  } catch (const timed_out&) {
  } catch (const tls_error&) {
  } catch (const system_error& e) {
    if (e.code() == asio::error::operation_aborted) {
      close();
      throw;
    }
  }
  error_code ignored;
  socket_.close(ignored);
}

void stream::close() noexcept {
  if (!is_open()) return;
  try {
    if (tls_ && !is_sending_ && unsent_.empty()) {
      tls_->shut_down();
      tls_->take_output(unsent_);
      // If the kernel has no room now, the peer learns it from the end of TCP.
      [[maybe_unused]] const auto sent =
          ::send(socket_.native_handle(), unsent_.data(), unsent_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    }
  } catch (const std::exception&) {
  }
  error_code ignored;
  socket_.close(ignored);
}

std::string stream::remote_address() const {
  error_code ec;
  const auto address = socket_.remote_endpoint(ec);
  return ec ? std::string() : text_of(address);
}

}  // namespace quarq::http
