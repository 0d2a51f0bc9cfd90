// What connection_fsm does when time passes.
#include <algorithm>
#include <utility>

#include "redis/connection_fsm.hpp"

namespace quarq::redis {

namespace {

std::string in_seconds(std::chrono::milliseconds t) {
  std::string text = std::to_string(t.count() / 1000);
  if (t.count() % 1000) text += "." + std::to_string(1000 + t.count() % 1000).substr(1);
  return text + " s";
}

}  // namespace

void connection_fsm::on_deadline(time_point now, const attempt_progress& progress) {
  if (request_deadline_ && now >= *request_deadline_) {
    request_deadline_.reset();
    fail_expired(now, progress);
  }
  if (phase_deadline_ && now >= *phase_deadline_) {
    phase_deadline_.reset();
    // Over a slow network, what was written long ago is still on its way.
    if (progress.unsent < std::exchange(last_unsent_, progress.unsent)) health_.reset(now);
    end_phase(now, progress);
  }
  check_invariants();
}

void connection_fsm::end_phase(time_point now, const attempt_progress& progress) {
  switch (phase_) {
    case phase::connecting:
    case phase::handshaking:
      return give_up({"gave up after " + in_seconds(attempt_timeout) + " of " + progress.step});
    case phase::serving:
      return check_health(now);
    case phase::backing_off:
      return begin_attempt(now);
    case phase::idle:
    case phase::resolving:
    case phase::disconnecting:
    case phase::closed:
      return;
  }
}

// ---- requests without a connection

void connection_fsm::set_request_deadline(time_point now) {
  if (request_deadline_) return;
  const auto next = pipeline_.next_deadline();
  if (next) request_deadline_ = std::max(*next, now + expiry_step);
}

void connection_fsm::fail_expired(time_point now, const attempt_progress& progress) {
  auto why = last_.why;
  if (why.empty()) why = progress.search.empty() ? "still " + progress.step : progress.search;
  for (const auto& r : pipeline_.take_expired(now)) {
    fail(r, "no connection within " + in_seconds(*options_.request_timeout) + ": " + why);
  }
  set_request_deadline(now);
}

// ---- a silent server

void connection_fsm::on_data(time_point now) {
  health_.reset(now);
}

// Nothing was expected of the server until now.
void connection_fsm::watch_health(time_point now) {
  if (phase_deadline_) return;
  health_.reset(now);
  check_health(now);
}

void connection_fsm::check_health(time_point now) {
  const bool is_expecting = pipeline_.has_sent() || pipeline_.has_waiting() || !subscriptions_.empty();
  if (!is_expecting) return;
  switch (health_.check(now)) {
    case health::dead:
      return give_up({"no answer for " + in_seconds(health_.patience())});
    case health::ping:
      enqueue(make_request({"PING"}), now);
      break;
    case health::ok:
      break;
  }
  phase_deadline_ = health_.next_check();
}

}  // namespace quarq::redis
