// Hexadecimal digits, written and read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace quarq::codecs {

inline constexpr std::string_view hex_digits = "0123456789abcdef";

/// In either case.
constexpr bool is_hex_digit(char c) noexcept {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/// The lowest `digits` digits of a number, in lower case.
inline void append_hex(std::string& out, std::uint32_t number, int digits) {
  while (digits-- > 0) out += hex_digits[number >> (4 * digits) & 15];
}

/// Two digits for each byte, in lower case.
inline void append_hex(std::string& out, std::span<const std::uint8_t> bytes) {
  auto at = out.size();
  out.resize(at + 2 * bytes.size());
  for (const std::uint8_t byte : bytes) {
    out[at++] = hex_digits[byte >> 4];
    out[at++] = hex_digits[byte & 15];
  }
}

/// The byte whose two digits the text begins with; nullopt if it begins with anything else.
constexpr std::optional<std::uint8_t> byte_in_hex(std::string_view text) noexcept {
  if (text.size() < 2 || !is_hex_digit(text[0]) || !is_hex_digit(text[1])) return std::nullopt;
  const auto value = [](char digit) { return digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10; };
  return static_cast<std::uint8_t>(value(text[0]) << 4 | value(text[1]));
}

}  // namespace quarq::codecs
