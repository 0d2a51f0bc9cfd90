// Compression of whole messages (RFC 7692, permessage-deflate, without context takeover in either direction).
// A message is a stream of its own, so zlib's memory belongs to the thread, not to the connection.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace quarq::http::ws {

/// What was agreed upon.
struct compression {
  int window_bits = 15;  ///< of what this side sends: 9 to 15
};

/// Appends the message's compressed form. Throws std::bad_alloc.
void deflate_message(std::string_view message, int window_bits, std::string& out);

enum class inflate_result {
  done,
  too_large,  ///< the message has more than `max` bytes
  malformed,  ///< not a whole stream of blocks
};

/// Appends the message to `out`, at most `max` bytes and what zlib gives in one step. Throws std::bad_alloc.
inflate_result inflate_message(std::string_view compressed, std::size_t max, std::string& out);

}  // namespace quarq::http::ws
