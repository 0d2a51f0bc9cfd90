// A whole response: what a client gets, and what a server sends.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <quarq/awaitable.hpp>
#include <quarq/codec.hpp>
#include <quarq/detail/http_json.hpp>
#include <quarq/http/fields.hpp>

namespace quarq::http {

class body_writer;

namespace detail {
struct upgrade;
}

/// A status, header fields and a body. Not safe for use by several threads at once.
class response {
 public:
  response() = default;
  /// `text` is the body as it is; `content_type` "" sends none.
  explicit response(int code, std::string text = {}, std::string_view content_type = {})
      : status(code), body(std::move(text)) {
    if (!content_type.empty()) headers.set("Content-Type", content_type);
  }

  /// Whether the status is 2xx.
  bool ok() const noexcept { return status >= 200 && status < 300; }

  /// The T that the body holds as JSON: a struct described with BOOST_DESCRIBE_STRUCT, or whatever else has a
  /// codec. Looks at neither the status nor Content-Type. Throws quarq::decode_error that names the place:
  ///     body of the response: field users[3].age: expected integer, got string
  template <class T>
  T as() const {
    return from_msgpack<T>(detail::msgpack_of_json(body, "body of the response"), "body of the response");
  }

  /// How long its server asks to be left alone (Retry-After: seconds, or a moment); at most a day. Nullopt: it does not.
  std::optional<std::chrono::milliseconds> retry_after() const;

  int status = 200;
  /// The status line's text; "" sends the status' own.
  std::string reason;
  fields headers;
  /// Without its framing and codings.
  std::string body;
  /// For servers: writes the body piece by piece, in place of `body`; see http::streamed(). With a field
  /// Content-Length it must write exactly so many bytes.
  std::function<awaitable<void>(body_writer&)> write_body;
  /// Of a server's answer with 101; see server::websocket().
  std::shared_ptr<detail::upgrade> upgrade;
};

}  // namespace quarq::http
