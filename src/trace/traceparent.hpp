// W3C's headers "traceparent" and "tracestate" as a span's context, and back.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <quarq/detail/call_labels.hpp>
#include <quarq/detail/traceparent.hpp>
#include <quarq/trace.hpp>

namespace quarq::trace {

/// nullopt: it is not of version 00, or one of its ids is all zeros.
std::optional<span_context> parse_traceparent(std::string_view text);
std::string to_traceparent(const span_context& of);

/// Of the span that made the call or job with these labels (null: none), as its headers say. nullopt: no span did, or
/// parse_traceparent takes it for none.
std::optional<span_context> context_of(const std::shared_ptr<const detail::labels>& labels);
/// The same, where the header has been read.
std::optional<span_context> context_of(const detail::traceparent& read,
                                       const std::shared_ptr<const detail::labels>& labels);

/// Without its trace state.
detail::traceparent traceparent_of(const span_context& of) noexcept;

}  // namespace quarq::trace
