#include "http/net/tls_engine.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <new>
#include <utility>

#include <boost/asio/ip/address.hpp>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "codecs/base64.hpp"

namespace quarq::http {

namespace {

bool is_address(const std::string& host) {
  boost::system::error_code ec;
  boost::asio::ip::make_address(host, ec);
  return !ec;
}

int as_int(std::size_t size) {
  return static_cast<int>(std::min<std::size_t>(size, std::numeric_limits<int>::max()));
}

}  // namespace

void tls_engine::free_connection::operator()(SSL* connection) const noexcept {
  SSL_free(connection);
}

tls_engine::tls_engine(std::shared_ptr<const tls_context> context, const std::string& host)
    : context_(std::move(context)), connection_(SSL_new(context_->get())) {
  if (!connection_) throw std::bad_alloc();
  in_ = BIO_new(BIO_s_mem());
  out_ = BIO_new(BIO_s_mem());
  if (in_ == nullptr || out_ == nullptr) throw std::bad_alloc();
  // Nothing there yet: try again, rather than the end.
  BIO_set_mem_eof_return(in_, -1);
  SSL_set_bio(connection_.get(), in_, out_);
  if (context_->role() == tls_role::server) {
    SSL_set_accept_state(connection_.get());
  } else {
    SSL_set_connect_state(connection_.get());
    expect(host);
  }
}

tls_engine::~tls_engine() = default;

// Names are also sent (SNI): one address may serve many of them.
void tls_engine::expect(const std::string& host) {
  auto* const tls = connection_.get();
  bool done = true;
  if (is_address(host)) {
    done = !context_->verifies() || X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls), host.c_str()) == 1;
  } else {
    done = SSL_set_tlsext_host_name(tls, host.c_str()) == 1;
    SSL_set_hostflags(tls, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (context_->verifies()) done = done && SSL_set1_host(tls, host.c_str()) == 1;
  }
  if (!done) throw tls_error("no certificate can be for the host \"" + host + "\"");
}

void tls_engine::feed(std::string_view bytes) {
  if (!bytes.empty() && BIO_write(in_, bytes.data(), as_int(bytes.size())) != as_int(bytes.size()))
    throw std::bad_alloc();
}

void tls_engine::take_output(std::string& out) {
  const auto waiting = BIO_ctrl_pending(out_);
  if (waiting == 0) return;
  const auto before = out.size();
  out.resize(before + waiting);
  const int taken = BIO_read(out_, out.data() + before, as_int(waiting));
  out.resize(before + static_cast<std::size_t>(std::max(taken, 0)));
}

bool tls_engine::handshake() {
  ERR_clear_error();
  const int result = SSL_do_handshake(connection_.get());
  if (result == 1) {
    check_pinned_key();
    return true;
  }
  if (SSL_get_error(connection_.get(), result) == SSL_ERROR_WANT_READ) return false;
  fail("handshake");
}

void tls_engine::check_pinned_key() {
  const auto& expected = context_->pinned_key();
  if (expected.empty()) return;
  X509* const certificate = SSL_get0_peer_certificate(connection_.get());
  unsigned char* encoded = nullptr;
  const int size = certificate != nullptr ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &encoded) : -1;
  if (size <= 0) throw tls_error("the server's public key can't be read");
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(encoded, static_cast<std::size_t>(size), digest.data());
  OPENSSL_free(encoded);
  const auto key = codecs::to_base64({reinterpret_cast<const char*>(digest.data()), digest.size()});
  if (key != expected)
    throw tls_error(fmt::format("the server's public key is {}, expected the pinned key {}", key, expected));
}

tls_engine::read_result tls_engine::read(std::span<char> space) {
  ERR_clear_error();
  const int size = SSL_read(connection_.get(), space.data(), as_int(space.size()));
  if (size > 0) return {read_state::data, static_cast<std::size_t>(size)};
  switch (SSL_get_error(connection_.get(), size)) {
    case SSL_ERROR_WANT_READ:
      return {read_state::needs_input};
    case SSL_ERROR_ZERO_RETURN:
      return {read_state::closed};
    default:
      fail("reading");
  }
}

void tls_engine::write(std::string_view bytes) {
  while (!bytes.empty()) {
    ERR_clear_error();
    const int size = SSL_write(connection_.get(), bytes.data(), as_int(bytes.size()));
    if (size <= 0) fail("writing");
    bytes.remove_prefix(static_cast<std::size_t>(size));
  }
}

bool tls_engine::shut_down() {
  ERR_clear_error();
  const int result = SSL_shutdown(connection_.get());
  if (result < 0) ERR_clear_error();
  return (SSL_get_shutdown(connection_.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
}

bool tls_engine::has_unread() const noexcept {
  return SSL_has_pending(connection_.get()) == 1 || BIO_ctrl_pending(in_) > 0;
}

void tls_engine::fail(const char* during) {
  const auto code = ERR_peek_last_error();
  ERR_clear_error();
  const long trust_result = SSL_get_verify_result(connection_.get());
  if (context_->verifies() && trust_result != X509_V_OK) {
    throw tls_error(fmt::format("the {}'s certificate is not trusted: {}",
                                context_->role() == tls_role::client ? "server" : "client",
                                X509_verify_cert_error_string(trust_result)));
  }
  const char* const reason = ERR_reason_error_string(code);
  throw tls_error(fmt::format("{} failed: {}", during, reason != nullptr ? reason : "broken connection"));
}

}  // namespace quarq::http
