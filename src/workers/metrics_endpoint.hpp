// A worker's metrics and health over HTTP, for code that is linked with or without the library quarq::metrics.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <quarq/awaitable.hpp>
#include <quarq/trace.hpp>

#include "workers/job_counters.hpp"

namespace quarq::workers {

/// How a worker is doing at this moment.
struct worker_state {
  std::string not_ready;  ///< why it takes no jobs, as a sentence; empty: it does
  std::size_t running = 0;
  std::size_t waiting = 0;                  ///< of those, for other jobs
  std::size_t concurrency = 0;              ///< how many may run
  std::uint64_t leases_lost = 0;            ///< since the worker began, each queue's by itself
  std::size_t unrecorded = 0;               ///< ends that the broker has not answered to
  std::optional<span_counts> spans;         ///< of the program, if it is traced
  std::chrono::milliseconds lease_left{0};  ///< for how long it is sure to keep its jobs without an answer
};

/// What an endpoint shows. To be called on the worker's loop.
struct observed_worker {
  std::string name;  ///< host:pid
  const job_counters* jobs = nullptr;
  std::function<worker_state()> state;
};

class metrics_endpoint {
 public:
  virtual ~metrics_endpoint() = default;
  /// Serves until it is cancelled.
  virtual awaitable<void> run() = 0;
};

/// `address`: "127.0.0.1:9100". Throws usage_error for one that can't be used, and boost::system::system_error if
/// the port is taken.
using endpoint_maker = std::unique_ptr<metrics_endpoint> (*)(const std::string& address, observed_worker of);
/// For a static initialiser of the library quarq::metrics.
void set_endpoint_maker(endpoint_maker maker) noexcept;

/// Throws usage_error, naming the library, if the program is not linked with quarq::metrics.
std::unique_ptr<metrics_endpoint> make_endpoint(const std::string& address, observed_worker of);

}  // namespace quarq::workers
