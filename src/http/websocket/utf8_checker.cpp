#include "http/websocket/utf8_checker.hpp"

#include <cstddef>

#include "codecs/eight_bytes.hpp"

namespace quarq::http::ws {

bool utf8_checker::feed(std::string_view piece) noexcept {
  std::size_t at = 0;
  while (at < piece.size()) {
    if (missing_ == 0) {
      at += codecs::clean_prefix(piece.substr(at), codecs::has_non_ascii);
      if (at == piece.size()) break;
      if (!begin(static_cast<std::uint8_t>(piece[at++]))) return false;
      continue;
    }
    const auto byte = static_cast<std::uint8_t>(piece[at++]);
    if (byte < lowest_ || byte > highest_) return false;
    lowest_ = 0x80;
    highest_ = 0xbf;
    --missing_;
  }
  return true;
}

// Table 3-7 of the Unicode Standard: what is too long for its character, a surrogate or beyond U+10FFFF is
// refused at the second byte.
bool utf8_checker::begin(std::uint8_t first) noexcept {
  if (first < 0x80) return true;
  if (first < 0xc2 || first > 0xf4) return false;
  missing_ = first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
  if (first == 0xe0) lowest_ = 0xa0;
  if (first == 0xed) highest_ = 0x9f;
  if (first == 0xf0) lowest_ = 0x90;
  if (first == 0xf4) highest_ = 0x8f;
  return true;
}

}  // namespace quarq::http::ws
