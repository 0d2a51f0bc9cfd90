#include "http/server/deadline_wheel.hpp"

#include <algorithm>
#include <utility>

namespace quarq::http {

timed::~timed() {
  if (wheel_) wheel_->unlink(*this);
}

deadline_wheel::deadline_wheel(const boost::asio::any_io_executor& loop) : timer_(loop) {}

deadline_wheel::~deadline_wheel() {
  for (auto* first : slots_) {
    while (first) std::exchange(first, first->next_)->wheel_ = nullptr;
  }
}

std::uint64_t deadline_wheel::tick_now() const {
  return static_cast<std::uint64_t>((std::chrono::steady_clock::now() - start_) / tick) + 1;
}

void deadline_wheel::set(timed& one, std::chrono::milliseconds from_now) {
  if (!timer_runs_) {
    now_ = std::max(now_, tick_now());
    run_timer();
  }
  const auto ticks = static_cast<std::uint64_t>(std::max<std::int64_t>(from_now.count(), 0) / tick.count());
  one.deadline_ = now_ + ticks + 2;  // now_ may be a tick old
  if (one.wheel_ && one.slot_tick_ <= one.deadline_) return;
  if (one.wheel_) unlink(one);
  link(one, one.deadline_);
}

void deadline_wheel::link(timed& one, std::uint64_t at) {
  auto*& first = slots_[at % slot_count];
  one.wheel_ = this;
  one.slot_tick_ = at;
  one.previous_ = nullptr;
  one.next_ = first;
  if (first) first->previous_ = &one;
  first = &one;
  ++size_;
}

void deadline_wheel::unlink(timed& one) noexcept {
  if (one.next_) one.next_->previous_ = one.previous_;
  if (one.previous_) {
    one.previous_->next_ = one.next_;
  } else {
    slots_[one.slot_tick_ % slot_count] = one.next_;
  }
  one.wheel_ = nullptr;
  --size_;
}

void deadline_wheel::advance(std::uint64_t now_tick) {
  // After a long pause each slot is looked at once.
  const auto from = std::max(now_ + 1, now_tick > slot_count ? now_tick - slot_count + 1 : 0);
  now_ = std::max(now_, now_tick);
  for (auto tick_to_do = from; tick_to_do <= now_tick; ++tick_to_do) {
    timed* passed = nullptr;  // linked by next_, off the wheel
    for (auto* one = slots_[tick_to_do % slot_count]; one;) {
      auto& here = *std::exchange(one, one->next_);
      if (here.slot_tick_ > now_tick) continue;  // of a later turn of the wheel
      unlink(here);
      here.next_ = std::exchange(passed, &here);
    }
    while (passed) {
      auto& one = *std::exchange(passed, passed->next_);
      if (one.deadline_ == 0) continue;
      if (one.deadline_ > now_tick) {
        link(one, one.deadline_);
      } else {
        one.deadline_ = 0;
        one.deadline_passed();
      }
    }
  }
}

void deadline_wheel::run_timer() {
  timer_runs_ = true;
  timer_.expires_after(tick);
  timer_.async_wait([alive = std::weak_ptr(alive_)](const boost::system::error_code& ec) {
    const auto wheel = alive.lock();
    if (wheel && !ec) (*wheel)->timer_passed();
  });
}

void deadline_wheel::timer_passed() {
  advance(tick_now());
  timer_runs_ = false;
  if (size_ > 0) run_timer();
}

}  // namespace quarq::http
