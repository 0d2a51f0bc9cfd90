// What brokers keep of a job, turned into what people read.
#pragma once

#include <string>

#include <quarq/job.hpp>

#include "broker/broker.hpp"

namespace quarq::clients {

/// A payload that can't be decoded leaves the fields it would fill empty, and says so in `error`.
job_info describe(const std::string& queue, const broker::job_details& details);

cancel_outcome to_outcome(broker::cancel_result answer);

}  // namespace quarq::clients
