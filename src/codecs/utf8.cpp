#include "codecs/utf8.hpp"

#include <algorithm>
#include <cstdint>

#include "codecs/eight_bytes.hpp"
#include "codecs/hex.hpp"

namespace quarq::codecs {

namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd";

// C1 controls, and what changes the direction of writing or ends a line.
bool is_hidden(char32_t c) noexcept {
  return (c >= 0x80 && c <= 0x9f) || c == 0x61c || c == 0x200e || c == 0x200f ||
         (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

}  // namespace

std::size_t count_characters(std::string_view text) noexcept {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return !continues_character(c); }));
}

// Table 3-7 of the Unicode standard: only the second byte's range depends on the first.
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
    if (!continues_character(data[i])) return 0;
  return size;
}

char32_t code_point(std::string_view character) noexcept {
  const auto first = static_cast<unsigned char>(character[0]);
  if (character.size() == 1) return first;
  char32_t code = first & (0x7fU >> character.size());
  for (const char c : character.substr(1)) code = code << 6 | (static_cast<unsigned char>(c) & 0x3fU);
  return code;
}

void append_utf8(std::string& out, char32_t code) {
  const auto tail = [&](int shift) { out += static_cast<char>(0x80 | (code >> shift & 0x3f)); };
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0 | code >> 6);
    tail(0);
  } else if (code < 0x10000) {
    out += static_cast<char>(0xe0 | code >> 12);
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xf0 | code >> 18);
    tail(12);
    tail(6);
    tail(0);
  }
}

std::size_t valid_utf8_prefix(std::string_view data) noexcept {
  std::size_t i = clean_prefix(data, has_non_ascii);
  while (i < data.size()) {
    if (static_cast<signed char>(data[i]) >= 0) {
      i += std::max<std::size_t>(clean_prefix(data.substr(i), has_non_ascii), 1);
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
  while (limit > 0 && continues_character(text[limit])) --limit;
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

std::string printable(std::string_view data, std::size_t limit) {
  const std::string text = to_utf8(data.substr(0, limit));
  std::string out;
  for (std::string_view rest = text; !rest.empty();) {
    const auto character = rest.substr(0, character_size(rest));
    const auto code = code_point(character);
    rest.remove_prefix(character.size());
    if (code == '\n') {
      out += "\\n";
    } else if (code < 0x20 || code == 0x7f) {
      out += "\\x";
      append_hex(out, code, 2);
    } else if (is_hidden(code)) {
      out += "\\u";
      append_hex(out, code, 4);
    } else {
      out += character;
    }
  }
  if (data.size() > limit) out += ellipsis;
  return out;
}

}  // namespace quarq::codecs
