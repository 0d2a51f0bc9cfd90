// What queues have done lately, as the command shows it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include <quarq/queue_stats.hpp>

namespace quarq::cli {

/// Over how long rates are taken: the minute that is under way, and those before it.
inline constexpr std::chrono::minutes rate_time{5};

/// "240/min", "1.2/min"; empty for none.
std::string rate(std::uint64_t count_in_rate_time);

/// Jobs that ended, however; and attempts that failed, whether another followed or not.
std::uint64_t ended(const task_stats& s);
std::uint64_t failed_attempts(const task_stats& s);

}  // namespace quarq::cli
