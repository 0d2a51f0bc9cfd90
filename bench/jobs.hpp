// Measures a queue on any broker.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "report.hpp"

namespace quarq::bench {

struct target {
  std::string group;  ///< in the report
  std::string url;
  std::function<double()> server_cpu_seconds;  ///< empty if there is no server
  std::string floor_group;                     ///< whose figures the ratios refer to
};

void measure_jobs(report& out, const target& at, std::size_t jobs);

/// Only how fast a worker empties queues.
void measure_drains(report& out, const target& at, std::size_t jobs);

/// Only the round trip and the idle worker.
void measure_round_trip(report& out, const target& at);

/// The whole of `quarq-bench jobs`.
int jobs_main(int argc, char** argv);

}  // namespace quarq::bench
