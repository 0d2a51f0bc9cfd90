// Requests at a fixed rate, whether or not the earlier ones have been answered.
#pragma once

#include <chrono>

namespace quarq::bench {

struct answer_times {
  double p50_ms = 0;
  double p99_ms = 0;
};

/// Sends GET /users/7 at this rate (requests/s) over this many connections. The time of an answer counts from when its
/// request was due, not from when it could be sent, so that a server that stands still is seen.
answer_times ask_at_rate(int port, double rate, int connections, std::chrono::seconds duration);

}  // namespace quarq::bench
