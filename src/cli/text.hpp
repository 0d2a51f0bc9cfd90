// Text for a terminal: what is safe to show, how wide it is, and times and durations in words.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <quarq/job_state.hpp>

namespace quarq::cli {

using milliseconds = std::chrono::milliseconds;
using time_point = std::chrono::sys_time<milliseconds>;

/// Any bytes as text that can't control a terminal: control characters, and those that change the direction
/// of writing, become \n, \t or \uXXXX. JSON stays JSON and means the same.
std::string terminal_safe(std::string_view bytes);

/// How many columns terminal-safe text takes.
std::size_t width(std::string_view text) noexcept;
/// The text, or as much of it as fits and "…".
std::string cut(std::string_view text, std::size_t columns);

/// "250 ms", "3 s", "5 min", "2 h", "3 d", rounded down.
std::string rough(milliseconds duration);
/// "3 s ago", "in 2 min", "now".
std::string relative(time_point when, time_point now);
std::string iso8601(time_point when);
time_point now();

// ---- Parsing options. Each throws quarq::usage_error: "--delay: expected ..., got ...".

/// "10s", "5min", "1h30min", "250ms", "1.5d"; a number alone is seconds.
milliseconds parse_duration(std::string_view option, std::string_view text);
/// ISO 8601 with a zone.
std::chrono::system_clock::time_point parse_time(std::string_view option, std::string_view text);
job_state parse_state(std::string_view option, std::string_view text);
int parse_number(std::string_view option, std::string_view text, int min, int max);

}  // namespace quarq::cli
