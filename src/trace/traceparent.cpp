#include "trace/traceparent.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "model/trace_context.hpp"

namespace quarq::trace {
namespace {

// Where they stand in "00-<trace id>-<span id>-<flags>".
constexpr std::size_t trace_id_at = 3, span_id_at = 36, flags_at = 53, traceparent_size = 55;
constexpr std::uint8_t sampled_flag = 1;

std::uint8_t digit_of(char c) noexcept {
  return static_cast<std::uint8_t>(c <= '9' ? c - '0' : c - 'a' + 10);
}

std::uint8_t byte_at(const char* hex) noexcept {
  return static_cast<std::uint8_t>(digit_of(hex[0]) << 4 | digit_of(hex[1]));
}

template <std::size_t Size>
bool read_id(std::array<std::uint8_t, Size>& id, const char* hex) noexcept {
  for (std::size_t i = 0; i < Size; ++i) id[i] = byte_at(hex + 2 * i);
  return std::any_of(id.begin(), id.end(), [](std::uint8_t byte) { return byte != 0; });
}

}  // namespace

std::optional<span_context> parse_traceparent(std::string_view text) {
  if (!model::is_traceparent(text)) return std::nullopt;
  span_context found;
  if (!read_id(found.trace_id, text.data() + trace_id_at)) return std::nullopt;
  if (!read_id(found.span_id, text.data() + span_id_at)) return std::nullopt;
  found.sampled = (byte_at(text.data() + flags_at) & sampled_flag) != 0;
  return found;
}

std::string to_traceparent(const span_context& of) {
  std::string text;
  text.reserve(traceparent_size);
  text = "00-";
  append_hex(text, of.trace_id.data(), of.trace_id.size());
  text += '-';
  append_hex(text, of.span_id.data(), of.span_id.size());
  text += of.sampled ? "-01" : "-00";
  return text;
}

void append_hex(std::string& out, const std::uint8_t* bytes, std::size_t count) {
  constexpr char digits[] = "0123456789abcdef";
  const auto at = out.size();
  out.resize(at + 2 * count);
  for (std::size_t i = 0; i < count; ++i) {
    out[at + 2 * i] = digits[bytes[i] >> 4];
    out[at + 2 * i + 1] = digits[bytes[i] & 15];
  }
}

}  // namespace quarq::trace
