// The counters of quarq::task_stats, for code that treats all of them alike.
#pragma once

#include <cstdint>

#include <quarq/queue_stats.hpp>

namespace quarq::model {

/// In the order of the positions at which stores keep them (broker/stats_codec.hpp): new ones come last.
inline constexpr std::uint64_t task_stats::* task_counters[] = {
    &task_stats::enqueued, &task_stats::started, &task_stats::succeeded,
    &task_stats::failed,   &task_stats::dead,    &task_stats::cancelled,
    &task_stats::expired,  &task_stats::retried, &task_stats::lost};

}  // namespace quarq::model
