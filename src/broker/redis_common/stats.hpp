// What happened with jobs, minute by minute, of both Redis layouts.
#pragma once

#include <string>
#include <vector>

#include <quarq/awaitable.hpp>

#include "broker/broker.hpp"
#include "broker/redis_common/script_runner.hpp"

namespace quarq::broker::redis_common {

/// For add_stats.lua.
std::vector<std::string> stats_args(const std::vector<task_counts>& what);

/// As broker::stats(), by stats.lua, which is asked for an hour at a time.
awaitable<std::vector<task_minute>> fetch_stats(script_runner& calls, quarq::redis::connection& over,
                                                const quarq::redis::script& stats, std::string queue,
                                                task_minute::time_point from, task_minute::time_point until);

}  // namespace quarq::broker::redis_common
