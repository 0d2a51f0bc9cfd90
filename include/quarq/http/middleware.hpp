// What runs around the handlers of a server: authentication, CORS, the access log, compression, and a program's own.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <quarq/awaitable.hpp>
#include <quarq/http/request.hpp>
#include <quarq/http/response.hpp>

namespace quarq::http {

namespace detail {
class middleware_chain;
}

/// What comes behind a middleware: others, and at last the route's handler. Also answers what no route has.
class next {
 public:
  next(const detail::middleware_chain& chain, std::size_t index) : chain_(&chain), index_(index) {}
  /// To be called once at most. What they throw arrives as the answer that it becomes.
  [[QUARQ_MUST_AWAIT]] awaitable<response> operator()(request& r) const;

 private:
  const detail::middleware_chain* chain_;
  std::size_t index_;
};

/// Gets each request whose header is well-formed, and what to call for it:
///     server.use([](http::request& r, http::next go_on) -> awaitable<http::response> {
///       auto answer = co_await go_on(r);
///       answer.headers.set("X-Served-By", "me");
///       co_return answer;
///     });
/// It may answer by itself, and throw as a handler does.
using middleware = std::function<awaitable<response>(request&, next)>;

/// A middleware that lets through only who proves who they are. A server that has one may be reached from other hosts.
struct authentication {
  middleware check;
};

/// "Authorization: Bearer TOKEN". The comparison takes the same time for all wrong tokens. Throws usage_error for an
/// empty token.
authentication bearer_auth(std::string token);
/// `user_of` returns who has this token; "" if nobody has.
authentication bearer_auth(std::function<std::string(std::string_view token)> user_of);

/// "Authorization: Basic ...", for one user. Browsers ask for the password. To be used over TLS.
authentication basic_auth(std::string user, std::string password);
/// `is_right` must compare with http::same_secret().
authentication basic_auth(std::function<bool(std::string_view user, std::string_view password)> is_right);

/// Whether both are equal; how long it takes tells nothing of where they differ.
bool same_secret(std::string_view a, std::string_view b);

struct cors_options {
  /// "https://app.example", or "*" for all, which does not go together with `credentials`.
  std::vector<std::string> origins;
  std::vector<std::string> methods = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};
  /// Of requests, besides those that are always allowed.
  std::vector<std::string> headers = {"Content-Type", "Authorization"};
  /// Of responses, which scripts may read.
  std::vector<std::string> exposed_headers;
  /// Whether browsers may send cookies.
  bool credentials = false;
  /// How long browsers may remember the answer to a preflight request.
  std::chrono::seconds max_age{600};
};

/// Lets pages of other origins call this server. Preflight requests are answered here. Comes before an authentication.
/// Throws usage_error for "*" with credentials.
middleware cors(cors_options options);

/// A line of the log for each request, at level info:
///     10.0.0.7:51234 ann "GET /users/7" 200 312 1.2 ms
/// Comes first. Queries are left out, since they may hold secrets.
middleware access_log();

/// Compresses bodies of text, JSON and the like from 1 KiB on, with brotli or gzip as the client asks for. Not for
/// bodies that hold a secret beside what a client has sent: their length would tell of it.
middleware compression();

}  // namespace quarq::http
