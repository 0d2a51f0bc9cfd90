// Bytes that are not text.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include <quarq/detail/at_least_cpp20.hpp>

namespace quarq {

/// A run of bytes: an image, a digest, an encoded message. std::string is for text and must be UTF-8;
/// anything else travels as bytes.
using bytes = std::vector<std::byte>;

/// A copy of `data`, byte for byte.
inline bytes to_bytes(std::string_view data) {
  const auto* first = reinterpret_cast<const std::byte*>(data.data());
  return bytes(first, first + data.size());
}

/// A view of the same bytes as characters, valid as long as `data` is neither changed nor destroyed.
inline std::string_view as_chars(const bytes& data) noexcept {
  return {reinterpret_cast<const char*>(data.data()), data.size()};
}

}  // namespace quarq
