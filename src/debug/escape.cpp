#include "debug/escape.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "codecs/utf8.hpp"

namespace quarq::debug {
namespace {

/// The bytes of the character at the beginning; 0: it is invalid.
std::size_t character_bytes(std::string_view data) {
  for (std::size_t size = 1; size <= std::min<std::size_t>(4, data.size()); ++size) {
    if (codecs::valid_utf8_prefix(data.substr(0, size)) == size) return size;
  }
  return 0;
}

char32_t decoded(std::string_view character) {
  if (character.size() == 1) return static_cast<unsigned char>(character[0]);
  char32_t code = static_cast<unsigned char>(character[0]) & (0xffU >> (character.size() + 1));
  for (const char c : character.substr(1)) code = code << 6 | (static_cast<unsigned char>(c) & 0x3fU);
  return code;
}

/// Beyond ASCII: C1 controls, separators of lines, marks of direction and width.
bool is_invisible(char32_t c) {
  return (c >= 0x80 && c <= 0x9f) || c == 0xad || c == 0x61c || (c >= 0x200b && c <= 0x200f) ||
         (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x2069) || c == 0xfeff ||
         (c >= 0xe0000 && c <= 0xe007f);
}

void append_ascii(std::string& out, char c, char quote) {
  const auto code = static_cast<unsigned char>(c);
  if (c == '\n' || c == '\t' || c == '\r') {
    out += c == '\n' ? "\\n" : c == '\t' ? "\\t" : "\\r";
  } else if (code < 0x20 || code >= 0x7f) {
    out += fmt::format("\\x{:02x}", code);
  } else {
    if (quote != 0 && (c == quote || c == '\\')) out += '\\';
    out += c;
  }
}

void append_utf8(std::string& out, char32_t code) {
  const auto continuation = [](char32_t bits) { return static_cast<char>(0x80 | (bits & 0x3f)); };
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0 | code >> 6);
  } else if (code < 0x10000) {
    out += static_cast<char>(0xe0 | code >> 12);
    out += continuation(code >> 6);
  } else {
    out += static_cast<char>(0xf0 | (code >> 18 & 0x0f));
    out += continuation(code >> 12);
    out += continuation(code >> 6);
  }
  if (code >= 0x80) out += continuation(code);
}

}  // namespace

std::string escaped(std::string_view data, char quote) {
  std::string out;
  out.reserve(data.size() + 2);
  while (!data.empty()) {
    const std::size_t size = character_bytes(data);
    const auto character = data.substr(0, std::max<std::size_t>(size, 1));
    if (size == 0 || size == 1) {
      append_ascii(out, character[0], quote);
    } else if (const char32_t code = decoded(character); is_invisible(code)) {
      out += code < 0x10000 ? fmt::format("\\u{:04x}", static_cast<unsigned>(code))
                            : fmt::format("\\U{:08x}", static_cast<unsigned>(code));
    } else {
      out += character;
    }
    data.remove_prefix(character.size());
  }
  return out;
}

std::string escaped_bytes(std::string_view data) {
  std::string out;
  for (const char c : data) append_ascii(out, c, '"');
  return out;
}

std::string utf8_of(std::u32string_view text) {
  std::string out;
  for (const char32_t code : text) append_utf8(out, code);
  return out;
}

std::string utf8_of(std::u16string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char32_t code = text[i];
    const bool is_pair = code >= 0xd800 && code < 0xdc00 && i + 1 < text.size() && text[i + 1] >= 0xdc00 &&
                         text[i + 1] < 0xe000;
    if (is_pair) code = 0x10000 + ((code - 0xd800) << 10) + (char32_t(text[++i]) - 0xdc00);
    append_utf8(out, code);
  }
  return out;
}

}  // namespace quarq::debug
