// The lines of debug_timer.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace quarq::debug {

/// base::human_duration, with "480 ns" and "1.5 us" for what is short.
std::string short_duration(std::chrono::nanoseconds duration);

/// "load: lap 2 (parsed): 3.5 ms, 5.0 ms in all"
std::string lap_line(std::string_view label, std::size_t number, std::string_view name,
                     std::chrono::nanoseconds lap, std::chrono::nanoseconds all);
/// "load: 12 ms", "load: 12 ms, 3 laps of 3.5 ms on average"
std::string end_line(std::string_view label, std::chrono::nanoseconds all, std::size_t laps,
                     std::chrono::nanoseconds in_laps);

}  // namespace quarq::debug
