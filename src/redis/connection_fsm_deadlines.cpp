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
  if (rest_deadline_ && now >= *rest_deadline_) {
    rest_deadline_.reset();
    rest_if_idle(now);
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
      // Another sentinel is asked soon. Otherwise clients that lost the same server are not to return in step.
      if (has_sentinels()) pause_.reset();
      return give_up({"gave up after " + in_seconds(max_attempt()) + " of " + progress.step});
    case phase::serving:
      return check_health(now);
    case phase::backing_off:
      if (!is_idle()) return begin_attempt(now);
      phase_ = phase::idle;
      return;
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
  const bool is_expecting = pipeline_.has_sent() || pipeline_.has_waiting() || listens();
  if (!is_expecting) return;
  switch (health_.check(now)) {
    case health::dead:
      return give_up({"no answer for " + in_seconds(health_.timeout())});
    case health::ping:
      enqueue(make_request({"PING"}), now);
      break;
    case health::ok:
      break;
  }
  phase_deadline_ = health_.next_check();
}

// ---- nobody waits for the server

bool connection_fsm::is_idle() const {
  const bool may_rest = phase_ == phase::serving || phase_ == phase::backing_off;
  return options_.rests_when_idle && may_rest && !expects_messages_ && !is_writing_ &&
         !pipeline_.has_sent() && !pipeline_.has_waiting();
}

// After each event that may have been the last for a while. A deadline that was set stands: where requests come one
// after the other, it is not to be set again for each.
void connection_fsm::look_for_rest(time_point now) {
  if (is_resting_ || !is_idle()) return;
  idle_since_ = now;
  if (!rest_deadline_) rest_deadline_ = now + rest_after;
}

void connection_fsm::rest_if_idle(time_point now) {
  if (is_resting_ || !is_idle()) return;
  if (now < idle_since_ + rest_after) {
    rest_deadline_ = idle_since_ + rest_after;
    return;
  }
  phase_deadline_.reset();
  if (phase_ == phase::backing_off) {
    phase_ = phase::idle;
  } else {
    is_resting_ = true;
  }
  actions_.push_back(start_rest{});
}

void connection_fsm::wake() {
  if (!std::exchange(is_resting_, false)) return;
  is_just_awake_ = true;
  actions_.push_back(end_rest{});
}

void connection_fsm::expect_messages(bool on, time_point now) {
  expects_messages_ = on;
  if (!options_.rests_when_idle) return;
  if (!on) {
    look_for_rest(now);
  } else if (phase_ == phase::serving) {
    wake();
    if (listens()) watch_health(now);
  } else if (phase_ == phase::idle && listens()) {
    begin_attempt(now);
  }
}

}  // namespace quarq::redis
