// What TLS connections of one kind share: certificates, and what they ask of the peer's.
#pragma once

#include <memory>
#include <string>

#include <openssl/types.h>

namespace quarq::http {

enum class tls_role { client, server };

struct tls_settings {
  /// Of a client: whether the server's certificate must be valid and for its host. Of a server: whether clients
  /// must show one that `ca_file` or `ca_pem` has signed.
  bool verify = true;
  std::string ca_file;           ///< PEM, whom to trust; with neither this nor ca_pem, whom the system trusts
  std::string ca_pem;            ///< the same as text; both may be given
  std::string certificate_file;  ///< PEM, our own and those that lead to its authority
  std::string key_file;          ///< PEM; "": it stands in certificate_file
  /// Of a client: base64 of the SHA-256 of the server's public key (SubjectPublicKeyInfo), if only this one will
  /// do; the certificate is verified as well.
  std::string pinned_key;
};

/// TLS 1.2 and 1.3, without renegotiation and compression. Immutable. Thread safety: any.
class tls_context {
 public:
  /// Throws usage_error that names the file.
  tls_context(tls_role role, const tls_settings& settings);
  ~tls_context();
  tls_context(const tls_context&) = delete;
  tls_context& operator=(const tls_context&) = delete;

  tls_role role() const noexcept { return role_; }
  bool verifies() const noexcept { return verifies_; }
  const std::string& pinned_key() const noexcept { return pinned_key_; }
  SSL_CTX* get() const noexcept { return context_.get(); }

 private:
  struct free_context {
    void operator()(SSL_CTX* context) const noexcept;
  };
  void trust(const tls_settings& settings);
  void show(const tls_settings& settings);

  tls_role role_;
  bool verifies_;
  std::string pinned_key_;
  std::unique_ptr<SSL_CTX, free_context> context_;
};

}  // namespace quarq::http
