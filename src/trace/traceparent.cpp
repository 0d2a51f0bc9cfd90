#include "trace/traceparent.hpp"

#include <cstdint>

#include "model/trace_context.hpp"

namespace quarq::trace {
namespace {

constexpr std::uint8_t sampled_flag = 1;

std::optional<span_context> context_in(const detail::traceparent& read) {
  std::optional<span_context> found;
  if (!read.is_set()) return found;
  auto& context = found.emplace();
  context.trace_id = read.trace_id;
  context.span_id = read.span_id;
  context.sampled = (read.flags & sampled_flag) != 0;
  return found;
}

}  // namespace

std::optional<span_context> parse_traceparent(std::string_view text) {
  return context_in(model::parse_traceparent(text));
}

std::optional<span_context> context_of(const std::shared_ptr<const detail::labels>& labels) {
  if (!labels) return std::nullopt;
  const auto parent = labels->headers.find(model::trace_header);
  if (parent == labels->headers.end()) return std::nullopt;
  return context_of(model::parse_traceparent(parent->second), labels);
}

std::optional<span_context> context_of(const detail::traceparent& read,
                                       const std::shared_ptr<const detail::labels>& labels) {
  auto found = context_in(read);
  if (!found || !labels) return found;
  const auto state = labels->headers.find(model::trace_state_header);
  if (state != labels->headers.end()) found->trace_state = state->second;
  return found;
}

detail::traceparent traceparent_of(const span_context& of) noexcept {
  return {of.trace_id, of.span_id, of.sampled ? sampled_flag : std::uint8_t{0}};
}

std::string to_traceparent(const span_context& of) {
  return model::to_text(traceparent_of(of));
}

}  // namespace quarq::trace
