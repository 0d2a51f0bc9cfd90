#include "model/trace_context.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "codecs/hex.hpp"

namespace quarq::model {
namespace {

// "00-<trace id>-<span id>-<flags>".
constexpr std::size_t trace_id_at = 3, span_id_at = 36, flags_at = 53, text_size = 55;

// In lower case alone, as the header must be.
constexpr auto lower_values = [] {
  auto of = codecs::hex_values;
  for (char c = 'A'; c <= 'F'; ++c) of[static_cast<unsigned char>(c)] = codecs::no_hex_digit;
  return of;
}();

// Without a way out in between: nearly all are right. Returns all values of digits, one over the other.
unsigned read_bytes(std::span<std::uint8_t> to, const char* text) noexcept {
  unsigned all = 0;
  for (auto& byte : to) {
    const unsigned high = lower_values[static_cast<unsigned char>(*text++)];
    const unsigned low = lower_values[static_cast<unsigned char>(*text++)];
    byte = static_cast<std::uint8_t>(high << 4 | low);
    all |= high | low;
  }
  return all;
}

}  // namespace

traceparent parse_traceparent(std::string_view text) noexcept {
  if (text.size() != text_size || !text.starts_with("00-")) return {};
  if (text[span_id_at - 1] != '-' || text[flags_at - 1] != '-') return {};
  traceparent read;
  constexpr unsigned digits = 0xf;
  const unsigned all = read_bytes(read.trace_id, text.data() + trace_id_at) |
                       read_bytes(read.span_id, text.data() + span_id_at) |
                       read_bytes({&read.flags, 1}, text.data() + flags_at);
  if (all > digits || read.trace_id == decltype(read.trace_id){} || !read.is_set()) return {};
  return read;
}

std::string to_text(const traceparent& of) {
  if (!of.is_set()) return {};
  std::string text = "00-00000000000000000000000000000000-0000000000000000-00";
  codecs::put_hex(text.data() + trace_id_at, of.trace_id);
  codecs::put_hex(text.data() + span_id_at, of.span_id);
  codecs::put_hex(text.data() + flags_at, {&of.flags, 1});
  return text;
}

}  // namespace quarq::model
