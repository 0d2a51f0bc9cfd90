// Keeps jobs that may be what their workers died of away from others.
#pragma once

#include <algorithm>
#include <cstddef>

#include "base/assert.hpp"
#include "workers/clock.hpp"
#include "workers/slot_table.hpp"

namespace quarq::workers {

/// When a worker is lost, all its jobs are, and nobody knows which of them is to blame. One that was lost more
/// than once is a suspect: it runs while its worker holds nothing else, so that its next loss is its own. The store
/// is told when it begins: it is lost with its worker while it waits, too, and that does not count. The
/// first loss changes nothing: workers are killed for other reasons, too, and their jobs must not queue up
/// behind each other then.
///
/// While a suspect runs alone or waits for that, the worker's slots are closed, except while it waits for
/// another job, which may be one that this worker is to run. It waits for the jobs beside it for a limited time,
/// so that long ones do not keep the worker from its work. No clock, no I/O.
class isolation {
 public:
  using time_point = clock::time_point;

  /// A job that was lost this often is a suspect.
  static constexpr int suspicious = 2;
  /// The same where the job is dead after so many losses: the last one must be its own, as far as that can be known. 0:
  /// the first loss is the last. Every job would have to run alone.
  static constexpr int suspicious_of(std::size_t max_losses) noexcept {
    return max_losses > suspicious ? suspicious : static_cast<int>(max_losses) - 1;
  }
  /// How long a suspect waits for the jobs beside it. Twice as long each time that this was in vain...
  static constexpr milliseconds min_wait_limit = std::chrono::minutes(1);
  static constexpr milliseconds max_wait_limit = std::chrono::hours(1);
  /// ...after which the worker takes other jobs for this many times as long.
  static constexpr int busy_factor = 5;
  /// Meanwhile suspects are put off for so long, in which an idle worker may take them.
  static constexpr milliseconds put_off_for{10'000};

  explicit isolation(slot_table& slots) : slots_(slots) {}

  enum class ruling {
    beside_others,
    alone,  ///< as soon as the worker holds nothing else; to be answered by ended() or gave_up(), in any case
    put_off,  ///< not here, and not now
  };

  /// Where a job that was claimed is to run. `others`: how many are under way.
  ruling admit(bool is_suspect, std::size_t others, time_point now) {
    if (!is_suspect) {
      slots_.take_one_at_a_time(false);
      return ruling::beside_others;
    }
    if (slots_.is_closed() || (others > 0 && now < busy_until_)) return ruling::put_off;
    begin();
    return ruling::alone;
  }

  /// How long the job that is to run alone may wait for others.
  milliseconds wait_limit() const noexcept { return wait_limit_; }
  /// It has begun, and holds nothing up any more than any other job does.
  void began() noexcept {
    wait_limit_ = min_wait_limit;
    busy_until_ = time_point{};
  }
  /// It has waited in vain.
  void gave_up(time_point now) noexcept {
    busy_until_ = now + busy_factor * wait_limit_;
    wait_limit_ = std::min(2 * wait_limit_, max_wait_limit);
  }
  /// It waits for another job: it may run beside others, and they beside it.
  void paused() noexcept { end(); }
  /// It goes on, beside those that are there; no further ones are claimed.
  void resumed() noexcept { begin(); }
  /// It is gone. `is_paused`: while it waited for another job.
  void ended(bool is_paused = false) noexcept {
    if (!is_paused) end();
  }

 private:
  void begin() noexcept {
    ++alone_;
    slots_.close();
  }
  // Where there was one suspect there may be others: they are claimed one by one.
  void end() noexcept {
    QUARQ_ASSERT(alone_ > 0);
    if (--alone_ > 0) return;
    slots_.open();
    slots_.take_one_at_a_time(true);
  }

  slot_table& slots_;
  std::size_t alone_ = 0;  ///< more than one where one of them waited for a job meanwhile
  milliseconds wait_limit_ = min_wait_limit;
  time_point busy_until_{};
};

}  // namespace quarq::workers
