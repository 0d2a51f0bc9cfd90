#include "workers/job_counters.hpp"

#include <algorithm>
#include <utility>

#include <quarq/errors.hpp>
#include <quarq/gather.hpp>

#include "model/task_counters.hpp"

namespace quarq::workers {

namespace {

duration_histogram difference(const duration_histogram& now, const duration_histogram& before) {
  duration_histogram added;
  for (std::size_t i = 0; i < duration_histogram::ranges; ++i) added.set(i, now.count(i) - before.count(i));
  added.set_sum(now.sum() - before.sum());
  return added;
}

task_stats difference(const task_stats& now, const task_stats& before) {
  task_stats added;
  for (const auto counter : model::task_counters) added.*counter = now.*counter - before.*counter;
  added.waited = difference(now.waited, before.waited);
  added.ran = difference(now.ran, before.ran);
  return added;
}

}  // namespace

task_stats& job_counters::of(const queue_lease& queue, std::string_view task) {
  if (last_ != nullptr && last_queue_ == queue.index && last_->task == task) return last_->total;
  auto& tasks = by_queue_[queue.index].tasks;
  auto found = std::find_if(tasks.begin(), tasks.end(), [&](const entry& e) { return e.task == task; });
  if (found == tasks.end()) {
    tasks.emplace_back().task = task;
    found = tasks.end() - 1;
  }
  last_ = &*found;
  last_queue_ = queue.index;
  return last_->total;
}

std::vector<broker::task_counts> job_counters::take_unreported(of_queue& from) {
  std::vector<broker::task_counts> taken;
  for (auto& one : from.tasks) {
    auto counts = difference(one.total, one.reported);
    if (counts.empty()) continue;
    one.reported = one.total;
    taken.push_back({one.task, counts});
  }
  return taken;
}

void job_counters::put_back(of_queue& into, const std::vector<broker::task_counts>& taken) {
  for (const auto& t : taken) {
    const auto one =
        std::find_if(into.tasks.begin(), into.tasks.end(), [&](const entry& e) { return e.task == t.task; });
    one->reported = difference(one->reported, t.counts);
  }
}

awaitable<void> job_counters::report(broker::broker& store) {
  std::vector<awaitable<void>> under_way;
  for (auto& queue : by_queue_) {
    auto taken = take_unreported(queue);
    if (taken.empty()) continue;
    under_way.push_back(report(store, queue, std::move(taken)));
    if (under_way.size() < reported_together) continue;
    co_await gather(std::move(under_way));
    under_way.clear();
  }
  co_await gather(std::move(under_way));
}

awaitable<void> job_counters::report(broker::broker& store, of_queue& from,
                                     std::vector<broker::task_counts> taken) {
  auto sent = taken;
  try {
    co_await store.add_stats(from.queue, std::move(sent));
  } catch (const broker_error&) {
    put_back(from, taken);  // a store without room for this may still have room for jobs
  }
}

void count_start(task_stats& counts, bool is_first, std::chrono::microseconds waited) {
  ++counts.started;
  if (is_first) counts.waited.add(waited);
}

void count_end(task_stats& counts, job_state state) {
  switch (state) {
    case job_state::succeeded:
      ++counts.succeeded;
      break;
    case job_state::failed:
      ++counts.failed;
      break;
    case job_state::dead:
      ++counts.dead;
      break;
    case job_state::cancelled:
      ++counts.cancelled;
      break;
    case job_state::expired:
      ++counts.expired;
      break;
    case job_state::deferred:
      ++counts.retried;
      break;
    case job_state::queued:
    case job_state::running:
      break;
  }
}

}  // namespace quarq::workers
