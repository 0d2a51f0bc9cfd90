#include "trace/traceparent.hpp"

#include <cstddef>
#include <cstdint>

#include "codecs/hex.hpp"
#include "model/trace_context.hpp"

namespace quarq::trace {
namespace {

using model::flags_at, model::span_id_at, model::trace_id_at;

constexpr std::uint8_t sampled_flag = 1;

// REQUIRES: two digits stand there.
std::uint8_t byte_at(std::string_view text, std::size_t at) noexcept {
  const auto value = [&](std::size_t i) { return codecs::hex_values[static_cast<unsigned char>(text[i])]; };
  return static_cast<std::uint8_t>(value(at) << 4 | value(at + 1));
}

/// Whether it is one: an id of zeros is none.
template <std::size_t Size>
bool read_id(std::array<std::uint8_t, Size>& id, std::string_view text, std::size_t at) noexcept {
  unsigned any = 0;
  for (std::size_t i = 0; i < Size; ++i) any |= id[i] = byte_at(text, at + 2 * i);
  return any != 0;
}

}  // namespace

std::optional<span_context> parse_traceparent(std::string_view text) {
  if (!model::is_traceparent(text)) return std::nullopt;
  span_context found;
  if (!read_id(found.trace_id, text, trace_id_at)) return std::nullopt;
  if (!read_id(found.span_id, text, span_id_at)) return std::nullopt;
  found.sampled = (byte_at(text, flags_at) & sampled_flag) != 0;
  return found;
}

std::optional<span_context> context_of(const std::shared_ptr<const detail::labels>& labels) {
  if (!labels) return std::nullopt;
  const auto parent = labels->headers.find(model::trace_header);
  if (parent == labels->headers.end()) return std::nullopt;
  auto found = parse_traceparent(parent->second);
  const auto state = labels->headers.find(model::trace_state_header);
  if (found && state != labels->headers.end()) found->trace_state = state->second;
  return found;
}

std::string to_traceparent(const span_context& of) {
  std::string text = "00-00000000000000000000000000000000-0000000000000000-00";
  codecs::put_hex(text.data() + trace_id_at, of.trace_id);
  codecs::put_hex(text.data() + span_id_at, of.span_id);
  if (of.sampled) text.back() = '1';
  return text;
}

}  // namespace quarq::trace
