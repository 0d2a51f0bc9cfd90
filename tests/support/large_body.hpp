// Bodies of any size, made and checked piece by piece.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

namespace quarq::test {

/// The next 64 KiB of such a body from this place on: its period fits no buffer's size.
inline std::string_view large_body_from(std::uint64_t place) {
  constexpr std::size_t period = 23;
  constexpr std::size_t at_once = std::size_t{64} << 10;
  static const std::string all = [] {
    std::string text;
    for (std::size_t i = 0; i < at_once + period; ++i) text += static_cast<char>('a' + i % period);
    return text;
  }();
  return std::string_view(all).substr(static_cast<std::size_t>(place % period), at_once);
}

class large_body_maker {
 public:
  explicit large_body_maker(std::uint64_t size) : size_(size) {}
  /// The next part; "" at the end.
  std::string next() {
    auto part = large_body_from(made_);
    part = part.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(size_ - made_, part.size())));
    made_ += part.size();
    return std::string(part);
  }

 private:
  std::uint64_t size_;
  std::uint64_t made_ = 0;
};

inline std::string large_body(std::uint64_t size) {
  std::string all;
  all.reserve(static_cast<std::size_t>(size));
  large_body_maker maker(size);
  while (all.size() < size) all += maker.next();
  return all;
}

class large_body_checker {
 public:
  void add(std::string_view part) {
    largest_ = std::max(largest_, part.size());
    while (!part.empty()) {
      const auto expected = large_body_from(size_).substr(0, part.size());
      is_right_ = is_right_ && part.starts_with(expected);
      part.remove_prefix(expected.size());
      size_ += expected.size();
    }
  }
  std::size_t largest_part() const noexcept { return largest_; }
  /// "right 40000000".
  std::string result() const { return (is_right_ ? "right " : "wrong ") + std::to_string(size_); }

 private:
  std::uint64_t size_ = 0;
  std::size_t largest_ = 0;
  bool is_right_ = true;
};

}  // namespace quarq::test
