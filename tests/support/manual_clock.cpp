#include "support/manual_clock.hpp"

#include <algorithm>

namespace quarq::test {

awaitable<void> manual_clock::wait_until(async::auto_reset_event& woken, time_point until) {
  struct registration {
    registration(std::list<waiter>& l, waiter w) : list(l), place(l.insert(l.end(), w)) {}
    registration(const registration&) = delete;
    registration& operator=(const registration&) = delete;
    ~registration() { list.erase(place); }
    std::list<waiter>& list;
    std::list<waiter>::iterator place;
  };
  const registration here(waiting_, waiter{woken, until});
  if (until <= now()) woken.set();
  co_await woken.wait();
}

std::optional<manual_clock::time_point> manual_clock::next() const {
  const auto earliest = std::min_element(waiting_.begin(), waiting_.end(),
                                         [](const waiter& a, const waiter& b) { return a.until < b.until; });
  if (earliest == waiting_.end()) return std::nullopt;
  return earliest->until;
}

void manual_clock::advance_to(time_point when) {
  now_ = std::max(now(), when);
  for (auto& w : waiting_) {
    if (w.until <= now()) w.woken.set();
  }
}

}  // namespace quarq::test
