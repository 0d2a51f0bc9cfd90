#include "workers/fetcher.hpp"

#include <algorithm>

#include <boost/asio/post.hpp>

#include "base/log.hpp"

namespace quarq::workers {

namespace asio = boost::asio;

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
    return_late();
    const auto step = planner_.next(situation(), its_.leases, its_.random);
    if (const auto* c = std::get_if<claim_planner::claim>(&step)) {
      start_after_the_claim_is_sent();
      co_await claim(its_.leases[c->queue], c->max);
      start_pushed();
    } else if (can_start() && !start_is_posted_) {
      start_arrived();
    } else if (const auto* w = std::get_if<claim_planner::wait>(&step)) {
      const auto until = wait_limit(w->until);
      if (until) {
        co_await its_.time.wait_until(wake_, *until);
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
  return {its_.time.now(), room_worth_a_claim(), its_.slots.is_spent(), arrived_.empty() && its_.is_idle()};
}

awaitable<void> fetcher::claim(queue_lease& l, std::size_t max) {
  asked_for_ = max;
  try {
    const broker::lease lease = l.lease;
    const auto asked = its_.time.now();
    auto answer = co_await its_.broker.claim(lease, max);
    asked_for_ = 0;
    if (lease.token != l.lease.token) {  // the lease was lost meanwhile, and the jobs with it
      planner_.lost();
      co_return;
    }
    its_.broker_time.note_answer(answer.now, asked);
    note_since(l);
    note_paused(l, answer.paused);
    complaints_[l.index].over();
    const auto now = its_.time.now();
    planner_.claimed(l.index, now, answer.jobs.size() == max, answer.next_due);
    for (auto& job : answer.jobs) arrived_.push_back({l, std::move(job), now});
    // After a stop the worker may have counted its running jobs already. And another job may have to run alone.
    if (stopped_ || its_.slots.is_closed()) hand_back_arrived();
  } catch (const broker_error& e) {
    asked_for_ = 0;
    complain(l, "could not claim jobs", e);
    planner_.failed(l.index, its_.time.now(), settler::pause_after_error);
    // Most likely the lease is lost, which renewing finds out and mends.
    its_.claim_failed();
    // The broker may have put jobs under the lease before the claim failed.
    reconcile_wanted_ = true;
  }
}

// The store takes the jobs of the next claim out while those of the last one run: they begin when that claim is on its
// way. It is written by what the claim posts to the loop, which runs between these two posts.
void fetcher::start_after_the_claim_is_sent() {
  if (arrived_.empty()) return;
  asio::post(its_.loop, [self = std::weak_ptr(self_)] {
    if (const auto here = self.lock()) (*here)->start_in_the_next_turn();
  });
}

void fetcher::start_in_the_next_turn() {
  if (std::exchange(start_is_posted_, true)) return;
  asio::post(its_.loop, [self = std::weak_ptr(self_)] {
    const auto here = self.lock();
    if (!here) return;
    (*here)->start_is_posted_ = false;
    (*here)->start_arrived();
  });
}

bool fetcher::can_start() const {
  return !arrived_.empty() && (its_.slots.has_slot() || its_.slots.is_closed());
}

void fetcher::start_arrived() {
  if (arrived_.empty() || std::exchange(is_starting_, true)) return;
  const auto now = its_.broker_time.now();
  for (std::size_t left = started_together; can_start(); --left) {
    // A job before this one may have to run alone.
    if (its_.slots.is_closed()) {
      hand_back_arrived();
      break;
    }
    if (left == 0) {
      start_in_the_next_turn();
      break;
    }
    auto next = std::move(arrived_.front());
    arrived_.pop_front();
    its_.start_job(next.from, std::move(next.job), now);
  }
  is_starting_ = false;
}

void fetcher::hand_back_arrived() {
  for (auto& each : std::exchange(arrived_, {})) {
    its_.settlements.hand_back(each.from, std::move(each.job.id));
    planner_.work_ready(each.from.get().index);
  }
}

// Those that wait here for a slot could run elsewhere.
void fetcher::return_late() {
  if (arrived_.empty() || its_.slots.has_slot()) return;
  if (its_.time.now() - arrived_.front().since < work_ahead::max_wait) return;
  its_.slots.note_delay();
  hand_back_arrived();
}

std::optional<clock::time_point> fetcher::wait_limit(std::optional<clock::time_point> planned) const {
  if (arrived_.empty()) return planned;
  const auto late = arrived_.front().since + work_ahead::max_wait;
  return planned ? std::min(*planned, late) : late;
}

std::size_t fetcher::room() const {
  const auto free = its_.slots.room(its_.settlements.unrecorded());
  const auto taken = asked_for_ + arrived_.size();
  return free > taken ? free - taken : 0;
}

// While jobs wait here for slots, a claim for one more with each that ends would cost more than it brings.
std::size_t fetcher::room_worth_a_claim() const {
  const auto free = room();
  const bool is_enough = arrived_.empty() || 2 * free >= its_.slots.ahead_of_slots();
  return is_enough ? free : 0;
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
  if (pushed_[l.index].empty()) return;
  bool too_many = false;
  for (auto& job : std::exchange(pushed_[l.index], {})) {
    if (stopped_ || room() == 0) {
      too_many = true;
      its_.settlements.hand_back(l, std::move(job.id));
    } else {
      arrived_.push_back({l, std::move(job), its_.time.now()});
      start_arrived();
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
  hand_back_arrived();
  wake_.set();
}

void fetcher::lease_lost(const queue_lease& l) {
  pushed_[l.index].clear();
  std::erase_if(arrived_, [&](const auto& each) { return &each.from.get() == &l; });
}

void fetcher::cancel_requested(queue_lease& l, const std::string& id) {
  const auto found = std::find_if(arrived_.begin(), arrived_.end(), [&](const auto& each) {
    return &each.from.get() == &l && each.job.id == id;
  });
  if (found == arrived_.end()) return;
  arrived_.erase(found);
  its_.settlements.hand_back(l, id);
  work_ready(l);
}

void fetcher::append_ids(const queue_lease& of, std::vector<std::string>& ids) const {
  for (const auto& each : arrived_) {
    if (&each.from.get() == &of) ids.push_back(each.job.id);
  }
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
