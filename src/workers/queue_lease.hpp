// One of a worker's queues, with its part of the worker's lease: the jobs of that queue are held under it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
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

/// That of the queue with this name; nullptr: the worker does not serve it.
inline queue_lease* find_queue(queue_leases& leases, std::string_view queue) {
  const auto found =
      std::find_if(leases.begin(), leases.end(), [&](const auto& l) { return l.served.name == queue; });
  return found == leases.end() ? nullptr : &*found;
}

}  // namespace quarq::workers
