#include "http/net/tls_context.hpp"

#include <new>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <quarq/errors.hpp>

namespace quarq::http {

namespace {

[[noreturn]] void refuse(const std::string& what) {
  const auto code = ERR_get_error();
  ERR_clear_error();
  const char* const reason = ERR_reason_error_string(code);
  throw usage_error(fmt::format("TLS: {}: {}", what, reason != nullptr ? reason : "unknown error"));
}

void trust_text(SSL_CTX* context, const std::string& pem) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> text(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free);
  int count = 0;
  while (true) {
    const std::unique_ptr<X509, decltype(&X509_free)> one(
        PEM_read_bio_X509(text.get(), nullptr, nullptr, nullptr), &X509_free);
    if (!one) break;
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), one.get());
    ++count;
  }
  if (count == 0) refuse("the text of certificates to trust has none in PEM");
  ERR_clear_error();  // the end of the text
}

}  // namespace

void tls_context::free_context::operator()(SSL_CTX* context) const noexcept {
  SSL_CTX_free(context);
}

tls_context::tls_context(tls_role role, const tls_settings& settings)
    : role_(role), verifies_(settings.verify), pinned_key_(settings.pinned_key) {
  context_.reset(SSL_CTX_new(role == tls_role::client ? TLS_client_method() : TLS_server_method()));
  if (!context_) throw std::bad_alloc();
  SSL_CTX_set_min_proto_version(get(), TLS1_2_VERSION);
  SSL_CTX_set_options(get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // Idle connections need no buffers, and what is written may move between two attempts.
  SSL_CTX_set_mode(get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  trust(settings);
  show(settings);
  int mode = verifies_ ? SSL_VERIFY_PEER : SSL_VERIFY_NONE;
  if (verifies_ && role == tls_role::server) mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  SSL_CTX_set_verify(get(), mode, nullptr);
}

tls_context::~tls_context() = default;

void tls_context::trust(const tls_settings& settings) {
  if (!settings.ca_file.empty() &&
      SSL_CTX_load_verify_locations(get(), settings.ca_file.c_str(), nullptr) != 1)
    refuse("can't read the certificates to trust from " + settings.ca_file);
  if (!settings.ca_pem.empty()) trust_text(get(), settings.ca_pem);
  const bool asks_system = role_ == tls_role::client && settings.ca_file.empty() && settings.ca_pem.empty();
  if (asks_system) SSL_CTX_set_default_verify_paths(get());
}

void tls_context::show(const tls_settings& settings) {
  const auto& certificate = settings.certificate_file;
  if (certificate.empty()) {
    if (role_ == tls_role::server) throw usage_error("TLS: a server needs a certificate_file");
    return;
  }
  const auto& key = settings.key_file.empty() ? certificate : settings.key_file;
  if (SSL_CTX_use_certificate_chain_file(get(), certificate.c_str()) != 1)
    refuse("can't read the certificate from " + certificate);
  if (SSL_CTX_use_PrivateKey_file(get(), key.c_str(), SSL_FILETYPE_PEM) != 1)
    refuse("can't read the key from " + key);
  if (SSL_CTX_check_private_key(get()) != 1)
    refuse("the key in " + key + " is not that of the certificate in " + certificate);
}

}  // namespace quarq::http
