// What a byte may be in a message (RFC 9110, 5.5 and 5.6; RFC 3986, 2), as one table, and comparing without case.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/text.hpp"
#include "codecs/hex.hpp"

namespace quarq::http {

namespace character {
inline constexpr std::uint8_t token = 1;  ///< of a method, of a field's name
inline constexpr std::uint8_t field_value =
    2;  ///< of a field's value or a reason: no control character but the tab
inline constexpr std::uint8_t target = 4;   ///< of a request's target: visible ASCII without '#'
inline constexpr std::uint8_t host = 8;     ///< of Host: a name, an address, a port
inline constexpr std::uint8_t quoted = 16;  ///< within a quoted string, without what needs a backslash
inline constexpr std::uint8_t digit = 32;
inline constexpr std::uint8_t hex = 64;
}  // namespace character

namespace detail {

constexpr bool is_letter_or_digit(int c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

constexpr std::array<std::uint8_t, 256> make_characters() {
  std::array<std::uint8_t, 256> table{};
  for (int c = 0; c < 256; ++c) {
    std::uint8_t is = 0;
    const auto one_of = [&](std::string_view these) {
      return these.find(static_cast<char>(c)) != these.npos;
    };
    const bool plain = is_letter_or_digit(c);
    if (plain || one_of("!#$%&'*+-.^_`|~")) is |= character::token;
    if (c == '\t' || (c >= ' ' && c != 0x7f)) is |= character::field_value;
    if (c > ' ' && c < 0x7f && c != '#') is |= character::target;
    if (plain || one_of("-._~!$&'()*+;=:[]%")) is |= character::host;
    if (c == '\t' || (c >= ' ' && c != 0x7f && c != '"' && c != '\\')) is |= character::quoted;
    if (c >= '0' && c <= '9') is |= character::digit;
    if (codecs::is_hex_digit(static_cast<char>(c))) is |= character::hex;
    table[static_cast<std::size_t>(c)] = is;
  }
  return table;
}

inline constexpr auto characters = make_characters();

}  // namespace detail

constexpr bool is(char c, std::uint8_t kind) noexcept {
  return (detail::characters[static_cast<unsigned char>(c)] & kind) != 0;
}

/// Whether all of the bytes are of this kind; true for none.
constexpr bool all_are(std::string_view text, std::uint8_t kind) noexcept {
  for (const char c : text) {
    if (!is(c, kind)) return false;
  }
  return true;
}

constexpr char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

/// Without regard to ASCII case.
constexpr bool equal_names(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

/// Takes the next element off a comma-separated list; "" for an empty one.
constexpr std::string_view take_element(std::string_view& list) noexcept {
  const auto comma = list.find(',');
  const auto element = list.substr(0, comma);
  list.remove_prefix(comma == list.npos ? list.size() : comma + 1);
  return base::trimmed(element);
}

}  // namespace quarq::http
