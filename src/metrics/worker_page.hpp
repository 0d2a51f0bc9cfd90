// What a worker's /metrics shows.
#pragma once

#include <quarq/awaitable.hpp>
#include <quarq/http/answers.hpp>

#include "metrics/openmetrics_text.hpp"
#include "workers/metrics_endpoint.hpp"

namespace quarq::metrics {

/// Writes it in parts of some 64 KiB, between which the loop goes on.
awaitable<void> write_worker_page(const workers::observed_worker& of, http::body_writer& out);

/// Of this process, by the names that Prometheus' client libraries use: CPU time, memory, descriptors, start.
void add_process(openmetrics_text& page);

}  // namespace quarq::metrics
