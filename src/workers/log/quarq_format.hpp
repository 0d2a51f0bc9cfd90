// quarq's own log lines: a verb, then facts as name=value.
#pragma once

#include "broker/worker_log_format.hpp"

namespace quarq::workers {

const broker::worker_log_format& quarq_format();

}  // namespace quarq::workers
