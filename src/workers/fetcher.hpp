// Claims jobs for free slots, and starts what the broker pushes. Where jobs are short, some are claimed before
// there are slots for them, and the next claim is on its way before the jobs of the last one begin, so that the
// store works while they run.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "broker/broker.hpp"
#include "workers/broker_clock.hpp"
#include "workers/claim_planner.hpp"
#include "workers/clock.hpp"
#include "workers/log_limiter.hpp"
#include "workers/queue_lease.hpp"
#include "workers/settler.hpp"
#include "workers/slot_table.hpp"

namespace quarq::workers {

class fetcher {
 public:
  struct params {
    broker::broker& broker;
    queue_leases& leases;
    slot_table& slots;
    settler& settlements;
    broker_clock& broker_time;
    clock& time;
    boost::asio::any_io_executor loop;
    std::mt19937_64& random;
    bool burst = false;
    std::function<void(queue_lease&, broker::claimed_job, broker::time_point now)> start_job;
    std::function<bool()> is_idle;  ///< nothing runs or is left to do here: a burst may end
    std::function<void()> claim_failed;
    /// The ids of all jobs held under the lease that this worker knows of.
    std::function<std::vector<std::string>(const queue_lease&)> held_jobs;
    bool burst_includes_deferred = false;
  };
  explicit fetcher(params p);

  /// Claims until stop(), or until a burst or max_jobs has come to its end.
  awaitable<void> run();
  /// Claims no more; what arrives is handed back.
  void stop();
  bool is_stopped() const noexcept { return stopped_; }

  /// A slot is free, or is_idle() may have changed.
  void wake() {
    if (!start_is_posted_) start_arrived();
    wake_.set();
  }
  /// There is work in this queue, or its promise to tell of it has ended.
  void work_ready(const queue_lease& l);
  /// The queue need not be asked before this.
  void leave_until(const queue_lease& l, clock::time_point until);
  /// A job that the broker gave us without being asked, under the lease with this token.
  void job_pushed(queue_lease& l, const std::string& token, broker::claimed_job job, broker::time_point now);
  /// The connection was lost and is back: claims whose answers were lost may have left jobs under our leases.
  void reconnected();
  /// What the broker said of the queue. Is logged when it changes.
  void note_paused(const queue_lease& l, bool is_paused);
  void lease_lost(const queue_lease& l);
  /// A job that has not been started yet is handed back: the broker ends it.
  void cancel_requested(queue_lease& l, const std::string& id);
  /// Appends the ids of the jobs that have not been started yet.
  void append_ids(const queue_lease& of, std::vector<std::string>& ids) const;

 private:
  /// Without a turn of the loop, in which ends are sent and answers are read.
  static constexpr std::size_t started_together = 64;

  /// Claimed or pushed, and not started yet.
  struct arrived_job {
    std::reference_wrapper<queue_lease> from;
    broker::claimed_job job;
    clock::time_point since;
  };

  awaitable<void> claim(queue_lease& l, std::size_t max);
  std::size_t room() const;
  std::size_t room_worth_a_claim() const;
  void start_after_the_claim_is_sent();
  void start_in_the_next_turn();
  bool can_start() const;
  void start_arrived();
  void hand_back_arrived();
  void return_late();
  std::optional<clock::time_point> wait_limit(std::optional<clock::time_point> planned) const;
  void note_since(queue_lease& l) const;
  void complain(const queue_lease& l, const char* of_what, const broker_error& why);
  void start_pushed();
  void start_pushed(queue_lease& l);
  awaitable<void> reconcile();
  awaitable<bool> reconcile(queue_lease& l);
  claim_planner::situation situation() const;

  params its_;
  claim_planner planner_;
  async::auto_reset_event wake_;
  std::deque<arrived_job> arrived_;  ///< in the order in which they begin
  std::size_t asked_for_ = 0;        ///< jobs, by the claim that is under way
  bool is_starting_ = false, start_is_posted_ = false;
  const std::shared_ptr<fetcher*> self_ = std::make_shared<fetcher*>(this);  ///< gone with it
  /// Jobs pushed while a claim is under way, which may take their slots, whichever queue it asks. One list for
  /// each queue.
  std::vector<std::vector<broker::claimed_job>> pushed_;
  std::vector<log_limiter> complaints_;  ///< likewise
  std::vector<bool> paused_;             ///< likewise
  bool stopped_ = false;
  bool reconcile_wanted_ = false;
  bool reconciling_ = false;
};

}  // namespace quarq::workers
