// Decides which queue is asked for jobs next, for how many, and until when there is nothing to ask. It has no
// clock and does no I/O.
#pragma once

#include <cstddef>
#include <optional>
#include <random>
#include <span>
#include <variant>
#include <vector>

#include "workers/clock.hpp"
#include "workers/queue_lease.hpp"

namespace quarq::workers {

/// Claims in passes: in each pass every queue is asked at most once, in a random order in which a queue's
/// chance to come first is its weight. A queue that has promised to tell of jobs is left alone until then.
class claim_planner {
 public:
  using time_point = clock::time_point;

  /// Enough to make the round trip cheap for each job, and little enough that other workers get some.
  static constexpr std::size_t max_claimed = 256;
  /// While nothing is heard. A lost wake-up would cost this long, if renewing did not notice it first.
  static constexpr milliseconds max_idle_wait = std::chrono::minutes(1);

  struct claim {
    std::size_t queue = 0;  ///< its index
    std::size_t max = 0;    ///< jobs
  };
  struct wait {
    std::optional<time_point> until;  ///< nullopt: until there is a free slot
  };
  struct done {};
  using step = std::variant<claim, wait, done>;

  struct situation {
    time_point now{};
    std::size_t room = 0;   ///< slots for further jobs
    bool is_spent = false;  ///< as many jobs were started as ever may be
    bool is_idle = false;   ///< nothing runs here and nothing is left to settle or to plan: a burst may end
  };

  /// `burst`: to end when a pass brings nothing and the worker is idle; `waits_for_deferred`: and no queue has
  /// deferred jobs.
  claim_planner(std::size_t queues, bool burst, bool waits_for_deferred = false)
      : queues_(queues), burst_(burst), waits_for_deferred_(waits_for_deferred) {}

  /// The next thing to do. A claim has to be answered by claimed(), failed() or lost() before the next call.
  /// After `wait`, the next call begins a new pass.
  step next(const situation& s, std::span<const queue_lease> leases, std::mt19937_64& random);

  /// The claim was answered: it was as `full` as was asked, and the next deferred job is due after
  /// `next_due`.
  void claimed(std::size_t queue, time_point now, bool full, std::optional<milliseconds> next_due);
  /// The claim failed: the queue is asked again after `pause`.
  void failed(std::size_t queue, time_point now, milliseconds pause);
  /// The lease under which was claimed is lost.
  void lost() noexcept { claiming_ = false; }

  /// There is work, or the queue's promise to tell of it has ended.
  void work_ready(std::size_t queue);
  /// The queue is to be asked at this time and not before, whatever it has promised and tells.
  void leave_until(std::size_t queue, time_point until);
  /// Whether a claim, of whichever queue, is not answered yet.
  bool is_claiming() const noexcept { return claiming_; }

  /// No more claims.
  void stop() noexcept { stopped_ = true; }

 private:
  struct queue_state {
    std::optional<time_point> promised_until;  ///< the broker has promised to tell of jobs before
    time_point left_until{};                   ///< it is left to other workers
    bool has_deferred = false;                 ///< as the last claim said
    bool woken = false;                        ///< told of jobs since the last claim began
  };

  void begin_pass(std::span<const queue_lease> leases, std::mt19937_64& random);
  std::optional<claim> next_claim(const situation& s, std::span<const queue_lease> leases);
  std::optional<step> end_pass(const situation& s, std::span<const queue_lease> leases);
  bool is_burst_over(const situation& s, std::span<const queue_lease> leases) const;
  void answered(std::size_t queue, time_point now, bool more, milliseconds promised);
  time_point next_promise(time_point now, std::span<const queue_lease> leases) const;

  std::vector<queue_state> queues_;
  bool burst_, waits_for_deferred_;
  bool stopped_ = false, claiming_ = false;
  std::vector<std::size_t> order_;  // of this pass
  std::size_t position_ = 0;        // in order_
  bool in_pass_ = false;
  bool more_ = false;  // a claim of this pass may have left something
};

}  // namespace quarq::workers
