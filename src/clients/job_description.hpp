// A broker's details of a job as the text that operators read.
#pragma once

#include <string>

#include <quarq/job.hpp>

#include "broker/broker.hpp"
#include "model/record.hpp"

namespace quarq::clients {

/// A job need not be readable to be cancelled, or shown: what can't be decoded counts as empty.
model::record readable_record(const broker::job_details& job);
model::outcome readable_outcome(const broker::job_details& job);

/// Whether a description has what the job has said of itself: its log and its progress.
enum class notes { decoded, left_out };

/// A payload that can't be decoded leaves its fields empty; `error` says why.
job_info job_description(const std::string& queue, const broker::job_details& details,
                         notes said = notes::decoded);

cancel_outcome to_outcome(broker::cancel_result answer);

}  // namespace quarq::clients
