// RESP2 and RESP3 (redis.io/docs/reference/protocol-spec), without I/O: bytes in, replies out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace quarq::wire {

/// One reply. A RESP3 map is its keys and values in turn; verbatim strings lose their three-letter type; big numbers
/// are text; attributes are skipped.
struct reply {
  enum class kind { nil, text, integer, real, boolean, error, array, push };
  kind type = kind::nil;
  std::int64_t integer = 0;           ///< integer; boolean as 0 or 1
  double real = 0;
  std::string text;                   ///< text, error
  std::vector<reply> items;           ///< array (also map and set), push

  bool is_nil() const noexcept { return type == kind::nil; }
  bool is_error() const noexcept { return type == kind::error; }
};

}  // namespace quarq::wire
