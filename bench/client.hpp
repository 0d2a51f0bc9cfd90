// The blocking client, compared to the awaited form of the same calls.
#pragma once

#include "jobs.hpp"

namespace quarq::bench {

void measure_client(report& out, const target& at);

}  // namespace quarq::bench
