// One TLS connection as bytes in and bytes out, without I/O.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <openssl/types.h>

#include <quarq/errors.hpp>

#include "http/net/tls_context.hpp"

namespace quarq::http {

/// The handshake failed, or the peer broke the protocol.
class tls_error : public error {
 public:
  using error::error;
};

/// Bytes from the peer are fed; bytes for the peer are taken after each call, also after one that throws: it may
/// be an alert. After an exception nothing else works.
class tls_engine {
 public:
  /// `host`: of a client, the name or address that the certificate must be for; a name is also sent (SNI).
  tls_engine(std::shared_ptr<const tls_context> context, const std::string& host);
  ~tls_engine();
  tls_engine(const tls_engine&) = delete;
  tls_engine& operator=(const tls_engine&) = delete;

  /// Bytes from the peer.
  void feed(std::string_view bytes);
  /// Appends what is to be sent to the peer.
  void take_output(std::string& out);

  /// Returns whether it is complete; else feed more. Throws tls_error.
  bool handshake();

  enum class read_state { data, needs_input, closed };
  struct read_result {
    read_state state;
    std::size_t size = 0;
  };
  /// The next decrypted bytes. `closed`: the peer has said that it sends no more. Throws tls_error.
  read_result read(std::span<char> space);
  /// Encrypts all of it. REQUIRES: the handshake is complete. Throws tls_error.
  void write(std::string_view bytes);
  /// Tells the peer that nothing more comes. Returns whether the peer has said so, too.
  bool shut_down();

  /// Whether anything that was fed has not been read. Also true for a part of a record.
  bool has_unread() const noexcept;

 private:
  struct free_connection {
    void operator()(SSL* connection) const noexcept;
  };
  void expect(const std::string& host);
  void check_pinned_key();
  [[noreturn]] void fail(const char* during);

  std::shared_ptr<const tls_context> context_;
  std::unique_ptr<SSL, free_connection> connection_;
  BIO* in_ = nullptr;   // of the connection
  BIO* out_ = nullptr;  // of the connection
};

}  // namespace quarq::http
