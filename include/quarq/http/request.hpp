// What a server's handlers know of a request.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>
#include <vector>

#include <quarq/awaitable.hpp>
#include <quarq/detail/context.hpp>
#include <quarq/detail/http_request.hpp>
#include <quarq/http/fields.hpp>

namespace quarq::http {

/// One request, from when its header is there until it is answered. Handlers get a reference that is valid until
/// their coroutine ends, as are the views that they get from it. Belongs to its server's loop.
class request {
 public:
  explicit request(detail::request_facts& facts) : facts_(facts) {}
  request(const request&) = delete;
  request& operator=(const request&) = delete;

  /// "GET".
  std::string_view method() const noexcept { return facts_.method; }
  /// As it was sent: "/users/7%20a?full=1".
  std::string_view target() const noexcept { return facts_.target; }
  /// Decoded and without the query: "/users/7 a". UTF-8 without control characters.
  const std::string& path() const noexcept { return facts_.path; }
  const fields& headers() const noexcept { return *facts_.headers; }
  /// The client's address and port: "10.0.0.7:51234", "[::1]:51234". A proxy's, if one stands between.
  const std::string& peer() const noexcept { return facts_.peer; }
  bool has_tls() const noexcept { return facts_.has_tls; }

  /// The decoded part of the path that stands for `{name}` in the route's pattern. Throws usage_error if the pattern
  /// has none of this name.
  const std::string& parameter(std::string_view name) const;
  /// The first of this name in the query, decoded: of "?a=1&b=x+y" b is "x y".
  std::optional<std::string> query(std::string_view name) const;
  /// All of this name, in order.
  std::vector<std::string> query_all(std::string_view name) const;

  /// The whole body. Throws problem(413) beyond the route's limit, problem(400) if it is malformed or cut off, and
  /// problem(408) if it comes too slowly. A client that waits for "100 Continue" is told to go on by the first read.
  /// The body can be read once.
  [[QUARQ_MUST_AWAIT]] awaitable<std::string> body();
  /// The next part of the body, as it comes; "" at its end. Valid until the next read. Throws as body() does.
  [[QUARQ_MUST_AWAIT]] awaitable<std::string_view> read_body_some();

  /// The T that server::emplace or server::provide has put there. Throws quarq::error naming T if there is none.
  template <class T>
  T& state() const {
    void* found = facts_.state ? facts_.state->find(typeid(T)) : nullptr;
    if (found == nullptr) quarq::detail::throw_no_state(typeid(T));
    return *static_cast<T*>(found);
  }

  /// Whom an authentication has found behind the request; "" if none has. The access log shows it.
  const std::string& user() const noexcept { return facts_.user; }
  void set_user(std::string name) { facts_.user = std::move(name); }

 private:
  friend struct detail::request_access;
  detail::request_facts& facts_;
};

}  // namespace quarq::http
