// Whether bytes that come in pieces are UTF-8.
#pragma once

#include <cstdint>
#include <string_view>

namespace quarq::http::ws {

class utf8_checker {
 public:
  /// The next piece. Returns false as soon as nothing that follows could make the text valid; reset() then.
  bool feed(std::string_view piece) noexcept;
  /// Whether no character has begun that lacks bytes.
  bool is_complete() const noexcept { return missing_ == 0; }
  void reset() noexcept { *this = {}; }

 private:
  bool begin(std::uint8_t first) noexcept;

  std::uint8_t missing_ = 0;  // bytes of the character that has begun
  // What the next one may be.
  std::uint8_t lowest_ = 0x80;
  std::uint8_t highest_ = 0xbf;
};

}  // namespace quarq::http::ws
