// One of a worker's queues, with the lease under which the worker holds that queue's jobs.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <quarq/worker.hpp>

#include "broker/broker.hpp"
#include "workers/clock.hpp"

namespace quarq::workers {

struct queue_lease {
  std::size_t index = 0;  ///< of the queue in worker_options::queues; roles keep their own state by it
  served_queue served;
  broker::lease lease;         ///< its token is empty while none is held
  broker::time_point since{};  ///< the broker's clock when jobs were first claimed under this lease

  /// By this worker's own clock: until then no other worker can have been given the jobs under this lease.
  clock::time_point sure_until = clock::time_point::max();

  bool is_held() const noexcept { return !lease.token.empty(); }
  /// Whether jobs may be started under it.
  bool is_sure(clock::time_point now) const noexcept { return is_held() && now <= sure_until; }
};

/// They stay where they are while the worker runs: jobs refer to theirs.
using queue_leases = std::vector<queue_lease>;

}  // namespace quarq::workers
