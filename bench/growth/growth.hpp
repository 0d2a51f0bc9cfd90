// What a job costs as something grows: one point at a time, each in a process and a store of its own.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <quarq/awaitable.hpp>
#include <quarq/queue.hpp>

namespace quarq::bench::growth {

/// A private store, empty at first: a redis-server without persistence, or a SQLite file with every commit on
/// disk. Its destructor removes it.
class store {
 public:
  virtual ~store() = default;
  virtual const std::string& url() const = 0;
  /// CPU seconds of its server; 0 if there is none.
  virtual double server_cpu() = 0;
  virtual double stored_bytes() = 0;
};
/// `kind`: redis or sqlite.
std::unique_ptr<store> make_store(const std::string& kind);

/// What was measured at one point: figures by their names, each with its unit.
using figures = std::vector<std::pair<std::string, double>>;

/// Seconds and CPU seconds (worker and server) of a worker that empties a queue, without those of a worker
/// that finds it empty.
struct drain_cost {
  double seconds = 0, cpu = 0;
};
drain_cost drain(store& at, const std::vector<std::string>& queues, std::size_t jobs);
void add_drain(figures& to, const drain_cost& cost, std::size_t jobs);

/// Enqueues so many that do nothing, in bulks of 1,000, and returns the microseconds for one of the last
/// 10,000.
double fill(store& at, const std::string& queue_name, std::size_t jobs, std::size_t bytes = 120);

/// The medians of round trips one after another, in microseconds, through a worker that is there.
double round_trip(store& at, const std::string& queue_name);

// One thing grows in each of these; `n` is how much of it there is.
figures queued(store& at, std::size_t n);
figures deferred(store& at, std::size_t n);
figures kept(store& at, std::size_t n);
figures payload(store& at, std::size_t n);
figures cancelled(store& at, std::size_t n);
figures queues(store& at, std::size_t n);
figures idle_workers(store& at, std::size_t n);
figures busy_workers(store& at, std::size_t n);
figures waiting(store& at, std::size_t n);

}  // namespace quarq::bench::growth

namespace quarq::bench {

/// `quarq-bench growth WHAT STORE N`: prints the figures of one point as JSON. bench/growth/run.py calls it.
int growth_main(int argc, char** argv);

}  // namespace quarq::bench
