#include "workers/job_metrics.hpp"

#include <algorithm>

namespace quarq::workers {

void prometheus_histogram::add(microseconds took) noexcept {
  const auto time = std::max(took, microseconds{0});
  const auto* const bucket = std::ranges::lower_bound(bounds, time.count());
  ++buckets_[static_cast<std::size_t>(bucket - bounds.begin())];
  sum_ += time;
}

job_metrics::job_metrics(const std::vector<std::string>& queues, const std::vector<std::string>& tasks) {
  for (const auto& name : queues) {
    auto& queue = queues_.emplace_back();
    queue.name = name;
    for (const auto& task : tasks) queue.tasks.try_emplace(task);
    queue.tasks.try_emplace(std::string(other_tasks));
  }
}

job_metrics::task_counts& job_metrics::counts_of(std::size_t queue, std::string_view task) {
  auto& tasks = queues_[queue].tasks;
  const auto found = tasks.find(task);
  return found != tasks.end() ? found->second : tasks.find(other_tasks)->second;
}

void job_metrics::started(std::size_t queue, std::string_view task,
                          std::optional<std::chrono::microseconds> waited) {
  ++counts_of(queue, task).started;
  if (waited) queues_[queue].waited.add(*waited);
}

void job_metrics::ended(std::size_t queue, std::string_view task, job_state became, bool has_begun,
                        std::chrono::microseconds ran) {
  auto& counts = counts_of(queue, task);
  ++counts.ended[static_cast<std::size_t>(became)];
  if (has_begun) counts.ran.add(ran);
}

std::string_view outcome_label(job_state became) noexcept {
  if (became == job_state::deferred) return "retried";
  if (became == job_state::queued) return "handed_back";
  return to_string(became);
}

}  // namespace quarq::workers
