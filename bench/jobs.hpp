// What is measured of a queue, whatever its broker.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "report.hpp"

namespace quarq::bench {

struct place {
  std::string group;  ///< in the report
  std::string url;
  std::function<double()> server_cpu_seconds;  ///< empty where there is no server
  std::string floor_group;                     ///< whose figures the ratios refer to
};

void measure_jobs(report& out, const place& at, std::size_t jobs);

/// Of these, the round trip and the idle worker alone.
void measure_round_trip(report& out, const place& at);

/// The whole of `quarq-bench jobs`.
int jobs_main(int argc, char** argv);

}  // namespace quarq::bench
