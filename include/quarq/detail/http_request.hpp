// What an http::request is made of.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <quarq/awaitable.hpp>
#include <quarq/detail/context.hpp>
#include <quarq/http/fields.hpp>

namespace quarq::http {

class request;
class response;

namespace detail {

struct route;

/// Reads a request's body from its connection.
class body_reader {
 public:
  /// "" at the end.
  virtual awaitable<std::string_view> read_some() = 0;

 protected:
  ~body_reader() = default;
};

/// The connection keeps one and fills it anew for each request, so that strings keep their memory.
struct request_facts {
  std::string_view method;
  std::string_view target;
  int minor_version = 1;
  std::string_view query;  ///< not decoded
  std::string path;
  const fields* headers = nullptr;
  std::string peer;
  bool has_tls = false;
  std::string user;
  /// Of the route's pattern, in order: decoded.
  std::vector<std::string> parameters;
  const route* matched = nullptr;
  /// The answer in place of a handler's: 404, 405, 503.
  const response* preset = nullptr;
  /// The handler is to stop: whatever it throws ends the connection.
  bool cancelled = false;
  const quarq::detail::state_map* state = nullptr;
  body_reader* body = nullptr;
  /// Where the server has read the body already, for a handler that takes it as a parameter.
  std::string whole_body;
};

struct request_access {
  static request_facts& of(request& r) noexcept;
  static const request_facts& of(const request& r) noexcept;
};

}  // namespace detail
}  // namespace quarq::http
