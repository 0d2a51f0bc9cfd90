// Responses as a server's handlers make them.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include <quarq/awaitable.hpp>
#include <quarq/codec.hpp>
#include <quarq/detail/http_json.hpp>
#include <quarq/http/response.hpp>

namespace quarq::http {

class request;

/// Where a handler writes a body piece by piece. Belongs to one response.
class body_writer {
 public:
  /// Returns when the connection has taken the bytes; so a slow peer slows down the writer. Throws
  /// boost::system::system_error when the peer is gone.
  [[QUARQ_MUST_AWAIT]] virtual awaitable<void> write(std::string_view bytes) = 0;

 protected:
  ~body_writer() = default;
};

/// "text/plain; charset=utf-8".
response text(std::string body, int status = 200);

/// A struct described with BOOST_DESCRIBE_STRUCT, or whatever else has a codec, as JSON.
template <class T>
response json(const T& value, int status = 200) {
  return response(status, detail::json_of_msgpack(to_msgpack(value)), "application/json");
}

/// `location`: a path or a URL. `status`: 302, or 301, 303, 307 and 308 (RFC 9110, 15.4). Throws usage_error for a
/// location with control characters or spaces, which could split the response.
response redirect(std::string_view location, int status = 302);

/// The body comes from `write`, which the server calls when the header is sent:
///     return http::streamed("text/csv", [rows](http::body_writer& out) { return write_rows(out, rows); });
/// The function is kept until its coroutine has ended. If that throws, the connection is closed, so that the peer
/// sees that the body is not whole.
response streamed(std::string_view content_type, std::function<awaitable<void>(body_writer&)> write);

/// A file, with its type by the name's ending, an ETag, and 304, 206, 412 or 416 as the request's conditions and range
/// ask for. Throws problem(404) if it is not a regular file that can be read. The path is used as it is: one that
/// came from a request is for server::files.
response file(const request& from, const std::string& path);

}  // namespace quarq::http
