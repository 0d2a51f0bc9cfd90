// The trace that a call belongs to, as W3C's Trace Context writes it (https://www.w3.org/TR/trace-context/).
#pragma once

#include <string_view>

namespace quarq::model {

/// The names of its headers.
inline constexpr const char* trace_header = "traceparent";
inline constexpr const char* trace_state_header = "tracestate";

/// Whether it is a traceparent of version 00. Others are not passed on.
bool is_traceparent(std::string_view text) noexcept;

}  // namespace quarq::model
