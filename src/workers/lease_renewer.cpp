#include "workers/lease_renewer.hpp"

#include <algorithm>
#include <utility>

#include "base/assert.hpp"
#include "base/ids.hpp"
#include "base/log.hpp"

namespace quarq::workers {

lease_renewer::lease_renewer(params p) : its_(std::move(p)), hurry_(its_.loop) {
  for (const auto& l : its_.leases) held_.queues.push_back(l.served.name);
}

milliseconds lease_renewer::interval(milliseconds duration, std::size_t workers) {
  const auto longest = std::clamp(milliseconds(2 * workers), milliseconds{1'000}, milliseconds{2'000});
  return std::clamp(duration / 4, milliseconds{100}, longest);
}

awaitable<void> lease_renewer::open() {
  QUARQ_ASSERT(!is_held());
  broker::worker_lease fresh(base::make_id(), held_.queues);
  auto events = its_.events(fresh.token);
  broker::lease_options terms{its_.duration, its_.worker_info(), its_.announcement, true,
                              its_.says_begin_from};
  const auto asked = its_.time.now();
  auto info = terms.worker_info;
  opening_ = fresh.token;
  co_await its_.broker.open_lease(fresh, std::move(terms), std::move(events));
  held_.token = std::exchange(opening_, {});
  note_renewed(std::move(info));
  for (auto& l : its_.leases) {
    l.lease = {l.served.name, fresh.token};
    l.sure_until = asked + its_.duration;
    l.since = {};
  }
}

awaitable<void> lease_renewer::run() {
  while (true) {
    const auto next = its_.time.now() + interval(its_.duration, workers_);
    co_await its_.time.wait_until(hurry_, next);
    try {
      co_await renew();
      complaints_.over();
    } catch (const broker::store_gone&) {
      throw;
    } catch (const broker_error& e) {
      if (complaints_.may_log(its_.time.now())) base::log().warn("could not renew the lease: {}", e.what());
    }
  }
}

awaitable<void> lease_renewer::renew() {
  if (!is_held()) {  // the attempt to replace a lost one has failed
    co_await open();
    work_may_be_ready();
    co_return;
  }
  broker::lease_options terms{its_.duration, its_.worker_info(), {}};
  auto info = terms.worker_info;
  const auto asked = its_.time.now();
  const auto answer = co_await its_.broker.renew(held_, std::move(terms));
  if (!answer.held) {
    co_await replace();
    co_return;
  }
  note_renewed(std::move(info));
  its_.renewed();
  workers_ = answer.workers;
  const bool was_sure = its_.leases.front().is_sure(its_.time.now());
  for (auto& l : its_.leases) l.sure_until = asked + its_.duration;
  for (const auto& wanted : answer.cancel_requests) {
    if (auto* l = find_queue(its_.leases, wanted.queue)) its_.cancel_requested(*l, wanted.id);
  }
  for (const auto& queue : answer.paused) {
    if (auto* l = find_queue(its_.leases, queue)) its_.queue_paused(*l);
  }
  if (!was_sure) {
    work_may_be_ready();
    co_return;
  }
  for (const auto& queue : answer.work_ready) {
    if (auto* l = find_queue(its_.leases, queue)) its_.work_ready(*l);
  }
}

// Other workers own the jobs under the old lease now: how they end here no longer counts.
awaitable<void> lease_renewer::replace() {
  std::size_t lost = 0;
  for (auto& l : its_.leases) lost += its_.lease_lost(l);
  const auto why = its_.why_silent();
  base::log().warn("lease lost after more than {} ms without contact; {} running jobs are others' now{}{}",
                   its_.duration.count(), lost, why.empty() ? "" : "; ", why);
  // What ends before there is a new lease must not be settled under that one: the same job may be held under
  // it again.
  held_.token.clear();
  note_released();
  for (auto& l : its_.leases) l.lease.token.clear();
  co_await open();
  work_may_be_ready();
}

void lease_renewer::work_may_be_ready() {
  for (auto& l : its_.leases) its_.work_ready(l);
}

void lease_renewer::note_renewed(std::string worker_info) {
  const std::lock_guard lock(mutex_);
  renewed_.emplace(held_, broker::lease_options{its_.duration, std::move(worker_info), {}});
}

void lease_renewer::note_released() {
  const std::lock_guard lock(mutex_);
  renewed_.reset();
}

std::optional<renewed_lease> lease_renewer::last_renewed() const {
  const std::lock_guard lock(mutex_);
  return renewed_;
}

awaitable<void> lease_renewer::close() {
  note_released();
  // What was not answered, since it was cancelled or the connection ended, may have reached the store.
  if (!is_held()) held_.token = std::exchange(opening_, {});
  if (is_held()) co_await its_.broker.close_lease(held_);
}

}  // namespace quarq::workers
