// Decides how many jobs a worker claims before it has slots for them, so that it does not wait for the broker
// between short jobs. It has no clock.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace quarq::workers {

class work_ahead {
 public:
  /// Jobs that wait here are expected to have a slot within this time.
  static constexpr std::chrono::nanoseconds expected_wait = std::chrono::milliseconds(2);
  /// After which they are handed back, for other workers.
  static constexpr std::chrono::milliseconds max_wait{5};
  static constexpr std::size_t max_ahead = 256;

  /// A job has left its slot, which it had for so long.
  void note_use(std::chrono::nanoseconds held) noexcept { average_ += (held - average_) / 16; }
  /// A job has waited in vain.
  void note_delay() noexcept { average_ = not_quick; }

  /// How many jobs may wait for one of so many slots.
  std::size_t jobs(std::size_t slots) const noexcept {
    const auto each = std::max(average_, std::chrono::nanoseconds(1));
    if (each >= expected_wait) return 0;
    return std::min(slots * static_cast<std::size_t>(expected_wait / each), max_ahead);
  }

 private:
  static constexpr std::chrono::nanoseconds not_quick = 4 * expected_wait;
  std::chrono::nanoseconds average_ = not_quick;
};

}  // namespace quarq::workers
