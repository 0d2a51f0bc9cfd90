// A worker's log for programs: one JSON object a line. docs/worker.md lists the members.
#pragma once

#include <memory>

#include <spdlog/formatter.h>

#include "broker/worker_log_format.hpp"

namespace quarq::workers {

/// Logs what happens to the worker and its jobs as JSON objects without time and level.
const broker::worker_log_format& json_format();

/// Makes lines of them, with time and level, and of every other message: {"time": ..., "message": ...}.
std::unique_ptr<spdlog::formatter> make_json_lines();

}  // namespace quarq::workers
