// Bytes as hexadecimal, and the text of errors, for the tests of the codec.
#pragma once

#include <exception>
#include <string>
#include <string_view>

namespace quarq::testing {

/// "93 01 02 03"
inline std::string hex(std::string_view data) {
  constexpr char digits[] = "0123456789abcdef";
  std::string out;
  for (const char c : data) {
    const auto byte = static_cast<unsigned char>(c);
    if (!out.empty()) out += ' ';
    (out += digits[byte >> 4]) += digits[byte & 15];
  }
  return out;
}

/// The reverse of hex; spaces may be left out.
inline std::string from_hex(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  std::size_t nibbles = 0;
  for (const char c : text) {
    const std::size_t digit = digits.find(c);
    if (digit == std::string_view::npos) continue;
    if (nibbles++ % 2 == 0) {
      out += static_cast<char>(digit << 4);
    } else {
      out.back() = static_cast<char>(static_cast<unsigned char>(out.back()) | digit);
    }
  }
  return out;
}

/// What the E that `work` throws says; any other exception passes through.
template <class E, class Work>
std::string error_of(Work work) {
  try {
    work();
  } catch (const E& error) {
    return error.what();
  }
  return "(no error)";
}

}  // namespace quarq::testing
