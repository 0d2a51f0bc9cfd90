// Leases as this process knows them, and the health records of their queues.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "broker/arq/poller.hpp"
#include "broker/arq/replies.hpp"
#include "broker/broker.hpp"

namespace quarq::broker::arq {

/// The part of a worker's lease that is for one queue.
struct arq_lease {
  lease held;                                   ///< with the key of its queue
  std::string queue;                            ///< as the worker calls it
  std::shared_ptr<const worker_events> events;  ///< the whole worker's
  milliseconds duration{7000};
  std::string says_begin_from;          ///< as in claim.lua
  std::shared_ptr<arq::poller> poller;  ///< likewise
  /// The jobs held, by id: arq's results repeat the call.
  std::unordered_map<std::string, known_job> jobs;

  /// The counts of arq's health record.
  std::uint64_t complete = 0, failed = 0, retried = 0;
  std::chrono::steady_clock::time_point health_due{};

  std::string logged_health;  ///< its counts, as they were when they were logged or first known

  void count(const settlement& one);
  /// The health record: local time and the counts. How many jobs the queue holds is to be added at the end.
  std::string health(std::chrono::system_clock::time_point now) const;
  /// As arq's workers do, and like them only when the counts have changed.
  void log_health(std::string_view health);
};

}  // namespace quarq::broker::arq
