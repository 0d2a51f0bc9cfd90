// One job as text and as JSON.
#pragma once

#include <string>
#include <vector>

#include <quarq/job.hpp>

#include "broker/broker.hpp"
#include "cli/text.hpp"
#include "cli/worker_card.hpp"

namespace quarq::cli {

/// clients::job_description, with the name of the worker in place of its lease's token where it is known.
job_info describe_job(const std::string& queue, const broker::job_details& details,
                      const worker_names& names);

/// When what the job's state says began or will be over: due, ended, or else enqueued. Empty if not known.
std::string when(const job_info& job, time_point now);
/// "type: message", or what there is of it.
std::string error_of(const job_info& job);

std::string job_json(const job_info& job);
/// A line for each thing known.
std::string job_lines(const job_info& job, time_point now);

}  // namespace quarq::cli
