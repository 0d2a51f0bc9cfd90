// W3C's header "traceparent" as a span's context, and back.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <quarq/trace.hpp>

namespace quarq::trace {

/// nullopt: it is not of version 00, or one of its ids is all zeros.
std::optional<span_context> parse_traceparent(std::string_view text);

std::string to_traceparent(const span_context& of);

}  // namespace quarq::trace
