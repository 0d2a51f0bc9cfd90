#include "workers/claim_planner.hpp"

#include <algorithm>
#include <utility>

#include "base/assert.hpp"

namespace quarq::workers {

claim_planner::step claim_planner::next(const situation& s, std::span<const queue_lease> leases,
                                        std::mt19937_64& random) {
  QUARQ_ASSERT(leases.size() == queues_.size());
  while (!stopped_) {
    if (!in_pass_) begin_pass(leases, random);
    if (const auto found = next_claim(s, leases)) return *found;
    in_pass_ = false;
    if (const auto instead = end_pass(s, leases)) return *instead;
  }
  return done{};
}

// A random order in which a queue's chance to be asked first is its weight: weighted sampling by exponential
// keys (Efraimidis and Spirakis, "Weighted random sampling with a reservoir", 2006).
void claim_planner::begin_pass(std::span<const queue_lease> leases, std::mt19937_64& random) {
  std::vector<std::pair<double, std::size_t>> keyed;
  keyed.reserve(leases.size());
  for (const auto& l : leases) {
    std::exponential_distribution<double> key(l.served.weight);
    keyed.emplace_back(leases.size() > 1 ? key(random) : 0, l.index);
  }
  std::sort(keyed.begin(), keyed.end());
  order_.clear();
  for (const auto& [key, index] : keyed) order_.push_back(index);
  position_ = 0;
  in_pass_ = true;
  more_ = false;
}

std::optional<claim_planner::claim> claim_planner::next_claim(const situation& s,
                                                              std::span<const queue_lease> leases) {
  const std::size_t max = std::min(s.room, max_claimed);
  if (max == 0) return std::nullopt;
  while (position_ < order_.size()) {
    const std::size_t index = order_[position_++];
    auto& queue = queues_[index];
    if (!leases[index].is_sure(s.now) || s.now < queue.left_until) continue;
    // Only a claim can say whether a burst is over.
    if (queue.promised_until && s.now < *queue.promised_until && !burst_) continue;
    queue.woken = false;
    claiming_ = true;
    return claim{index, max};
  }
  return std::nullopt;
}

// What to do in place of another pass.
std::optional<claim_planner::step> claim_planner::end_pass(const situation& s,
                                                           std::span<const queue_lease> leases) {
  if (s.is_spent || (burst_ && s.is_idle && is_burst_over(s, leases))) return done{};
  if (s.room == 0) return wait{};
  if (!more_) return wait{next_promise(s.now, leases)};
  return std::nullopt;
}

// A queue that could not be asked may have jobs.
bool claim_planner::is_burst_over(const situation& s, std::span<const queue_lease> leases) const {
  if (more_) return false;
  return std::all_of(leases.begin(), leases.end(), [&](const queue_lease& l) {
    const auto& q = queues_[l.index];
    return l.is_sure(s.now) && s.now >= q.left_until && !(waits_for_deferred_ && q.has_deferred);
  });
}

void claim_planner::claimed(std::size_t queue, time_point now, bool full,
                            std::optional<milliseconds> next_due) {
  queues_[queue].has_deferred = next_due.has_value();
  answered(queue, now, full, std::min(max_idle_wait, next_due.value_or(max_idle_wait)));
}

void claim_planner::failed(std::size_t queue, time_point now, milliseconds pause) {
  answered(queue, now, false, pause);
  queues_[queue].left_until = now + pause;
}

void claim_planner::answered(std::size_t queue, time_point now, bool more, milliseconds promised) {
  auto& q = queues_[queue];
  claiming_ = false;
  more = more || q.woken;
  q.promised_until.reset();
  if (!more) q.promised_until = now + promised;
  more_ = more_ || more;
}

void claim_planner::work_ready(std::size_t queue) {
  queues_[queue].woken = true;
  queues_[queue].promised_until.reset();
}

void claim_planner::leave_until(std::size_t queue, time_point until) {
  queues_[queue].left_until = until;
  queues_[queue].promised_until.reset();
}

claim_planner::time_point claim_planner::next_promise(time_point now,
                                                      std::span<const queue_lease> leases) const {
  auto next = now + max_idle_wait;
  for (const auto& l : leases) {
    // Its renewal will say when it can be asked again.
    if (!l.is_sure(now)) continue;
    const auto& q = queues_[l.index];
    const auto promised = std::max(q.promised_until.value_or(now), q.left_until);
    if (q.promised_until || q.left_until > now) next = std::min(next, promised);
  }
  return next;
}

}  // namespace quarq::workers
