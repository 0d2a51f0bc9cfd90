// A clock for the worker's roles that stands still until the test moves it.
#pragma once

#include <atomic>
#include <list>
#include <optional>

#include "workers/clock.hpp"

namespace quarq::test {

class manual_clock final : public workers::clock {
 public:
  static constexpr time_point beginning{std::chrono::hours(1)};

  time_point now() const noexcept override { return now_.load(); }
  awaitable<void> wait_until(async::auto_reset_event& woken, time_point until) override;

  /// The earliest time for which a coroutine waits. nullopt: none waits for a time.
  std::optional<time_point> next() const;
  /// Moves the clock forward. Coroutines whose time has come go on when their loop runs next.
  void advance_to(time_point when);

 private:
  struct waiter {
    async::auto_reset_event& woken;
    time_point until;
  };

  std::atomic<time_point> now_ = beginning;
  std::list<waiter> waiting_;
};

}  // namespace quarq::test
