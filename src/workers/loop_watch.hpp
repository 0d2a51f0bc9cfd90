// Decides what is to be done about a loop that does not turn: when to say so, when to renew its lease for it,
// and when to leave its jobs to others. Has neither a clock nor a thread (see watchdog).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "workers/clock.hpp"

namespace quarq::workers {

class loop_watch {
 public:
  struct limits {
    milliseconds blocked_after{1'000};  ///< from then on the loop counts as blocked
    milliseconds lease{7'000};          ///< the duration of the worker's
  };

  /// What one look at the loop found. Looks are about look_interval() apart.
  struct sighting {
    clock::time_point now;
    bool has_turned = false;     ///< since the last look
    std::uint64_t switches = 0;  ///< see async::activities
    /// By when the job that runs has to end: its timeout, and what it has to stop. Nothing: no job runs, or it has no
    /// limit.
    std::optional<clock::time_point> must_end_by;
  };

  /// What is to be done now.
  struct ruling {
    bool report = false;  ///< say that the loop is blocked: once for each time
    bool renew = false;
    bool give_up = false;  ///< say that the lease is not renewed any more: once for each time
    /// The loop, which was reported as blocked or whose lease was renewed, turns again.
    bool is_over = false;
  };

  loop_watch(limits how, clock::time_point now);

  ruling look(const sighting& seen);

  /// For how long the loop has not turned, the process's own standstills not counted. After its end: for how
  /// long it had not.
  milliseconds blocked_for() const noexcept { return blocked_for_; }
  /// Whether it is one handler that has run for most of that time, rather than many in turn.
  bool is_by_one() const noexcept { return is_by_one_; }

  milliseconds look_interval() const noexcept;

  /// For how long the lease is renewed while something without a limit of its own blocks the loop.
  static constexpr milliseconds max_renewed{300'000};

 private:
  milliseconds renew_after() const noexcept;
  void account_for_standstill(clock::time_point now);
  void follow_handler(const sighting& seen);
  bool is_past_limit(const sighting& seen) const;
  ruling loop_turned(clock::time_point now);

  const limits limits_;
  clock::time_point last_look_;
  clock::time_point since_;                ///< the loop has not turned since
  clock::time_point handler_since_;        ///< the handler that runs has run since, as far as was seen
  std::optional<std::uint64_t> switches_;  ///< nothing: the loop has turned at the last look
  milliseconds blocked_for_{0};
  bool is_by_one_ = false;
  bool was_reported_ = false, gave_up_ = false;
  std::optional<clock::time_point> renewed_;
};

}  // namespace quarq::workers
