// Bytes as hexadecimal, the text of errors, and broken input, for the tests of the codec.
#pragma once

#include <random>
#include <string>
#include <string_view>

#include <quarq/codec.hpp>
#include <quarq/errors.hpp>

#include "codecs/json.hpp"
#include "codecs/python/pickle.hpp"
#include "support/errors.hpp"

namespace quarq::testing {

using test::error_of;

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

/// The value, written and read again.
template <class T>
T again(const T& value) {
  return from_msgpack<T>(to_msgpack(value), "value");
}

template <class T>
std::string bytes_of(const T& value) {
  return hex(to_msgpack(value));
}

/// What reading T from this JSON says.
template <class T>
std::string complaint(std::string_view json) {
  return error_of<decode_error>([&] { from_msgpack<T>(codecs::json_to_msgpack(json), "value"); });
}

template <class T>
T from_json(std::string_view json) {
  return from_msgpack<T>(codecs::json_to_msgpack(json), "value");
}

/// What reading this pickle says.
inline std::string pickle_complaint(std::string_view pickle, codecs::python::pickle_options options = {}) {
  return error_of<decode_error>([&] { codecs::python::pickle_to_msgpack(pickle, "pickle", options); });
}

/// Changes, removes, inserts or repeats a few bytes; half of the new ones are of the `telling` ones.
inline std::string mutated(std::string data, std::string_view telling, std::mt19937& random) {
  const auto below = [&](std::size_t n) {
    return std::uniform_int_distribution<std::size_t>(0, n - 1)(random);
  };
  for (std::size_t changes = 1 + below(4); changes > 0 && !data.empty(); --changes) {
    const std::size_t at = below(data.size());
    const char byte = below(2) == 0 ? telling[below(telling.size())] : static_cast<char>(below(256));
    switch (below(4)) {
      case 0:
        data[at] = byte;
        break;
      case 1:
        data.erase(at, 1 + below(8));
        break;
      case 2:
        data.insert(at, 1 + below(4), byte);
        break;
      default:
        data.insert(below(data.size()), data.substr(at, 1 + below(16)));
    }
  }
  return data;
}

}  // namespace quarq::testing
