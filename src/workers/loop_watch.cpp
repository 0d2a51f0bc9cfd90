#include "workers/loop_watch.hpp"

#include <algorithm>
#include <utility>

#include "workers/lease_renewer.hpp"

namespace quarq::workers {

using std::chrono::floor;

loop_watch::loop_watch(limits how, clock::time_point now)
    : limits_(how), last_look_(now), since_(now), handler_since_(now) {}

milliseconds loop_watch::look_interval() const noexcept {
  return std::clamp(std::min(limits_.blocked_after / 4, limits_.lease / 8), milliseconds{50},
                    milliseconds{250});
}

// The loop itself has renewed it a quarter of its duration ago at most.
milliseconds loop_watch::renew_after() const noexcept {
  return std::min(limits_.blocked_after, limits_.lease / 3);
}

loop_watch::ruling loop_watch::look(const sighting& seen) {
  account_for_standstill(seen.now);
  if (seen.has_turned) return loop_turned(seen.now);
  follow_handler(seen);
  blocked_for_ = floor<milliseconds>(seen.now - since_);
  is_by_one_ = 2 * (seen.now - handler_since_) >= seen.now - since_;

  ruling todo;
  if (blocked_for_ >= limits_.blocked_after) todo.report = !std::exchange(was_reported_, true);
  if (blocked_for_ < renew_after() || gave_up_) return todo;
  if (is_past_limit(seen)) {
    todo.give_up = gave_up_ = true;
  } else if (!renewed_ || seen.now - *renewed_ >= lease_renewer::interval(limits_.lease)) {
    todo.renew = true;
    renewed_ = seen.now;
  }
  return todo;
}

// This thread was to look earlier: whatever kept it from that (a debugger, SIGSTOP) kept the loop from turning, too.
void loop_watch::account_for_standstill(clock::time_point now) {
  const auto since_last = now - std::exchange(last_look_, now);
  if (since_last <= 2 * look_interval()) return;
  const auto stood_still = since_last - look_interval();
  since_ = std::min(now, since_ + stood_still);
  handler_since_ = std::min(now, handler_since_ + stood_still);
}

// The one that runs at the first look counts as having run from the beginning.
void loop_watch::follow_handler(const sighting& seen) {
  const auto before = std::exchange(switches_, seen.switches);
  if (before && *before != seen.switches) handler_since_ = seen.now;
}

bool loop_watch::is_past_limit(const sighting& seen) const {
  if (is_by_one_ && seen.must_end_by) return seen.now >= *seen.must_end_by;
  return blocked_for_ >= max_renewed;
}

loop_watch::ruling loop_watch::loop_turned(clock::time_point now) {
  ruling todo;
  todo.is_over = was_reported_ || renewed_ || gave_up_;
  if (todo.is_over) blocked_for_ = floor<milliseconds>(now - since_);
  since_ = handler_since_ = now;
  switches_.reset();
  was_reported_ = gave_up_ = false;
  renewed_.reset();
  return todo;
}

}  // namespace quarq::workers
