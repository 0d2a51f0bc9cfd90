#include "workers/parked_jobs.hpp"

#include <utility>

#include "base/log.hpp"
#include "codecs/utf8.hpp"
#include "workers/fetcher.hpp"
#include "workers/log/printable_job.hpp"
#include "workers/running_job.hpp"

namespace quarq::workers {

void parked_jobs::park(const running_job& job, std::string until_ended) {
  if (until_ended.empty() && parked_.size() >= max_kept && !its_.burst) {
    if (job.is_ours()) its_.settlements.hand_back(job.from, job.claimed.id);
    its_.claims.leave_until(job.from, its_.time.now() + keep_for);
    return;
  }
  const auto at =
      parked_.insert(parked_.end(), parked_job{job.from, job.token, job.claimed.id, std::move(until_ended)});
  its_.roles.spawn(keep(at));
}

awaitable<void> parked_jobs::keep(place job) {
  const bool others_may_know = job->until_ended.empty();
  if (others_may_know) {
    const milliseconds pause = its_.burst ? keep_in_burst : keep_for;
    co_await sleep_for(its_.time, pause);
  } else {
    co_await wait_ended(*job);
  }
  hand_back(*job);
  auto& queue = job->from;
  parked_.erase(job);
  if (others_may_know) {
    its_.claims.leave_until(queue, its_.time.now() + reclaim_delay);
  } else {
    its_.claims.work_ready(queue);
  }
}

awaitable<void> parked_jobs::wait_ended(parked_job& job) {
  while (!job.handed_back) {
    try {
      co_await its_.broker.wait_ended(job.from.served.name, job.until_ended);
      co_return;
    } catch (const broker_error& e) {
      base::log().warn("could not wait for {}, trying again: {}",
                       codecs::printable(job.until_ended, max_logged_id), e.what());
    }
    co_await sleep_for(its_.time, settler::pause_after_error);
  }
}

// If the lease was lost, another worker already owns the job.
void parked_jobs::hand_back(parked_job& job) {
  if (std::exchange(job.handed_back, true) || job.token != job.from.lease.token) return;
  its_.settlements.hand_back(job.from, job.id);
}

void parked_jobs::cancel_requested(queue_lease& of, const std::string& id) {
  for (auto& job : parked_) {
    if (&job.from != &of || job.id != id) continue;
    hand_back(job);
    its_.claims.work_ready(of);
  }
}

void parked_jobs::hand_back_all() {
  for (auto& job : parked_) hand_back(job);
}

void parked_jobs::append_ids(const queue_lease& of, std::vector<std::string>& ids) const {
  for (const auto& job : parked_) {
    if (&job.from == &of) ids.push_back(job.id);
  }
}

}  // namespace quarq::workers
