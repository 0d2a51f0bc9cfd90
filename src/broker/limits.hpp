// Default bounds on the contents of a store, so that it does not grow without end unattended.
#pragma once

#include <chrono>
#include <cstddef>

namespace quarq::broker {

/// How many dead jobs a queue keeps; beyond that the oldest are removed.
inline constexpr std::size_t max_dead = 100'000;
/// How long a dead job is kept.
inline constexpr std::chrono::milliseconds dead_kept = std::chrono::days(90);

}  // namespace quarq::broker
