// One of a worker's queues, with the lease under which the worker holds that queue's jobs.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <quarq/worker.hpp>

#include "broker/broker.hpp"

namespace quarq::workers {

struct queue_lease {
  std::size_t index = 0;  ///< of the queue in worker_options::queues; roles keep their own state by it
  served_queue served;
  broker::lease lease;         ///< its token is empty while none is held
  broker::time_point since{};  ///< the broker's clock when jobs were first claimed under this lease

  bool is_held() const noexcept { return !lease.token.empty(); }
};

/// They stay where they are while the worker runs: jobs refer to theirs.
using queue_leases = std::vector<queue_lease>;

}  // namespace quarq::workers
