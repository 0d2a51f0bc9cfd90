// Requests at a fixed rate, whether or not the earlier ones have been answered.
#pragma once

#include <chrono>

namespace quarq::bench {

struct answer_times {
  double p50_ms = 0;
  double p99_ms = 0;
  /// How late a request was sent although its connection was free: what is not the server's doing.
  double own_p99_ms = 0;
};

/// Connections that ask without end, each as often as the kernel takes requests, and read what comes.
struct storm {
  int connections = 0;
};

/// Sends GET /users/7 at this rate (requests/s) over this many connections. The time of an answer counts from when its
/// request was due, not from when it could be sent, so that a server that stands still is seen. It never sleeps, for
/// whatever wakes it would be measured as well; on the second processor, for servers run on the first.
answer_times ask_at_rate(int port, double rate, int connections, std::chrono::seconds duration,
                         storm beside = {});

}  // namespace quarq::bench
