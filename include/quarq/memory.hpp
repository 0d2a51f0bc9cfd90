// Amounts of memory as literals: 512_MiB.
#pragma once

#include <cstdint>

#include <quarq/detail/at_least_cpp20.hpp>

namespace quarq {
inline namespace literals {

/// Bytes.
constexpr std::uint64_t operator""_KiB(unsigned long long n) {
  return n << 10;
}
constexpr std::uint64_t operator""_MiB(unsigned long long n) {
  return n << 20;
}
constexpr std::uint64_t operator""_GiB(unsigned long long n) {
  return n << 30;
}

}  // namespace literals
}  // namespace quarq
