#include "workers/settler.hpp"

#include <algorithm>
#include <iterator>

#include "base/assert.hpp"
#include "base/log.hpp"

namespace quarq::workers {
namespace {

[[maybe_unused]] bool contains(const std::vector<broker::settlement>& batch, const std::string& id) {
  return std::any_of(batch.begin(), batch.end(), [&](const auto& s) { return s.id == id; });
}

}  // namespace

settler::settler(params p) : its_(std::move(p)) {
  for (std::size_t i = 0; i < its_.leases.size(); ++i) outboxes_.emplace_back(its_.loop);
}

void settler::settle(const queue_lease& of, broker::settlement s) {
  auto& box = box_of(of);
  QUARQ_ASSERT(!contains(box.unsent, s.id));  // a job has one settlement
  box.unsent.push_back(std::move(s));
  if (box.unsent.size() == 1) box.ready.set();
}

void settler::hand_back(const queue_lease& of, std::string id) {
  broker::settlement s;
  s.id = std::move(id);
  s.kind = broker::settlement::what::hand_back;
  settle(of, std::move(s));
}

awaitable<void> settler::run(queue_lease& of) {
  auto& box = box_of(of);
  while (true) {
    if (box.unsent.empty()) {
      co_await box.ready.wait();
      continue;
    }
    const auto count = static_cast<std::ptrdiff_t>(std::min(box.unsent.size(), max_batch));
    QUARQ_ASSERT(box.in_flight.empty());
    box.in_flight.assign(std::make_move_iterator(box.unsent.begin()),
                         std::make_move_iterator(box.unsent.begin() + count));
    box.unsent.erase(box.unsent.begin(), box.unsent.begin() + count);
    const auto held = co_await send_batch(of);
    report_refused(of, held);
    if (!box.waiters.empty()) wake_waiters(box, held);
    box.in_flight.clear();
    its_.answered();
  }
}

// Repeats the batch until the broker has answered: it accepts the same settlements once.
awaitable<std::vector<bool>> settler::send_batch(const queue_lease& of) {
  // The jobs were held under this lease; the queue may get another one meanwhile.
  const broker::lease lease = of.lease;
  const auto& in_flight = box_of(of).in_flight;
  while (true) {
    try {
      auto copy = in_flight;  // the batch stays here until it is answered
      auto held = co_await its_.broker.settle(lease, std::move(copy));
      co_return held;
    } catch (const broker_error& e) {
      base::log().warn("queue {}: could not record {} finished jobs, trying again: {}", of.served.name,
                       in_flight.size(), e.what());
    }
    co_await sleep_for(its_.time, pause_after_error);
  }
}

void settler::report_refused(const queue_lease& of, const std::vector<bool>& held) const {
  const auto& in_flight = outboxes_[of.index].in_flight;
  for (std::size_t i = 0; i < held.size(); ++i) {
    if (held[i]) continue;
    base::log().warn("refused  id={} queue={}: the job was no longer ours, its end here changed nothing",
                     in_flight[i].id, of.served.name);
  }
}

void settler::wake_waiters(outbox& box, const std::vector<bool>& held) {
  for (std::size_t i = 0; i < held.size(); ++i) {
    const auto found = box.waiters.find(box.in_flight[i].id);
    if (found == box.waiters.end()) continue;
    found->second->held = held[i];
    found->second->answered.set();
    box.waiters.erase(found);
  }
}

awaitable<bool> settler::wait_answered(const queue_lease& of, std::string_view id) {
  waiter w(its_.loop);
  const bool fresh = box_of(of).waiters.emplace(id, &w).second;
  QUARQ_ASSERT(fresh);
  static_cast<void>(fresh);
  co_await w.answered.wait();
  co_return w.held;
}

void settler::lease_lost(const queue_lease& of) {
  auto& box = box_of(of);
  for (const auto& s : box.unsent) {
    base::log().warn(
        "refused  id={} queue={}: it ended when its lease was lost, its end here counts for nothing", s.id,
        of.served.name);
  }
  box.unsent.clear();
}

void settler::abandon() {
  for (auto& box : outboxes_) {
    for (auto& [id, w] : box.waiters) w->answered.set();
    box.waiters.clear();
  }
}

bool settler::is_idle() const noexcept {
  return std::all_of(outboxes_.begin(), outboxes_.end(),
                     [](const outbox& box) { return box.unsent.empty() && box.in_flight.empty(); });
}

void settler::append_ids(const queue_lease& of, std::vector<std::string>& ids) const {
  const auto& box = outboxes_[of.index];
  for (const auto& s : box.unsent) ids.push_back(s.id);
  for (const auto& s : box.in_flight) ids.push_back(s.id);
}

}  // namespace quarq::workers
