// The trace that a call belongs to, as W3C's Trace Context writes it (https://www.w3.org/TR/trace-context/).
#pragma once

#include <cstddef>
#include <string_view>

namespace quarq::model {

/// The names of its headers.
inline constexpr const char* trace_header = "traceparent";
inline constexpr const char* trace_state_header = "tracestate";

/// Where they stand in "00-<trace id>-<span id>-<flags>".
inline constexpr std::size_t trace_id_at = 3, span_id_at = 36, flags_at = 53, traceparent_size = 55;

/// Whether it is a traceparent of version 00. Others are not passed on.
bool is_traceparent(std::string_view text) noexcept;

/// The ids in one. REQUIRES: is_traceparent(text).
constexpr std::string_view trace_id_of(std::string_view text) noexcept {
  return text.substr(trace_id_at, 32);
}
constexpr std::string_view span_id_of(std::string_view text) noexcept {
  return text.substr(span_id_at, 16);
}

/// Whether both are traceparents with one trace id.
bool are_of_one_trace(std::string_view one, std::string_view other) noexcept;

}  // namespace quarq::model
