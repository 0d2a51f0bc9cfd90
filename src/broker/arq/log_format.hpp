// The log lines of python-arq's workers, for dashboards that know them. docs/arq.md lists them.
#pragma once

#include "broker/worker_log_format.hpp"

namespace quarq::broker::arq {

const worker_log_format& arq_log_format();

}  // namespace quarq::broker::arq
