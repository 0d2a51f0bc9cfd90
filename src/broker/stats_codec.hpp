// Counts of what happened, as stores keep them: a msgpack array of positions and numbers in turn, without those that are 0.
// Redis's scripts add them up, too (redis_common/shared_stats.lua).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <quarq/queue_stats.hpp>

namespace quarq::broker {

/// How many tasks of a queue are told apart in a minute; the others are counted together, as `other_tasks`.
inline constexpr std::size_t max_tasks_counted = 50;
inline constexpr std::string_view other_tasks = "*";

std::string encode_counts(const task_stats& counts);
/// What other versions have put at positions that are unknown here is ignored. What can't be read counts as nothing.
task_stats decode_counts(std::string_view encoded) noexcept;

/// In their order: by minute, then by task. What stands there twice is added up: stores keep apart how many jobs were
/// enqueued.
void merge_minutes(std::vector<task_minute>& all);

}  // namespace quarq::broker
