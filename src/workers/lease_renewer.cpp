#include "workers/lease_renewer.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "base/ids.hpp"
#include "base/log.hpp"

namespace quarq::workers {

lease_renewer::lease_renewer(params p) : its_(std::move(p)) {
  for (std::size_t i = 0; i < its_.leases.size(); ++i) hurry_.emplace_back(its_.loop);
  complaints_.resize(its_.leases.size());
}

milliseconds lease_renewer::interval(milliseconds duration) {
  return std::clamp(duration / 4, milliseconds{100}, milliseconds{1'000});
}

awaitable<void> lease_renewer::open(queue_lease& l) {
  QUARQ_ASSERT(!l.is_held());
  broker::lease fresh{l.served.name, base::make_id()};
  auto events = its_.events(l, fresh.token);
  auto options = terms();
  const auto asked = its_.time.now();
  co_await its_.broker.open_lease(fresh, std::move(options), std::move(events));
  l.lease = std::move(fresh);
  l.sure_until = asked + its_.duration;
  l.since = {};
}

awaitable<void> lease_renewer::run(queue_lease& l) {
  while (true) {
    const auto next = its_.time.now() + interval(its_.duration);
    co_await its_.time.wait_until(hurry_[l.index], next);
    try {
      co_await renew(l);
      complaints_[l.index].over();
    } catch (const broker::store_gone&) {
      throw;
    } catch (const broker_error& e) {
      if (complaints_[l.index].may_log(its_.time.now()))
        base::log().warn("queue {}: could not renew the lease: {}", l.served.name, e.what());
    }
  }
}

awaitable<void> lease_renewer::renew(queue_lease& l) {
  if (!l.is_held()) {  // the attempt to replace a lost one has failed
    co_await open(l);
    its_.work_ready(l);
    co_return;
  }
  auto options = terms();
  const auto asked = its_.time.now();
  const auto answer = co_await its_.broker.renew(l.lease, std::move(options));
  const bool was_sure = l.is_sure(its_.time.now());
  if (answer.held) {
    l.sure_until = asked + its_.duration;
  } else {
    co_await replace(l);
  }
  for (const auto& id : answer.cancel_requests) its_.cancel_requested(l, id);
  if (answer.work_ready || !was_sure) its_.work_ready(l);
}

// Other workers own the jobs under the old lease now: how they end here no longer counts.
awaitable<void> lease_renewer::replace(queue_lease& l) {
  const auto lost = its_.lease_lost(l);
  base::log().warn(
      "queue {}: lease lost after more than {} ms without contact; {} running jobs are others' now",
      l.served.name, its_.duration.count(), lost);
  // What ends before there is a new lease must not be settled under that one: the same job may be held under
  // it again.
  l.lease.token.clear();
  co_await open(l);
  its_.work_ready(l);
}

awaitable<void> lease_renewer::close(const queue_lease& l) {
  if (l.is_held()) co_await its_.broker.close_lease(l.lease);
}

}  // namespace quarq::workers
