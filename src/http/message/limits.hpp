// How large the parts of a message may be.
#pragma once

#include <cstddef>
#include <cstdint>

namespace quarq::http {

/// All in bytes, except `fields`.
struct message_limits {
  std::size_t start_line = 8190;     ///< 414, or 400 for a response
  std::size_t field = 8190;          ///< a field's line: 431
  std::size_t fields = 128;          ///< how many of them: 431
  std::size_t header = 32 * 1024;    ///< start line and all fields: 431
  std::size_t chunk_header = 256;    ///< a chunk's size and its extensions: 400
  std::size_t trailer = 8 * 1024;    ///< all trailer fields: 431
  std::uint64_t body = 1024 * 1024;  ///< without its framing: 413
};

}  // namespace quarq::http
