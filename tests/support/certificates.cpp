#include "support/certificates.hpp"

#include <array>
#include <atomic>
#include <stdexcept>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

#include "codecs/base64.hpp"

namespace quarq::test {

namespace {

void check(bool done, const char* what) {
  if (!done) throw std::runtime_error(std::string("OpenSSL: ") + what);
}

void add_extension(X509* to, X509* authority, int id, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, authority, to, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> extension(
      X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str()), &X509_EXTENSION_free);
  check(extension && X509_add_ext(to, extension.get(), -1) == 1, value.c_str());
}

template <class Write>
std::string pem(Write write) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), &BIO_free);
  check(write(out.get()) == 1, "PEM");
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return std::string(data, static_cast<std::size_t>(size));
}

}  // namespace

certificate::certificate(const certificate_request& request) : certificate(request, nullptr) {}

certificate::certificate(const certificate_request& request, const certificate& authority)
    : certificate(request, &authority) {}

certificate::certificate(const certificate_request& request, const certificate* authority)
    : key_(EVP_EC_gen("P-256"), &EVP_PKEY_free), certificate_(X509_new(), &X509_free) {
  static std::atomic<long> serial{1};
  auto* const one = certificate_.get();
  auto* const issuer = authority != nullptr ? authority->certificate_.get() : one;
  X509_set_version(one, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(one), serial++);
  X509_gmtime_adj(X509_getm_notBefore(one), std::chrono::seconds(request.valid_from).count());
  X509_gmtime_adj(X509_getm_notAfter(one), std::chrono::seconds(request.valid_until).count());
  X509_set_pubkey(one, key_.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(one), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(request.common_name.c_str()), -1, -1, 0);
  X509_set_issuer_name(one, X509_get_subject_name(issuer));
  add_extension(one, issuer, NID_basic_constraints, request.is_authority ? "critical,CA:TRUE" : "CA:FALSE");
  std::string names;
  for (const auto& name : request.names) names += (names.empty() ? "" : ",") + name;
  if (!names.empty()) add_extension(one, issuer, NID_subject_alt_name, names);
  auto* const signer = authority != nullptr ? authority->key_.get() : key_.get();
  check(X509_sign(one, signer, EVP_sha256()) > 0, "signing");
}

std::string certificate::text() const {
  return pem([this](BIO* out) { return PEM_write_bio_X509(out, certificate_.get()); });
}

std::string certificate::key_text() const {
  return pem([this](BIO* out) {
    return PEM_write_bio_PrivateKey(out, key_.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
}

std::string certificate::key_digest() const {
  unsigned char* encoded = nullptr;
  const int size = i2d_PUBKEY(key_.get(), &encoded);
  check(size > 0, "public key");
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(encoded, static_cast<std::size_t>(size), digest.data());
  OPENSSL_free(encoded);
  return codecs::to_base64({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

}  // namespace quarq::test
