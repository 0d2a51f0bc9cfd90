// The fetching role: claims jobs for free slots.
#include <algorithm>

#include <quarq/time.hpp>

#include "base/log.hpp"
#include "jobs/worker_core.hpp"

namespace quarq::detail {
namespace {

// Enough to make the round trip cheap for each job, and little enough that others get some.
constexpr std::size_t most_at_once = 256;
// While nothing is heard; a lost wake-up would cost this long, if renewing did not notice it first.
constexpr millis longest_nap = std::chrono::minutes(1);
constexpr millis pause_after_error{500};

}  // namespace

awaitable<void> worker_core::fetch() {
  while (!stopping) {
    if (reconcile_wanted) co_await reconcile();
    millis next_due = longest_nap;
    const bool more = co_await claim_once(next_due);
    const bool limit_reached = options.max_jobs != 0 && started >= options.max_jobs;
    if (limit_reached || (options.burst && !more && idle())) break;
    if (stopping) break;
    if (room() == 0) {
      co_await wake->fetch.wait();
    } else if (!more) {
      co_await wake->fetch.wait_for(next_due);
    }
  }
  stopping = true;
}

// Whether there may be more to claim at once. `next_due` is lowered to when a deferred job will be ready.
awaitable<bool> worker_core::claim_once(millis& next_due) {
  bool more = false;
  const auto order = lanes_by_weight();
  for (lane* l : order) {
    const std::size_t most = std::min(room(), most_at_once);
    if (most == 0 || stopping) break;
    if (l->lease.token.empty()) continue;
    try {
      const broker::lease lease = l->lease;
      auto claim = co_await broker->claim(lease, most);
      // Lost meanwhile, and its jobs with it.
      if (lease.token != l->lease.token) continue;
      if (claim.jobs.size() == most) more = true;
      if (claim.next_due) next_due = std::min(next_due, *claim.next_due);
      if (stopping) {
        return_unstarted(*l, claim.jobs);
      } else {
        for (auto& job : claim.jobs) start_job(*l, std::move(job), claim.now);
      }
    } catch (const broker_error& e) {
      // Most likely the lease is lost, which renewing finds out and mends.
      base::log().warn("queue {}: could not claim jobs: {}", l->served.name, e.what());
      next_due = std::min(next_due, pause_after_error);
      l->renew_now.set();
    }
  }
  co_return more;
}

// The stop came while the claim was under way: whoever ends the worker may have counted the running jobs
// already.
void worker_core::return_unstarted(lane& l, const std::vector<broker::claimed_job>& jobs) {
  for (const auto& job : jobs) {
    broker::settlement s;
    s.id = job.id;
    s.kind = broker::settlement::what::hand_back;
    settle(l, std::move(s));
  }
}

// Gives back what is held under our leases but never reached us, because the answer to a claim was lost.
// Stands in the fetching role so that no claim is under way meanwhile.
awaitable<void> worker_core::reconcile() {
  reconcile_wanted = false;
  for (auto& l : lanes) {
    if (l.lease.token.empty()) continue;
    std::vector<std::string> known;
    for (const auto& job : running) {
      if (&job.from == &l) known.push_back(job.claimed.id);
    }
    for (const auto& s : l.outbox) known.push_back(s.id);
    for (const auto& s : l.in_flight) known.push_back(s.id);
    try {
      co_await broker->reconcile(l.lease, std::move(known));
    } catch (const broker_error& e) {
      base::log().warn("queue {}: could not reconcile after reconnecting: {}", l.served.name, e.what());
      l.renew_now.set();
    }
  }
}

// How many more jobs may be claimed. Jobs for busy threads are not hoarded here while another worker may have
// a thread free.
std::size_t worker_core::room() const {
  const auto left = [](std::size_t limit, std::size_t used) { return limit > used ? limit - used : 0; };
  std::size_t free = left(options.concurrency, running.size());
  if (options.max_jobs != 0) free = std::min(free, left(options.max_jobs, started));
  const bool all_plain =
      std::all_of(handlers.begin(), handlers.end(), [](const auto& h) { return !h.second.on_loop; });
  const std::size_t threads_free = left(2 * thread_count, on_threads);
  if (all_plain || threads_free == 0) free = std::min(free, threads_free);
  return free;
}

// A random order in which a queue's chance to be asked first is its weight.
std::vector<lane*> worker_core::lanes_by_weight() {
  std::vector<std::pair<double, lane*>> keyed;
  keyed.reserve(lanes.size());
  for (auto& l : lanes) {
    // Weighted sampling by exponential keys (Efraimidis and Spirakis, 2006).
    std::exponential_distribution<double> key(l.served.weight);
    keyed.emplace_back(lanes.size() > 1 ? key(random) : 0, &l);
  }
  std::sort(keyed.begin(), keyed.end());
  std::vector<lane*> order;
  order.reserve(keyed.size());
  for (const auto& [key, l] : keyed) order.push_back(l);
  return order;
}

}  // namespace quarq::detail
