#include "codecs/utf8.hpp"

#include <cstdint>
#include <cstring>

namespace quarq::codecs {

namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd";

bool is_continuation(char c) noexcept {
  return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

/// The length of the character at the beginning, 0 if there is none. Table 3-7 of the Unicode standard: only
/// the second byte's range depends on the first.
std::size_t character_size(std::string_view data) noexcept {
  const auto first = static_cast<unsigned char>(data[0]);
  if (first < 0x80) return 1;
  const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || data.size() < size) return 0;
  const auto second = static_cast<unsigned char>(data[1]);
  const unsigned char low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
  const unsigned char high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return 0;
  for (std::size_t i = 2; i < size; ++i)
    if (!is_continuation(data[i])) return 0;
  return size;
}

bool eight_ascii(const char* data) noexcept {
  std::uint64_t word;
  std::memcpy(&word, data, sizeof word);
  return (word & 0x8080808080808080) == 0;
}

}  // namespace

std::size_t valid_utf8_prefix(std::string_view data) noexcept {
  std::size_t i = 0;
  while (i < data.size()) {
    if (data.size() - i >= 8 && eight_ascii(data.data() + i)) {
      i += 8;
      continue;
    }
    const std::size_t size = character_size(data.substr(i));
    if (size == 0) return i;
    i += size;
  }
  return i;
}

std::size_t cut_at(std::string_view text, std::size_t limit) noexcept {
  if (limit >= text.size()) return text.size();
  while (limit > 0 && is_continuation(text[limit])) --limit;
  return limit;
}

std::string to_utf8(std::string_view data) {
  std::string out;
  out.reserve(data.size());
  while (true) {
    const std::size_t good = valid_utf8_prefix(data);
    out += data.substr(0, good);
    if (good == data.size()) return out;
    out += replacement;
    data.remove_prefix(good + 1);
  }
}

namespace {

// Of three bytes or two: C1 controls, and what changes the direction of writing or ends a line.
bool is_hidden(char32_t c) noexcept {
  return (c >= 0x80 && c <= 0x9f) || c == 0x61c || c == 0x200e || c == 0x200f ||
         (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

// The character of two or three bytes at the beginning of valid UTF-8; 0: there is none.
char32_t two_or_three_bytes(std::string_view text) noexcept {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (at(0) >= 0xc0 && at(0) < 0xe0) return (at(0) & 0x1fU) << 6 | (at(1) & 0x3fU);
  if (at(0) < 0xe0 || at(0) >= 0xf0) return 0;
  return (at(0) & 0x0fU) << 12 | (at(1) & 0x3fU) << 6 | (at(2) & 0x3fU);
}

void append_hex(std::string& out, char32_t code, int digits) {
  while (digits-- > 0) out += "0123456789abcdef"[code >> (4 * digits) & 15];
}

}  // namespace

std::string printable(std::string_view data, std::size_t limit) {
  const std::string text = to_utf8(data.substr(0, limit));
  std::string out;
  for (std::string_view rest = text; !rest.empty(); rest.remove_prefix(1)) {
    const auto code = static_cast<unsigned char>(rest[0]);
    const auto wide = two_or_three_bytes(rest);
    if (code == '\n') {
      out += "\\n";
    } else if (code < 0x20 || code == 0x7f) {
      out += "\\x";
      append_hex(out, code, 2);
    } else if (is_hidden(wide)) {
      out += "\\u";
      append_hex(out, wide, 4);
      rest.remove_prefix(code < 0xe0 ? 1 : 2);
    } else {
      out += rest[0];
    }
  }
  if (data.size() > limit) out += ellipsis;
  return out;
}

}  // namespace quarq::codecs
