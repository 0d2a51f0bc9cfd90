#include "debug/escape.hpp"

#include <algorithm>

#include "codecs/hex.hpp"
#include "codecs/utf8.hpp"

namespace quarq::debug {
namespace {

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
    codecs::append_hex(out += "\\x", code, 2);
  } else {
    if (quote != 0 && (c == quote || c == '\\')) out += '\\';
    out += c;
  }
}

}  // namespace

std::string escaped(std::string_view data, char quote) {
  std::string out;
  out.reserve(data.size() + 2);
  while (!data.empty()) {
    const std::size_t size = codecs::character_size(data);
    const auto character = data.substr(0, std::max<std::size_t>(size, 1));
    if (size == 0 || size == 1) {
      append_ascii(out, character[0], quote);
    } else if (const char32_t code = codecs::code_point(character); is_invisible(code)) {
      const bool is_short = code < 0x10000;
      codecs::append_hex(out += is_short ? "\\u" : "\\U", code, is_short ? 4 : 8);
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
  for (const char32_t code : text) codecs::append_utf8(out, code);
  return out;
}

std::string utf8_of(std::u16string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char32_t code = text[i];
    const bool is_pair = code >= 0xd800 && code < 0xdc00 && i + 1 < text.size() && text[i + 1] >= 0xdc00 &&
                         text[i + 1] < 0xe000;
    if (is_pair) code = 0x10000 + ((code - 0xd800) << 10) + (char32_t(text[++i]) - 0xdc00);
    codecs::append_utf8(out, code);
  }
  return out;
}

}  // namespace quarq::debug
