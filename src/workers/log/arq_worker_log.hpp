// The lines of python-arq's workers, for those whose dashboards know them. docs/arq.md has a list.
#pragma once

#include <memory>

#include "workers/log/worker_log.hpp"

namespace quarq::workers {

std::unique_ptr<worker_log> make_arq_worker_log();

}  // namespace quarq::workers
