// Durations as people type them.
#pragma once

#include <chrono>
#include <string_view>

namespace quarq::base {

/// "10s", "5min", "1h30min", "250ms", "1.5d"; a number alone is seconds. Throws quarq::usage_error that names the
/// option: "--delay: expected a duration like 10s, ..., got ...".
std::chrono::milliseconds parse_duration(std::string_view option, std::string_view text);

}  // namespace quarq::base
