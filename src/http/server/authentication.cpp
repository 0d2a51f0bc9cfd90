#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <quarq/errors.hpp>
#include <quarq/http/middleware.hpp>
#include <quarq/http/problem.hpp>

#include "base/text.hpp"
#include "codecs/base64.hpp"
#include "http/message/characters.hpp"

namespace quarq::http {

namespace {

using hash = std::array<unsigned char, SHA256_DIGEST_LENGTH>;

hash hash_of(std::string_view text) {
  hash result;
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), result.data());
  return result;
}

// What follows the scheme in Authorization; nullopt without it.
std::optional<std::string_view> credentials(const request& r, std::string_view scheme) {
  const auto text = r.headers()["Authorization"];
  if (text.size() <= scheme.size() || text[scheme.size()] != ' ') return std::nullopt;
  if (!equal_names(text.substr(0, scheme.size()), scheme)) return std::nullopt;
  return base::trimmed(text.substr(scheme.size()));
}

problem unauthorized(std::string_view challenge) {
  return problem(401, "who you are is not proven", {{"WWW-Authenticate", challenge}});
}

// `find` returns who it is.
authentication with(std::string challenge, std::function<std::optional<std::string>(const request&)> find) {
  authentication result;
  result.check = [challenge = std::move(challenge), find = std::move(find)](request& r, next go_on) {
    auto user = find(r);
    if (!user) throw unauthorized(challenge);
    r.set_user(std::move(*user));
    return go_on(r);
  };
  return result;
}

}  // namespace

bool same_secret(std::string_view a, std::string_view b) {
  // Of equal length, whatever was given.
  const auto x = hash_of(a);
  const auto y = hash_of(b);
  return CRYPTO_memcmp(x.data(), y.data(), x.size()) == 0;
}

authentication bearer_auth(std::string token) {
  if (token.empty()) throw usage_error("http::bearer_auth: the token is empty");
  return with("Bearer", [token = std::move(token)](const request& r) -> std::optional<std::string> {
    const auto given = credentials(r, "Bearer");
    if (!given || !same_secret(*given, token)) return std::nullopt;
    return "bearer";
  });
}

authentication bearer_auth(std::function<std::string(std::string_view token)> user_of) {
  return with("Bearer", [user_of = std::move(user_of)](const request& r) -> std::optional<std::string> {
    const auto given = credentials(r, "Bearer");
    if (!given || given->empty()) return std::nullopt;
    auto user = user_of(*given);
    if (user.empty()) return std::nullopt;
    return user;
  });
}

authentication basic_auth(std::function<bool(std::string_view user, std::string_view password)> is_right) {
  return with("Basic realm=\"\", charset=\"UTF-8\"",
              [is_right = std::move(is_right)](const request& r) -> std::optional<std::string> {
                const auto given = credentials(r, "Basic");
                const auto decoded = given ? codecs::from_base64(*given) : std::nullopt;
                const auto colon = decoded ? decoded->find(':') : std::string::npos;
                if (colon == std::string::npos) return std::nullopt;
                const std::string_view both(*decoded);
                if (!is_right(both.substr(0, colon), both.substr(colon + 1))) return std::nullopt;
                return decoded->substr(0, colon);
              });
}

authentication basic_auth(std::string user, std::string password) {
  if (password.empty()) throw usage_error("http::basic_auth: the password is empty");
  return basic_auth(
      [user = std::move(user), password = std::move(password)](std::string_view u, std::string_view p) {
        const bool right_user = same_secret(u, user);
        const bool right_password = same_secret(p, password);
        return right_user && right_password;
      });
}

}  // namespace quarq::http
