// Certificates for tests: authorities, and what they sign, as wrong as a test needs them.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <openssl/types.h>

namespace quarq::test {

struct certificate_request {
  std::string common_name = "quarq test";
  /// "DNS:example.org", "IP:127.0.0.1".
  std::vector<std::string> names{};
  std::chrono::hours valid_from{-1};  ///< counted from now
  std::chrono::hours valid_until{24};
  bool is_authority = false;
};

/// A certificate with its key.
class certificate {
 public:
  /// Signed by itself.
  explicit certificate(const certificate_request& request);
  /// Signed by `authority`.
  certificate(const certificate_request& request, const certificate& authority);

  /// PEM.
  std::string text() const;
  std::string key_text() const;
  /// Certificate and key, as a server's or a client's file holds them.
  std::string both() const { return text() + key_text(); }
  /// base64 of the SHA-256 of the public key.
  std::string key_digest() const;

 private:
  certificate(const certificate_request& request, const certificate* authority);
  std::shared_ptr<EVP_PKEY> key_;
  std::shared_ptr<X509> certificate_;
};

}  // namespace quarq::test
