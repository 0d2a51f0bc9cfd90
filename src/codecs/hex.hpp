// Hexadecimal digits, written and read.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace quarq::codecs {

inline constexpr std::string_view hex_digits = "0123456789abcdef";

/// The lowest `digits` digits of a number, in lower case.
inline void append_hex(std::string& out, std::uint32_t number, int digits) {
  while (digits-- > 0) out += hex_digits[number >> (4 * digits) & 15];
}

/// The two digits of each byte.
inline constexpr auto hex_pairs = [] {
  std::array<std::array<char, 2>, 256> of{};
  for (std::size_t byte = 0; byte < of.size(); ++byte)
    of[byte] = {hex_digits[byte >> 4], hex_digits[byte & 15]};
  return of;
}();

/// Two digits for each byte, in lower case. REQUIRES: there is room for them.
inline void put_hex(char* to, std::span<const std::uint8_t> bytes) noexcept {
  for (const std::uint8_t byte : bytes) to = std::copy_n(hex_pairs[byte].data(), 2, to);
}
inline void append_hex(std::string& out, std::span<const std::uint8_t> bytes) {
  const auto at = out.size();
  out.resize(at + 2 * bytes.size());
  put_hex(out.data() + at, bytes);
}
inline std::string to_hex(std::span<const std::uint8_t> bytes) {
  std::string text;
  append_hex(text, bytes);
  return text;
}

/// The value of each digit, in either case; of what is none, no_hex_digit.
inline constexpr std::uint8_t no_hex_digit = 0xff;
inline constexpr auto hex_values = [] {
  std::array<std::uint8_t, 256> of{};
  for (std::size_t c = 0; c < of.size(); ++c) {
    const auto digit = static_cast<char>(c);
    of[c] = no_hex_digit;
    if (digit >= '0' && digit <= '9') of[c] = static_cast<std::uint8_t>(digit - '0');
    if (digit >= 'a' && digit <= 'f') of[c] = static_cast<std::uint8_t>(digit - 'a' + 10);
    if (digit >= 'A' && digit <= 'F') of[c] = static_cast<std::uint8_t>(digit - 'A' + 10);
  }
  return of;
}();

/// The byte whose two digits the text begins with; nullopt if it begins with anything else.
constexpr std::optional<std::uint8_t> byte_in_hex(std::string_view text) noexcept {
  if (text.size() < 2) return std::nullopt;
  const auto high = hex_values[static_cast<unsigned char>(text[0])];
  const auto low = hex_values[static_cast<unsigned char>(text[1])];
  if (high == no_hex_digit || low == no_hex_digit) return std::nullopt;
  return static_cast<std::uint8_t>(high << 4 | low);
}

/// In either case.
constexpr bool is_hex_digit(char c) noexcept {
  return hex_values[static_cast<unsigned char>(c)] != no_hex_digit;
}

}  // namespace quarq::codecs
