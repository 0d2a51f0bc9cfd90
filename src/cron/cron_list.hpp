// The cron jobs of a broker, as operators see them and run them by hand.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <quarq/awaitable.hpp>

#include "broker/broker.hpp"

namespace quarq::cron {

struct cron_summary {
  std::string name, queue;
  std::optional<broker::time_point> next;  ///< of the runs that are planned
  std::string next_id;
  std::uint64_t planned = 0, active = 0;  ///< `active`: queued or running
  bool known = false;                     ///< a live worker of the queue handles it
  bool paused = false;
};

/// By name and queue. Of each queue, some hundred planned runs are looked at, those that are due next.
awaitable<std::vector<cron_summary>> all_crons(std::shared_ptr<broker::broker> store);

struct enqueued_run {
  std::string id;
  bool accepted = false;  ///< false: the id was taken
};

/// Enqueues a run of the cron job that is ready at once, besides those that are planned. Throws usage_error for what
/// can't be the name of one, and broker_error.
awaitable<enqueued_run> enqueue_run(std::shared_ptr<broker::broker> store, std::string queue,
                                    std::string name);

}  // namespace quarq::cron
