// Which line of a log format tells how an attempt ended.
#pragma once

#include <optional>
#include <string_view>

#include "broker/worker_log_format.hpp"
#include "model/retry_decision.hpp"

namespace quarq::workers {

/// Also for jobs that were decided upon without an attempt. `result`: one msgpack value; nullopt if results
/// are not to be logged.
void log_end(const broker::worker_log_format& log, const broker::logged_job& job, const model::attempt& a,
             const model::decision& v, std::optional<std::string_view> result);

}  // namespace quarq::workers
