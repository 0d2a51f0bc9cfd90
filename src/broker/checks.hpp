// Checks that every broker makes before it asks its store. All throw usage_error that names the value and the
// limit.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include <quarq/job_state.hpp>

#include "broker/broker.hpp"

namespace quarq::broker {

/// The longest id of a job, bytes.
inline constexpr std::size_t max_id = 255;

/// 1 to 255 bytes.
void check_queue(std::string_view queue);

/// 1 to 255 bytes.
void check_mark(std::string_view name);

/// A lease of one queue at least.
void check_lease(const worker_lease& held);

/// Ids of 1 to 255 bytes and priorities within their range.
void check_jobs(std::span<const new_job> jobs);

/// Refuses to purge running jobs: they belong to their workers.
void check_purge(job_state state);

}  // namespace quarq::broker
