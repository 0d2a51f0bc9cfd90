// What a worker counts of the jobs that it runs: by queue and task, since it began. Belongs to the worker's loop.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <quarq/job_state.hpp>

namespace quarq::workers {

/// How often something took how long, as Prometheus' histograms have it.
class prometheus_histogram {
 public:
  using microseconds = std::chrono::microseconds;

  /// Upper bounds of the buckets, in microseconds. Behind the last one there is a bucket without a bound.
  static constexpr std::array<std::int64_t, 14> bounds = {
      1'000,   5'000,     10'000,    25'000,    50'000,     100'000,    250'000,
      500'000, 1'000'000, 2'500'000, 5'000'000, 10'000'000, 60'000'000, 300'000'000};

  /// What is negative counts as 0.
  void add(microseconds took) noexcept;

  /// How many there were in each bucket alone; not the sum of those before.
  const std::array<std::uint64_t, bounds.size() + 1>& buckets() const noexcept { return buckets_; }
  microseconds sum() const noexcept { return sum_; }

 private:
  std::array<std::uint64_t, bounds.size() + 1> buckets_{};
  microseconds sum_{0};
};

class job_metrics {
 public:
  /// Ends of attempts: by what became of the job.
  static constexpr std::size_t outcomes = static_cast<std::size_t>(job_state::dead) + 1;
  /// What stands in place of a task that is not handled here: anybody may enqueue any name.
  static constexpr std::string_view other_tasks = "other";

  struct task_counts {
    std::array<std::uint64_t, outcomes>
        ended{};  ///< by job_state; deferred: will be retried; queued: handed back
    std::uint64_t started = 0;
    prometheus_histogram ran;
  };
  struct queue_counts {
    std::string name;
    prometheus_histogram waited;  ///< from when a job was due to its start
    std::map<std::string, task_counts, std::less<>> tasks;
  };

  /// `tasks`: those that are told apart.
  job_metrics(const std::vector<std::string>& queues, const std::vector<std::string>& tasks);

  /// `queue`: its place in `queues`.
  /// `waited`: since it was due; nullopt: for another reason than that the queue is busy.
  void started(std::size_t queue, std::string_view task, std::optional<std::chrono::microseconds> waited);
  /// An attempt has ended. `has_begun`: its handler was called, for the time `ran`.
  void ended(std::size_t queue, std::string_view task, job_state became, bool has_begun,
             std::chrono::microseconds ran);

  /// The lease of a queue was lost, and the jobs with it that ran here.
  void lease_lost() noexcept { ++leases_lost_; }

  const std::vector<queue_counts>& queues() const noexcept { return queues_; }
  std::uint64_t leases_lost() const noexcept { return leases_lost_; }

 private:
  task_counts& counts_of(std::size_t queue, std::string_view task);

  std::vector<queue_counts> queues_;
  std::uint64_t leases_lost_ = 0;
};

/// "succeeded", "retried", "handed_back", ...: the label `outcome`.
std::string_view outcome_label(job_state became) noexcept;

}  // namespace quarq::workers
