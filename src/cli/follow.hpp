// quarq jobs --follow
#pragma once

#include "cli/command.hpp"
#include "cli/filter.hpp"

namespace quarq::cli {

/// Prints what becomes of the queue's jobs, until a signal asks for the end, or nobody reads it any more. Returns the
/// exit code. Throws broker_error for a store that does not come back.
int follow_jobs(const queue_ptr& queue, const filter_options& which, bool json);

}  // namespace quarq::cli
