// One job as text and as JSON.
#pragma once

#include <string>
#include <vector>

#include <quarq/job.hpp>

#include "broker/broker.hpp"
#include "cli/text.hpp"
#include "clients/worker_info.hpp"

namespace quarq::cli {

/// clients::job_description, with the name of the worker in place of its lease's token where it is known.
job_info described_job(const std::string& queue, const broker::job_details& details,
                       const clients::worker_names& names);

/// The time that matters in the job's state, relative to `now`: when it is due, ended, or else was enqueued.
/// Empty if not known.
std::string when(const job_info& job, time_point now);
/// "type: message", or the one of them that is not empty.
std::string error_of(const job_info& job);

/// `waits_for`: another job; empty: for none. nullopt: that was not asked.
std::string job_json(const job_info& job, const std::optional<std::string>& waits_for = std::nullopt);
/// One line for each field that is known.
std::string job_lines(const job_info& job, time_point now, const std::string& waits_for);

}  // namespace quarq::cli
