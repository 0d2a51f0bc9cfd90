// The fetching role: claims jobs for free slots.
#include <algorithm>

#include <quarq/time.hpp>

#include "base/log.hpp"
#include "workers/worker_core.hpp"

namespace quarq::detail {
namespace {

// Enough to make the round trip cheap for each job, and little enough that others get some.
constexpr std::size_t max_claimed = 256;
// While nothing is heard; a lost wake-up would cost this long, if renewing did not notice it first.
constexpr milliseconds max_idle_wait = std::chrono::minutes(1);

}  // namespace

awaitable<void> worker_core::fetch() {
  while (!stopping) {
    while (reconcile_wanted && !stopping) co_await reconcile();
    const bool more = co_await claim_once();
    const bool limit_reached = options.max_jobs != 0 && started >= options.max_jobs;
    if (limit_reached || (options.burst && !more && idle() && !crons_beginning)) break;
    if (stopping) break;
    if (room() == 0) {
      co_await wake->fetch.wait();
    } else if (!more) {
      co_await wake->fetch.wait_for(until_next_claim());
    }
  }
  stopping = true;
}

// Whether there may be more to claim at once. A queue that has promised to tell of jobs is left alone.
awaitable<bool> worker_core::claim_once() {
  bool more = false;
  const auto order = lanes_by_weight();
  for (lane* l : order) {
    const std::size_t max = std::min(room(), max_claimed);
    if (max == 0 || stopping) break;
    if (l->lease.token.empty()) continue;
    // Whether a burst is over only a claim can say.
    if (l->promised_until && steady::now() < *l->promised_until && !options.burst) continue;
    const bool more_here = co_await claim_from(*l, max);
    more = more || more_here;
  }
  co_return more;
}

awaitable<bool> worker_core::claim_from(lane& l, std::size_t max) {
  bool more = false;
  l.woken = false;
  l.claiming = true;
  milliseconds nap = max_idle_wait;
  try {
    const broker::lease lease = l.lease;
    auto claim = co_await broker->claim(lease, max);
    l.claiming = false;
    // Lost meanwhile, and its jobs with it.
    if (lease.token != l.lease.token) co_return false;
    note_clock(l, claim.now);
    more = claim.jobs.size() == max;
    if (claim.next_due) nap = std::min(nap, *claim.next_due);
    if (stopping) {
      return_unstarted(l, claim.jobs);
    } else {
      for (auto& job : claim.jobs) start_job(l, std::move(job), claim.now);
    }
  } catch (const broker_error& e) {
    // Most likely the lease is lost, which renewing finds out and mends.
    base::log().warn("queue {}: could not claim jobs: {}", l.served.name, e.what());
    nap = pause_after_error;
    l.renew_now.set();
  }
  l.claiming = false;
  more = more || l.woken;
  l.promised_until.reset();
  if (!more) l.promised_until = steady::now() + nap;
  start_given(l);
  co_return more;
}

// A job that the broker gave us without being asked.
void worker_core::job_given(lane& l, const std::string& token, broker::claimed_job job,
                            broker::time_point now) {
  // A lost lease's jobs are others' now; and what is not known to be held is given back by reconcile.
  if (token != l.lease.token) return;
  if ((reconcile_wanted || reconciling) && !stopping) return;
  note_clock(l, now);
  l.given.emplace_back(std::move(job), now);
  if (!l.claiming) start_given(l);
}

void worker_core::start_given(lane& l) {
  std::vector<broker::claimed_job> too_many;
  for (auto& [job, now] : std::exchange(l.given, {})) {
    if (stopping || room() == 0) {
      too_many.push_back(std::move(job));
    } else {
      start_job(l, std::move(job), now);
    }
  }
  if (too_many.empty()) return;
  return_unstarted(l, too_many);
  ask_again(l);
}

// There is work, or the promise to tell of it has ended.
void worker_core::ask_again(lane& l) {
  l.woken = true;
  l.promised_until.reset();
  wake->fetch.set();
}

void worker_core::ask_all_again() {
  for (auto& l : lanes) ask_again(l);
}

milliseconds worker_core::until_next_claim() const {
  const auto now = steady::now();
  auto next = now + max_idle_wait;
  for (const auto& l : lanes) {
    if (l.promised_until) next = std::min(next, *l.promised_until);
  }
  return std::max(std::chrono::ceil<milliseconds>(next - now), milliseconds{0});
}

// The stop came while the claim was under way, when whoever ends the worker may have counted the running jobs
// already; or there is no slot for what was given.
void worker_core::return_unstarted(lane& l, const std::vector<broker::claimed_job>& jobs) {
  for (const auto& job : jobs) {
    broker::settlement s;
    s.id = job.id;
    s.kind = broker::settlement::what::hand_back;
    settle(l, std::move(s));
  }
}

// Gives back what is held under our leases but never reached us, because the answer to a claim was lost or
// the message that gave it. Stands in the fetching role so that no claim is under way meanwhile.
awaitable<void> worker_core::reconcile() {
  reconcile_wanted = false;
  reconciling = true;
  bool failed = false;
  for (auto& l : lanes) {
    if (l.lease.token.empty()) continue;
    std::vector<std::string> known;
    for (const auto& job : running) {
      if (&job.from == &l) known.push_back(job.claimed.id);
    }
    for (const auto& a : asides) {
      if (&a.from == &l) known.push_back(a.id);
    }
    for (const auto& s : l.outbox) known.push_back(s.id);
    for (const auto& s : l.in_flight) known.push_back(s.id);
    try {
      co_await broker->reconcile(l.lease, std::move(known));
    } catch (const broker_error& e) {
      base::log().warn("queue {}: could not reconcile after reconnecting: {}", l.served.name, e.what());
      l.renew_now.set();
      failed = true;
    }
  }
  reconciling = false;
  ask_all_again();
  if (!failed) co_return;
  reconcile_wanted = true;
  co_await wake->fetch.wait_for(pause_after_error);
}

// How many more jobs may be claimed. What the next job is nobody knows: as soon as one kind of place is full,
// another worker may have one free, and jobs are not hoarded here.
std::size_t worker_core::room() const {
  const auto left = [](std::size_t limit, std::size_t used) { return limit > used ? limit - used : 0; };
  std::size_t free = left(options.concurrency, running.size());
  if (options.max_jobs != 0) free = std::min(free, left(options.max_jobs, started));
  std::size_t places_free = 0;
  for (const auto* kind : {&on_loop, &on_threads, &in_processes}) {
    if (kind->max == 0) continue;
    const std::size_t here = left(kind->max, kind->taken);
    if (here == 0) return 0;
    places_free += here;
  }
  return std::min(free, places_free);
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
