// The settling role: tells the broker how tries ended. What ends while a batch is under way goes with the
// next.
#include <algorithm>

#include <quarq/time.hpp>

#include "base/log.hpp"
#include "workers/worker_core.hpp"

namespace quarq::detail {
namespace {

constexpr std::size_t max_settled = 512;

}  // namespace

void worker_core::settle(lane& to, broker::settlement s) {
  to.outbox.push_back(std::move(s));
  if (to.outbox.size() == 1) to.outbox_ready.set();
}

awaitable<void> worker_core::send_settlements(lane& l) {
  while (true) {
    if (l.outbox.empty()) {
      if (closing) co_return;
      co_await l.outbox_ready.wait();
      continue;
    }
    const auto count = static_cast<std::ptrdiff_t>(std::min(l.outbox.size(), max_settled));
    l.in_flight.assign(std::make_move_iterator(l.outbox.begin()),
                       std::make_move_iterator(l.outbox.begin() + count));
    l.outbox.erase(l.outbox.begin(), l.outbox.begin() + count);
    // They were held under this lease; the lane may get another one meanwhile.
    const broker::lease lease = l.lease;
    // A copy is sent: the batch stays here until it is answered.
    std::vector<bool> held;
    bool answered = false;
    while (!answered) {
      try {
        auto batch = l.in_flight;
        held = co_await broker->settle(lease, std::move(batch));
        answered = true;
      } catch (const broker_error& e) {
        base::log().warn("queue {}: could not record {} finished jobs, trying again: {}", l.served.name,
                         l.in_flight.size(), e.what());
      }
      if (!answered) co_await sleep_for(pause_after_error);
    }
    report_refused(l, held);
    if (!l.unrecorded.empty()) tell_recorded(l, held);
    l.in_flight.clear();
    wake->ended.set();
    wake->fetch.set();
  }
}

void worker_core::report_refused(const lane& l, const std::vector<bool>& held) {
  for (std::size_t i = 0; i < held.size(); ++i) {
    if (held[i]) continue;
    base::log().warn("refused  id={} queue={}: the job was no longer ours, its end here changed nothing",
                     l.in_flight[i].id, l.served.name);
  }
}

void worker_core::tell_recorded(lane& l, const std::vector<bool>& held) {
  for (std::size_t i = 0; i < held.size(); ++i) {
    const auto found = l.unrecorded.find(l.in_flight[i].id);
    if (found == l.unrecorded.end()) continue;
    found->second->held = held[i];
    found->second->answered.set();
    l.unrecorded.erase(found);
  }
}

}  // namespace quarq::detail
