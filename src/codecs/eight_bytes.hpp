// Texts, looked through eight bytes at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace quarq::codecs {

/// Of eight bytes. A type of its own, for which clean_prefix is compiled: a function would be called through a pointer.
inline constexpr auto has_non_ascii = [](std::uint64_t eight) noexcept {
  return (eight & 0x8080808080808080) != 0;
};

template <class Number>
Number read_number(const char* from) noexcept {
  Number read = 0;
  std::memcpy(&read, from, sizeof read);
  return read;
}

/// All bytes of a text with one to seven, some of them twice, and spaces.
inline std::uint64_t fewer_than_eight(std::string_view text) noexcept {
  constexpr std::uint64_t spaces = 0x20202020;
  const auto size = text.size();
  if (size >= 4)
    return std::uint64_t{read_number<std::uint32_t>(text.data())} << 32 |
           read_number<std::uint32_t>(text.data() + size - 4);
  const auto byte = [&](std::size_t at) { return std::uint64_t{static_cast<unsigned char>(text[at])}; };
  return spaces << 32 | std::uint64_t{' '} << 24 | byte(0) << 16 | byte(size / 2) << 8 | byte(size - 1);
}

/// How many bytes at the start are in eights of which `has_other` says no: all, or a multiple of eight. It gets eight
/// bytes as a number, in any order, and some of them twice; a text of fewer is filled up with spaces.
template <class HasOther>
std::size_t clean_prefix(std::string_view text, const HasOther& has_other) noexcept {
  std::size_t clean = 0;
  for (; clean + 8 <= text.size(); clean += 8)
    if (has_other(read_number<std::uint64_t>(text.data() + clean))) return clean;
  if (clean == text.size()) return clean;
  const auto rest =
      text.size() < 8 ? fewer_than_eight(text) : read_number<std::uint64_t>(text.data() + text.size() - 8);
  return has_other(rest) ? clean : text.size();
}

}  // namespace quarq::codecs
