// The header of an answer, and how its body is framed: decisions, without I/O.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <quarq/http/response.hpp>

namespace quarq::http {

/// What decides besides the response itself.
struct reply_facts {
  bool is_head = false;
  int minor_version = 1;   ///< of the request
  bool keep_alive = true;  ///< whether the connection could be used again
  std::string_view date;   ///< a whole line: "Date: ...\r\n"
};

enum class body_framing {
  none,         ///< no body follows
  sized,        ///< `length` bytes
  chunked,      ///< chunks
  until_close,  ///< of HTTP/1.0
};

struct reply_plan {
  body_framing framing = body_framing::none;
  std::uint64_t length = 0;
  bool keep_alive = true;
};

/// Appends status line and fields. Framing is ours: what the response says of Content-Length, Transfer-Encoding,
/// Connection and Date is not sent, except that "Connection: close" closes, and that Content-Length counts for a
/// written body and for an answer to HEAD. 204 and 304 have no body. Throws usage_error for a status below 200, for
/// one that HTTP does not have, and for a reason with control characters.
reply_plan append_reply_header(std::string& out, const response& r, const reply_facts& facts);

/// "Date: Tue, 15 Nov 1994 08:12:31 GMT\r\n", renewed each second.
class date_line {
 public:
  std::string_view now();
  /// At this second since 1970, which may lie before the last one: clocks are set back.
  std::string_view at(std::int64_t second);

 private:
  std::int64_t second_ = -1;
  std::string line_;
};

/// "Tue, 15 Nov 1994 08:12:31 GMT" (RFC 9110, 5.6.7).
std::string http_date(std::int64_t seconds_since_1970);
/// Nullopt for anything else than that form.
std::optional<std::int64_t> parse_http_date(std::string_view text);

}  // namespace quarq::http
