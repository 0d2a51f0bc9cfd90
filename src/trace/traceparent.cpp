#include "trace/traceparent.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "codecs/hex.hpp"
#include "model/trace_context.hpp"

namespace quarq::trace {
namespace {

// Where they stand in "00-<trace id>-<span id>-<flags>".
constexpr std::size_t trace_id_at = 3, span_id_at = 36, flags_at = 53, traceparent_size = 55;
constexpr std::uint8_t sampled_flag = 1;

// REQUIRES: two digits stand there.
std::uint8_t byte_at(std::string_view text, std::size_t at) noexcept {
  return codecs::byte_in_hex(text.substr(at)).value_or(0);
}

template <std::size_t Size>
bool read_id(std::array<std::uint8_t, Size>& id, std::string_view text, std::size_t at) noexcept {
  for (std::size_t i = 0; i < Size; ++i) id[i] = byte_at(text, at + 2 * i);
  return std::any_of(id.begin(), id.end(), [](std::uint8_t byte) { return byte != 0; });
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
  std::string text;
  text.reserve(traceparent_size);
  text = "00-";
  codecs::append_hex(text, of.trace_id);
  text += '-';
  codecs::append_hex(text, of.span_id);
  text += of.sampled ? "-01" : "-00";
  return text;
}

}  // namespace quarq::trace
