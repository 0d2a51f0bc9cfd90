// The dashboard's /metrics: what the broker knows of its queues.
#pragma once

#include <string>

#include "dashboard/views.hpp"

namespace quarq::dashboard {

/// OpenMetrics. `now`: Unix time in ms, for ages.
std::string broker_page(const overview_view& of, unix_ms now);

}  // namespace quarq::dashboard
