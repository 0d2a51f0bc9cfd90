#include "redis/socket.hpp"

#include <chrono>
#include <utility>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/system_error.hpp>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/addresses.hpp"
#include "base/assert.hpp"
#include "redis/connect.hpp"

namespace quarq::redis {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr std::size_t chunk = std::size_t{64} << 10;           // bytes in one write to the socket
constexpr std::size_t max_idle_output = std::size_t{1} << 20;  // capacity of an empty buffer
// After which the kernel gives up a peer whose host does not confirm what was sent: a network or host that is gone.
constexpr std::chrono::milliseconds max_unacknowledged{5000};

bool is_ip_address(const std::string& host) {
  error_code ec;
  asio::ip::make_address(host, ec);
  return !ec;
}

// The host that the certificate must be for. Names are also sent (SNI): one address may serve many of them.
void expect_server(SSL* tls, const std::string& host) {
  const bool done =
      is_ip_address(host)
          ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls), host.c_str()) == 1
          : SSL_set_tlsext_host_name(tls, host.c_str()) == 1 && SSL_set1_host(tls, host.c_str()) == 1;
  if (!done) throw permanent_error("TLS: no certificate can be for the host \"" + host + "\"");
}

}  // namespace

socket::socket(asio::any_io_executor loop) : socket_(loop), resolver_(loop) {}

awaitable<void> socket::open(connection_options options) {
  if (dropped()) throw error(why_);
  if (!options.unix_path.empty()) {
    co_await open_unix(options.unix_path);
  } else {
    co_await open_tcp(options);
  }
  if (options.tls) co_await open_tls(options);
}

awaitable<void> socket::open_unix(std::string path) {
  const asio::local::stream_protocol::endpoint where(path);
  open_for(socket_, where);
  co_await socket_.async_connect(where, asio::use_awaitable);
}

awaitable<void> socket::open_tcp(connection_options options) {
  step = "looking up the host";
  auto found = co_await resolver_.async_resolve(options.host, options.port, asio::use_awaitable);
  step = "connecting";
  std::vector<asio::ip::tcp::endpoint> addresses;
  for (const auto& entry : found) addresses.push_back(entry.endpoint());
  addresses = base::in_turns(std::move(addresses));
  if (dropped()) throw error(why_);
  co_await connect_to_any(socket_, std::move(addresses));
  if (dropped()) throw error(why_);
  socket_.set_option(asio::ip::tcp::no_delay(true));
  socket_.set_option(asio::socket_base::keep_alive(true));
  const int ms = static_cast<int>(max_unacknowledged.count());
  ::setsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof ms);
}

std::size_t socket::unsent() {
  int bytes = 0;
  if (!socket_.is_open() || ::ioctl(socket_.native_handle(), SIOCOUTQ, &bytes) != 0) return 0;
  return static_cast<std::size_t>(bytes);
}

awaitable<void> socket::open_tls(connection_options options) {
  tls_context_ = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_client);
  error_code ec;
  if (options.tls_ca_file.empty()) {
    tls_context_->set_default_verify_paths(ec);
  } else {
    tls_context_->load_verify_file(options.tls_ca_file, ec);
  }
  if (ec)
    throw permanent_error("TLS: can't read certificates from " + options.tls_ca_file + ": " + ec.message());
  tls_ = std::make_unique<asio::ssl::stream<stream_socket&>>(socket_, *tls_context_);
  expect_server(tls_->native_handle(), options.host);
  tls_->set_verify_mode(options.tls_verify ? asio::ssl::verify_peer : asio::ssl::verify_none);
  step = "waiting for the TLS handshake";
  co_await tls_->async_handshake(asio::ssl::stream_base::client,
                                 asio::redirect_error(asio::use_awaitable, ec));
  if (!ec) co_return;
  const bool untrusted =
      ec.category() == asio::error::get_ssl_category() &&
      ERR_GET_REASON(static_cast<unsigned long>(ec.value())) == SSL_R_CERTIFICATE_VERIFY_FAILED;
  if (!untrusted) throw error("TLS: " + ec.message());
  const long reason = SSL_get_verify_result(tls_->native_handle());
  throw permanent_error(std::string("TLS: the server's certificate is not trusted: ") +
                        X509_verify_cert_error_string(reason));
}

awaitable<std::size_t> socket::read_some(std::span<char> space) {
  const auto buffer = asio::buffer(space.data(), space.size());
  if (tls_) return tls_->async_read_some(buffer, asio::use_awaitable);
  return socket_.async_read_some(buffer, asio::use_awaitable);
}

void socket::stop_reading() {
  QUARQ_ASSERT(!is_writing_);
  error_code ignored;
  socket_.cancel(ignored);
}

void socket::write() {
  QUARQ_ASSERT(!is_writing_);
  is_writing_ = true;
  // A server that takes our bytes is alive, even if it has no time to answer yet.
  auto progress = [this, before = std::size_t{0}](const error_code& ec, std::size_t sent) mutable {
    if (sent > std::exchange(before, sent) && on_progress) on_progress();
    return ec ? 0 : chunk;
  };
  auto ended = [self = shared_from_this()](error_code ec, std::size_t) {
    self->is_writing_ = false;
    self->out.clear();
    if (self->out.capacity() > max_idle_output) self->out.shrink_to_fit();
    self->on_written(ec ? ec.message() : std::string());
  };
  if (tls_) {
    asio::async_write(*tls_, asio::buffer(out), std::move(progress), std::move(ended));
  } else {
    asio::async_write(socket_, asio::buffer(out), std::move(progress), std::move(ended));
  }
}

void socket::drop(const std::string& why) {
  if (dropped()) return;
  why_ = why.empty() ? "closed" : why;
  resolver_.cancel();
  error_code ignored;
  socket_.close(ignored);
}

}  // namespace quarq::redis
