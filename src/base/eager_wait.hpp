// Waiting for what mostly comes at once.
#pragma once

#include <chrono>

#include <sched.h>

namespace quarq::base {

/// Spins before it blocks, if that pays (an adaptive wait): to wake a thread on an idle processor takes several times as long
/// as a short function. If the last wait was short, the next one looks for a moment, yielding the processor between two
/// looks, before it sleeps. After it has looked in vain, the next waits sleep at once.
///
/// Not thread-safe: for one waiting thread.
template <class Clock = std::chrono::steady_clock>
class eager_wait {
 public:
  /// `look`: whether it is there. `sleep`: returns when it is.
  template <class Look, class Sleep>
  void wait(Look look, Sleep sleep) {
    const auto began = Clock::now();
    bool there = looks_ && look();
    while (looks_ && !there && Clock::now() - began < look_time) {
      sched_yield();
      there = look();
    }
    if (looks_ && !there) sleeps_left_ = sleeps_after_vain_looks;
    if (!there) sleep();
    looks_ = Clock::now() - began < soon && (sleeps_left_ == 0 || --sleeps_left_ == 0);
  }

  static constexpr std::chrono::microseconds look_time{50}, soon{250};
  static constexpr int sleeps_after_vain_looks = 20;

 private:
  bool looks_ = false;
  int sleeps_left_ = 0;
};

}  // namespace quarq::base
