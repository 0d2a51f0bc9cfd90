// Which traces are recorded.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include <quarq/trace.hpp>

namespace quarq::trace {

/// The same number for the same text, as if it had been drawn.
std::uint64_t number_of(std::string_view text) noexcept;

/// Whether a trace whose id ends in these 64 bits is among the share. By the last 56 bits, as W3C's Trace
/// Context (level 2) and OpenTelemetry's "traceidratio" have it: R >= 2^56 * (1 - ratio).
bool is_in_share(std::uint64_t id_end, double ratio) noexcept;

/// As trace_sampling::from_environment, by what `variable` returns: null if it is not set. Tells `warn` what
/// can't be read.
trace_sampling sampling_from(const std::function<const char*(const char*)>& variable,
                             const std::function<void(const std::string&)>& warn);

}  // namespace quarq::trace
