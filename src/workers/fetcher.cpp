#include "workers/fetcher.hpp"

#include "base/log.hpp"

namespace quarq::workers {

fetcher::fetcher(params p)
    : its_(std::move(p)),
      planner_(its_.leases.size(), its_.burst, its_.burst_includes_deferred),
      wake_(its_.loop),
      pushed_(its_.leases.size()),
      complaints_(its_.leases.size()),
      paused_(its_.leases.size()) {}

awaitable<void> fetcher::run() {
  while (!stopped_) {
    while (reconcile_wanted_ && !stopped_) co_await reconcile();
    const auto step = planner_.next(situation(), its_.leases, its_.random);
    if (const auto* c = std::get_if<claim_planner::claim>(&step)) {
      co_await claim(its_.leases[c->queue], c->max);
      start_pushed();
    } else if (const auto* w = std::get_if<claim_planner::wait>(&step)) {
      if (w->until) {
        co_await its_.time.wait_until(wake_, *w->until);
      } else {
        co_await wake_.wait();
      }
    } else {
      break;
    }
  }
  stop();
}

claim_planner::situation fetcher::situation() const {
  return {its_.time.now(), room(), its_.slots.is_spent(), its_.is_idle()};
}

awaitable<void> fetcher::claim(queue_lease& l, std::size_t max) {
  try {
    const broker::lease lease = l.lease;
    const auto asked = its_.time.now();
    auto answer = co_await its_.broker.claim(lease, max);
    if (lease.token != l.lease.token) {  // the lease was lost meanwhile, and the jobs with it
      planner_.lost();
      co_return;
    }
    its_.broker_time.note_answer(answer.now, asked);
    note_since(l);
    note_paused(l, answer.paused);
    complaints_[l.index].over();
    bool too_many = false;
    for (auto& job : answer.jobs) {
      // After a stop the worker may have counted its running jobs already. And a job before this one may
      // have to run alone.
      if (stopped_ || its_.slots.is_closed()) {
        too_many = true;
        its_.settlements.hand_back(l, std::move(job.id));
      } else {
        its_.start_job(l, std::move(job), its_.broker_time.now());
      }
    }
    planner_.claimed(l.index, its_.time.now(), answer.jobs.size() == max, answer.next_due);
    if (too_many) planner_.work_ready(l.index);
  } catch (const broker_error& e) {
    complain(l, "could not claim jobs", e);
    planner_.failed(l.index, its_.time.now(), settler::pause_after_error);
    // Most likely the lease is lost, which renewing finds out and mends.
    its_.claim_failed();
    // The broker may have put jobs under the lease before the claim failed.
    reconcile_wanted_ = true;
  }
}

std::size_t fetcher::room() const {
  return its_.slots.room(its_.settlements.unrecorded());
}

void fetcher::note_since(queue_lease& l) const {
  if (l.since == broker::time_point{}) l.since = its_.broker_time.now();
}

void fetcher::note_paused(const queue_lease& l, bool is_paused) {
  if (paused_[l.index] == is_paused) return;
  paused_[l.index] = is_paused;
  base::log().info("queue {} is {}", l.served.name,
                   is_paused ? "paused: its jobs wait until it is resumed" : "resumed");
}

void fetcher::complain(const queue_lease& l, const char* of_what, const broker_error& why) {
  if (complaints_[l.index].may_log(its_.time.now()))
    base::log().warn("queue {}: {}: {}", l.served.name, of_what, why.what());
}

void fetcher::job_pushed(queue_lease& l, const std::string& token, broker::claimed_job job,
                         broker::time_point now) {
  // If the lease was lost, other workers own its jobs. And what is not known to be held, reconcile hands
  // back.
  if (token != l.lease.token) return;
  if ((reconcile_wanted_ || reconciling_) && !stopped_) return;
  its_.broker_time.note_message(now);
  note_since(l);
  pushed_[l.index].push_back(std::move(job));
  if (!planner_.is_claiming()) start_pushed(l);
}

void fetcher::start_pushed() {
  for (auto& l : its_.leases) start_pushed(l);
}

void fetcher::start_pushed(queue_lease& l) {
  bool too_many = false;
  for (auto& job : std::exchange(pushed_[l.index], {})) {
    if (stopped_ || room() == 0) {
      too_many = true;
      its_.settlements.hand_back(l, std::move(job.id));
    } else {
      its_.start_job(l, std::move(job), its_.broker_time.now());
    }
  }
  if (too_many) work_ready(l);
}

void fetcher::work_ready(const queue_lease& l) {
  planner_.work_ready(l.index);
  wake_.set();
}

void fetcher::leave_until(const queue_lease& l, clock::time_point until) {
  planner_.leave_until(l.index, until);
  wake_.set();
}

void fetcher::stop() {
  stopped_ = true;
  planner_.stop();
  wake_.set();
}

void fetcher::reconnected() {
  reconcile_wanted_ = true;
  for (auto& jobs : pushed_) jobs.clear();
  wake_.set();
}

// Hands back what is held under our leases but never reached us, because a claim failed or its answer was
// lost, or the message that pushed it. Stands in this role so that no claim is under way meanwhile.
awaitable<void> fetcher::reconcile() {
  reconcile_wanted_ = false;
  reconciling_ = true;
  bool failed = false;
  for (auto& l : its_.leases) {
    const bool answered = co_await reconcile(l);
    failed = failed || !answered;
  }
  reconciling_ = false;
  if (failed) {
    reconcile_wanted_ = true;
    co_await sleep_for(its_.time, settler::pause_after_error);
  } else {
    for (const auto& l : its_.leases) work_ready(l);
  }
}

awaitable<bool> fetcher::reconcile(queue_lease& l) {
  if (!l.is_held()) co_return true;
  try {
    auto known = its_.held_jobs(l);
    co_await its_.broker.reconcile(l.lease, std::move(known));
    complaints_[l.index].over();
    co_return true;
  } catch (const broker_error& e) {
    complain(l, "could not reconcile", e);
  }
  its_.claim_failed();
  co_return false;
}

}  // namespace quarq::workers
