#include "workers/settler.hpp"

#include <algorithm>
#include <iterator>
#include <stdexcept>
#include <utility>

#include "base/assert.hpp"
#include "base/log.hpp"
#include "codecs/utf8.hpp"
#include "workers/log/printable_job.hpp"

namespace quarq::workers {
namespace {

[[maybe_unused]] bool contains(const std::vector<numbered_settlement>& batch, const std::string& id) {
  return std::any_of(batch.begin(), batch.end(), [&](const auto& s) { return s.id == id; });
}

bool is_begin(const broker::settlement& s) noexcept {
  return s.kind == broker::settlement::what::begin;
}

void say_lost(const queue_lease& of, const broker::settlement& s) {
  if (is_begin(s)) return;
  base::log().warn(
      "refused  id={} queue={}: it ended when its lease was lost, its end here counts for nothing",
      codecs::printable(s.id, max_logged_id), of.served.name);
}

}  // namespace

settler::settler(params p) : its_(std::move(p)) {
  for (std::size_t i = 0; i < its_.leases.size(); ++i) outboxes_.emplace_back(its_.loop);
}

std::uint64_t settler::settle(const queue_lease& of, broker::settlement s) {
  auto& box = box_of(of);
  if (is_begin(s)) {
    ++box.unsent_begins;
  } else {
    forget_begin(box, s.id);
  }
  QUARQ_ASSERT(!contains(box.unsent, s.id));  // a job has one settlement
  box.unsent.push_back({std::move(s), ++last_number_});
  if (box.unsent.size() == 1) box.ready.set();
  return last_number_;
}

void settler::hand_back(const queue_lease& of, std::string id) {
  broker::settlement s;
  s.id = std::move(id);
  s.kind = broker::settlement::what::hand_back;
  settle(of, std::move(s));
}

// Its end says all. Unless that it began is on its way: then the end comes after it.
void settler::forget_begin(outbox& box, const std::string& id) {
  if (box.for_begins.empty()) return;
  const auto forget = [&](const numbered_settlement& s) {
    const bool is_its = is_begin(s) && s.id == id;
    if (is_its) wake_waiter(box, s, false);
    return is_its;
  };
  box.unsent_begins -= std::erase_if(box.unsent, forget);
  std::erase_if(box.refused, [&](const auto& r) { return forget(r.what); });
}

awaitable<bool> settler::begin(const queue_lease& of, std::string id) {
  broker::settlement s;
  s.id = std::move(id);
  s.kind = broker::settlement::what::begin;
  const auto number = settle(of, std::move(s));
  const auto w = wait_in(box_of(of).for_begins, number);
  co_await w->answered.wait();
  co_return w->held;
}

awaitable<void> settler::run(queue_lease& of) {
  auto& box = box_of(of);
  while (true) {
    if (!box.refused.empty() && box.refused.front().again <= its_.time.now()) {
      co_await send_refused(of);
    } else if (box.unsent.empty()) {
      co_await wait_for_work(box);
      continue;
    } else {
      take_batch(box);
      co_await send_batch(of);
    }
    box.in_flight.clear();
    its_.answered();
  }
}

awaitable<void> settler::wait_for_work(outbox& box) {
  if (box.refused.empty()) {
    co_await box.ready.wait();
  } else {
    const auto next = box.refused.front().again;
    co_await its_.time.wait_until(box.ready, next);
  }
}

void settler::take_batch(outbox& box) {
  const auto count = static_cast<std::ptrdiff_t>(std::min(box.unsent.size(), max_batch));
  QUARQ_ASSERT(box.in_flight.empty());
  box.in_flight.assign(std::make_move_iterator(box.unsent.begin()),
                       std::make_move_iterator(box.unsent.begin() + count));
  box.unsent.erase(box.unsent.begin(), box.unsent.begin() + count);
  if (box.unsent_begins > 0)
    box.unsent_begins -=
        static_cast<std::size_t>(std::count_if(box.in_flight.begin(), box.in_flight.end(), is_begin));
}

// A batch that is refused is sent in halves, until what is refused stands alone.
awaitable<void> settler::send_batch(const queue_lease& of) {
  // The jobs were held under this lease; the queue may get another one meanwhile.
  const broker::lease under = of.lease;
  auto& in_flight = box_of(of).in_flight;
  std::vector<part> left(1, part{0, in_flight.size()});
  while (!left.empty()) {
    const part p = left.back();
    left.pop_back();
    const auto said = co_await send(of, under, p);
    if (!said.refusal) {
      accept(of, p, said.held);
    } else if (p.count > 1) {
      const std::size_t half = p.count / 2;
      left.push_back({p.first + half, p.count - half});
      left.push_back({p.first, half});
    } else {
      retry_alone(of, under, {std::move(in_flight[p.first]), *said.refusal, 1, {}});
    }
  }
}

awaitable<void> settler::send_refused(const queue_lease& of) {
  const broker::lease under = of.lease;
  auto& box = box_of(of);
  refused_end one = std::move(box.refused.front());
  box.refused.erase(box.refused.begin());
  box.in_flight.assign(1, one.what);
  const part all{0, 1};
  const auto said = co_await send(of, under, all);
  if (!said.refusal) {
    accept(of, all, said.held);
    co_return;
  }
  one.why = *said.refusal;
  ++one.times;
  if (one.times >= max_refusals) {
    const bool recorded = co_await send_short_end(of, under, one);
    if (recorded) co_return;
  }
  retry_alone(of, under, std::move(one));
}

// Right after the end itself was refused: a store that has become usable meanwhile has taken that one.
awaitable<bool> settler::send_short_end(const queue_lease& of, const broker::lease& under,
                                        const refused_end& refused) {
  auto instead = short_end_for(refused);
  if (!instead) co_return false;
  auto& box = box_of(of);
  box.in_flight.assign(1, {std::move(*instead)});
  const part all{0, 1};
  const auto said = co_await send(of, under, all);
  if (said.refusal) co_return false;
  base::log().error("failed   id={} queue={}: the store refused its end {} times: {}",
                    codecs::printable(refused.what.id, max_logged_id), of.served.name, refused.times,
                    codecs::printable(refused.why, max_logged_error));
  // What was recorded is not how the job ended.
  wake_waiter(box, refused.what, false);
  co_return true;
}

// Repeats these settlements until the broker has answered: it accepts the same ones once.
awaitable<settler::answer> settler::send(const queue_lease& of, const broker::lease& under, part p) {
  auto& box = box_of(of);
  const auto first = box.in_flight.begin() + static_cast<std::ptrdiff_t>(p.first);
  answer said;
  while (true) {
    try {
      // The batch stays here until it is answered.
      std::vector<broker::settlement> copy(first, first + static_cast<std::ptrdiff_t>(p.count));
      auto held = co_await its_.broker.settle(under, std::move(copy));
      said.held = std::move(held);
      box.complaints.over();
      co_return said;
    } catch (const broker_error& e) {
      complain(of, p.count, e.what());
      if (e.why() == broker_error::reason::refused) said.refusal = e.what();
    } catch (const error& e) {
      said.refusal = e.what();
    } catch (const std::logic_error& e) {
      said.refusal = e.what();  // the broker can't write it down
    }
    if (said.refusal) co_return said;
    co_await sleep_for(its_.time, pause_after_error);
  }
}

void settler::complain(const queue_lease& of, std::size_t count, const char* why) {
  auto& box = box_of(of);
  if (!box.complaints.may_log(its_.time.now())) return;
  base::log().warn("queue {}: could not record {} finished jobs, trying again: {}", of.served.name, count,
                   codecs::printable(why, max_logged_error));
}

void settler::accept(const queue_lease& of, part p, const std::vector<bool>& held) {
  auto& box = box_of(of);
  for (std::size_t i = 0; i < p.count && i < held.size(); ++i) {
    const auto& s = box.in_flight[p.first + i];
    if (!held[i] && !is_begin(s)) {
      base::log().warn("refused  id={} queue={}: the job was no longer ours, its end here changed nothing",
                       codecs::printable(s.id, max_logged_id), of.served.name);
    }
    wake_waiter(box, s, held[i]);
  }
}

void settler::retry_alone(const queue_lease& of, const broker::lease& under, refused_end refused) {
  auto& box = box_of(of);
  if (under.token != of.lease.token) {
    say_lost(of, refused.what);
    wake_waiter(box, refused.what, false);
    return;
  }
  refused.again = its_.time.now() + pause_after_error;
  box.refused.push_back(std::move(refused));
}

void settler::wake_waiter(outbox& box, const numbered_settlement& s, bool held) {
  auto& those = is_begin(s) ? box.for_begins : box.for_ends;
  if (those.empty()) return;
  const auto found = those.find(s.number);
  if (found == those.end()) return;
  found->second->held = held;
  found->second->answered.set();
  those.erase(found);
}

std::shared_ptr<settler::waiter> settler::wait_in(waiters& those, std::uint64_t number) {
  auto w = std::make_shared<waiter>(its_.loop);
  those.emplace(number, w);
  return w;
}

awaitable<bool> settler::wait_answered(const queue_lease& of, std::uint64_t number) {
  const auto w = wait_in(box_of(of).for_ends, number);
  co_await w->answered.wait();
  co_return w->held;
}

// What is in flight is answered under the lease that held it.
void settler::lease_lost(const queue_lease& of) {
  auto& box = box_of(of);
  auto lost = std::exchange(box.unsent, {});
  box.unsent_begins = 0;
  for (auto& r : std::exchange(box.refused, {})) lost.push_back(std::move(r.what));
  for (const auto& s : lost) {
    say_lost(of, s);
    wake_waiter(box, s, false);
  }
}

void settler::abandon() {
  for (auto& box : outboxes_) {
    for (auto& [number, w] : box.for_ends) w->answered.set();
    box.for_ends.clear();
  }
}

std::size_t settler::unrecorded() const noexcept {
  std::size_t count = 0;
  for (const auto& box : outboxes_) count += box.unsent.size() + box.in_flight.size() + box.refused.size();
  return count;
}

void settler::append_ids(const queue_lease& of, std::vector<std::string>& ids) const {
  const auto& box = outboxes_[of.index];
  for (const auto& s : box.unsent) ids.push_back(s.id);
  for (const auto& s : box.in_flight) ids.push_back(s.id);
  for (const auto& r : box.refused) ids.push_back(r.what.id);
}

}  // namespace quarq::workers
