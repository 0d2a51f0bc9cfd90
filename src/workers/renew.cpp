// The renewing role: keeps a queue's lease, and makes a new one when it was lost.
#include <algorithm>

#include <quarq/time.hpp>

#include "base/ids.hpp"
#include "base/log.hpp"
#include "workers/worker_core.hpp"

namespace quarq::detail {

broker::lease_terms worker_core::lease_terms() const {
  return {options.lease, card()};
}

awaitable<void> worker_core::open(lane& l) {
  broker::lease fresh{l.served.name, base::make_id()};
  broker::worker_events hear;
  const std::weak_ptr<worker_core> weak = weak_from_this();
  hear.work_ready = [weak, &l] {
    if (const auto self = weak.lock(); self && self->wake) self->ask_again(l);
  };
  // A burst ends when a claim brings nothing, and who may start so many jobs wants no others.
  if (!options.burst && options.max_jobs == 0) {
    hear.job_given = [weak, &l, token = fresh.token](broker::claimed_job job, broker::time_point now) {
      if (const auto self = weak.lock(); self && self->wake) self->job_given(l, token, std::move(job), now);
    };
  }
  hear.reconnected = [weak] {
    const auto self = weak.lock();
    if (!self || !self->wake) return;
    self->reconcile_wanted = true;
    for (auto& each : self->lanes) each.given.clear();
    self->wake->fetch.set();
  };
  hear.aborted_unstarted = [weak](const broker::claimed_job& job, broker::time_point now) {
    if (const auto self = weak.lock(); self && self->wake) self->aborted_unstarted(job, now);
  };
  hear.cancel_requested = [weak, &l](std::string id) {
    if (const auto self = weak.lock(); self && self->wake) self->cancel_requested(l, id);
  };
  auto terms = lease_terms();
  co_await broker->open_lease(fresh, std::move(terms), std::move(hear));
  l.lease = std::move(fresh);
  l.since = {};
}

awaitable<void> worker_core::renew(lane& l) {
  // Often enough that two can be lost, and that lost workers are found soon after their lease has run out.
  const milliseconds interval = std::clamp(options.lease / 4, milliseconds{100}, milliseconds{1'000});
  while (!closing) {
    co_await l.renew_now.wait_for(interval);
    if (closing) break;
    try {
      if (l.lease.token.empty()) {
        // The attempt to replace a lost one has failed.
        co_await open(l);
        ask_again(l);
        continue;
      }
      auto terms = lease_terms();
      const auto answer = co_await broker->renew(l.lease, std::move(terms));
      if (!answer.held) co_await replace_lease(l);
      for (const auto& id : answer.cancel_requests) cancel_requested(l, id);
      if (answer.work_ready) ask_again(l);
    } catch (const broker_error& e) {
      base::log().warn("queue {}: could not renew the lease: {}", l.served.name, e.what());
    }
  }
}

// The jobs under the old lease are others' now: what they come to here no longer counts.
awaitable<void> worker_core::replace_lease(lane& l) {
  std::size_t lost = 0;
  for (auto& job : running) {
    if (&job.from != &l || job.token != l.lease.token) continue;
    ++lost;
    stop_job(job, model::stop_reason::shutdown);
  }
  base::log().warn(
      "queue {}: lease lost after more than {} ms without contact; {} running jobs are others' now",
      l.served.name, options.lease.count(), lost);
  for (const auto& s : l.outbox) {
    base::log().warn(
        "refused  id={} queue={}: it ended when its lease was lost, its end here counts for nothing", s.id,
        l.served.name);
  }
  l.outbox.clear();
  l.given.clear();
  // What ends before there is a new lease must not be settled under that: the same job may be held under it
  // again.
  l.lease.token.clear();
  co_await open(l);
  ask_again(l);
}

void worker_core::cancel_requested(lane& l, const std::string& id) {
  for (auto& job : running) {
    if (&job.from == &l && job.claimed.id == id) stop_job(job, model::stop_reason::cancelled);
  }
  // The broker ends it as cancelled when it is given back.
  for (auto& a : asides) {
    if (&a.from != &l || a.id != id) continue;
    give_back(a);
    ask_again(l);
  }
}

}  // namespace quarq::detail
