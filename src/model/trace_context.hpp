// The trace that a call belongs to, as W3C's Trace Context writes it (https://www.w3.org/TR/trace-context/).
#pragma once

#include <string>
#include <string_view>

#include <quarq/detail/traceparent.hpp>

namespace quarq::model {

using quarq::detail::traceparent;

/// The names of its headers.
inline constexpr const char* trace_header = "traceparent";
inline constexpr const char* trace_state_header = "tracestate";

/// Of version 00. What is none, or has an id of zeros, is read as one that is not set: it is not passed on.
traceparent parse_traceparent(std::string_view text) noexcept;
/// Empty for one that is not set.
std::string to_text(const traceparent& of);

}  // namespace quarq::model
