// Masking (RFC 6455, 5.3).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace quarq::http::ws {

/// Masks or unmasks. `offset` is how many bytes of the payload came before.
inline void apply_mask(std::span<char> bytes, const std::array<char, 4>& key, std::size_t offset) noexcept {
  std::array<char, 8> turned;
  for (std::size_t i = 0; i < turned.size(); ++i) turned[i] = key[(offset + i) % 4];
  std::uint64_t eight_of_key = 0;
  std::memcpy(&eight_of_key, turned.data(), 8);
  std::size_t at = 0;
  for (; bytes.size() - at >= 8; at += 8) {
    std::uint64_t eight = 0;
    std::memcpy(&eight, bytes.data() + at, 8);
    eight ^= eight_of_key;
    std::memcpy(bytes.data() + at, &eight, 8);
  }
  for (std::size_t i = 0; at < bytes.size(); ++i, ++at) bytes[at] = static_cast<char>(bytes[at] ^ turned[i]);
}

}  // namespace quarq::http::ws
