// Jobs that wait for other jobs: what they lend meanwhile, and what is said of them.
#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "base/log.hpp"
#include "codecs/utf8.hpp"
#include "workers/job_runner.hpp"
#include "workers/log/printable_job.hpp"

namespace quarq::workers {

void running_job::wait_began(model::job_wait& one) {
  by->wait_began(*this, one);
}
void running_job::wait_ended(model::job_wait& one) noexcept {
  by->wait_ended(*this, one);
}

// A wait for a job of these queues may be in vain while jobs that wait take all slots. What other workers are to run
// keeps its slot: `concurrency` is to limit how much of that is asked for at once.
bool job_runner::serves(const std::string& queue) const {
  const auto& queues = its_.setup.options.queues;
  return std::any_of(queues.begin(), queues.end(), [&](const served_queue& q) { return q.name == queue; });
}

void job_runner::wait_began(running_job& job, model::job_wait& one) {
  job.waits.push_back(one);
  ++job.wait_count;
  // A job that runs alone, or is to, may be what is awaited.
  if (its_.slots.is_closed()) may_be_alone_.set();
  one.lends_slot = serves(one.queue);
  if (!one.lends_slot || ++job.lending_waits > 1) return;
  job.slots->lend();
  ++waiting_;
  if (job.runs_alone) isolation_.paused();
  if (!std::exchange(job.said_that_it_waits, true)) {
    base::log().info("waits    task={} id={}: for job {} of queue {}; its slot is free meanwhile",
                     logged(job).task, logged(job).id, codecs::printable(one.id, max_logged_id), one.queue);
  }
  its_.job_ended();
}

void job_runner::wait_ended(running_job& job, model::job_wait& one) noexcept {
  job.waits.remove(one);
  --job.wait_count;
  if (!one.lends_slot || --job.lending_waits > 0) return;
  job.slots->take_back();
  --waiting_;
  if (job.runs_alone) isolation_.resumed();
}

// How many other jobs are here that do not wait for this one, be it by way of others.
std::size_t job_runner::others_beside(const running_job& job) const {
  std::set<const running_job*> dependents{&job};
  std::set<std::string_view> awaited{job.claimed.id};
  const auto waits_for_it = [&](const running_job& other) {
    return other.waits.any_of([&](const model::job_wait& w) { return awaited.contains(w.id); });
  };
  for (bool found = true; found;) {
    found = false;
    for (const auto& other : running_) {
      if (dependents.contains(&other) || !waits_for_it(other)) continue;
      dependents.insert(&other);
      awaited.insert(other.claimed.id);
      found = true;
    }
  }
  return running_.size() - dependents.size();
}

std::vector<job_runner::waiting> job_runner::first_waiting(std::size_t max) const {
  std::vector<waiting> found;
  for (const auto& job : running_) {
    if (found.size() == max) break;
    if (job.waits.empty()) continue;
    found.push_back({job.claimed.id, job.waits.front().id, job.wait_count - 1});
  }
  return found;
}

}  // namespace quarq::workers
