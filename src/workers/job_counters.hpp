// What happens to the jobs of a worker, counted by queue and task: for its store, which keeps it minute by minute.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include <quarq/awaitable.hpp>
#include <quarq/queue_stats.hpp>

#include "broker/broker.hpp"
#include "workers/queue_lease.hpp"

namespace quarq::workers {

/// For one loop.
class job_counters {
 public:
  explicit job_counters(const queue_leases& leases) : by_queue_(leases.size()) {
    for (const auto& l : leases) by_queue_[l.index].queue = l.served.name;
  }

  /// The counts of a task, from the worker's start on. `task`: of those that the worker handles, of which there are
  /// not too many; empty for all others. The reference is valid as long as this is.
  task_stats& of(const queue_lease& queue, std::string_view task);

  struct entry {
    std::string task;
    task_stats total;
    task_stats reported;  ///< of that, what the store has been told
  };
  struct of_queue {
    std::string queue;
    std::deque<entry> tasks;
  };
  const std::vector<of_queue>& all() const noexcept { return by_queue_; }

  /// Tells the store what has been added since it was told last. What it has not taken is told with the next call;
  /// where its answer was lost, that may be twice. Several calls may be under way.
  awaitable<void> report(broker::broker& store);

 private:
  /// Of so many queues at a time: they share a transaction, or a write to the server.
  static constexpr std::size_t reported_together = 200;

  static awaitable<void> report(broker::broker& store, of_queue& from,
                                std::vector<broker::task_counts> taken);
  static std::vector<broker::task_counts> take_unreported(of_queue& from);
  static void put_back(of_queue& into, const std::vector<broker::task_counts>& taken);

  std::vector<of_queue> by_queue_;
  entry* last_ = nullptr;  ///< mostly the next one is of the same task
  std::size_t last_queue_ = 0;
};

/// An attempt has begun. `waited`: how long after the job was due.
void count_start(task_stats& counts, bool is_first, std::chrono::microseconds waited);
/// A job has ended in this state, or is to be tried again (deferred).
void count_end(task_stats& counts, job_state state);

}  // namespace quarq::workers
