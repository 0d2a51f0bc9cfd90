// Conditional requests and ranges (RFC 9110, 13 and 14): decisions, without I/O.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include <quarq/http/fields.hpp>

namespace quarq::http {

/// What is asked for.
struct representation {
  std::string_view etag;      ///< with its quotes: "\"a\"", "W/\"a\""
  std::int64_t modified = 0;  ///< seconds since 1970
  std::uint64_t size = 0;     ///< bytes
};

struct byte_range {
  std::uint64_t first = 0;
  std::uint64_t size = 0;
  friend bool operator==(const byte_range&, const byte_range&) = default;
};

/// 200 (all of it), 206 (`range`), 304, 412 or 416.
struct selection {
  int status = 200;
  byte_range range;
};

/// `method` is GET or HEAD; a range counts for GET only. One range is served. Several, and what is no range, are
/// ignored; several that overlap, or more than 8, get 416: they are an attack.
selection select(std::string_view method, const fields& headers, const representation& what);

/// Whether one of the list (If-None-Match) is this one, compared weakly; "*" is.
bool etag_is_listed(std::string_view list, std::string_view etag, bool strongly = false);

}  // namespace quarq::http
