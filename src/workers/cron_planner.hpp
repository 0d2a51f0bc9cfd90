// Sees to it that the next run of each cron job is planned. A run is planned as a deferred job whose id names
// its time, so that of all workers that plan it one succeeds. Usually that is the worker that claims the run
// before it (cron_gate); this role begins the chain, and repairs it if a planned run has vanished.
#pragma once

#include <functional>
#include <string>
#include <unordered_map>

#include <quarq/worker.hpp>

#include "cron/cron_job.hpp"
#include "workers/broker_clock.hpp"
#include "workers/clock.hpp"
#include "workers/cron_runs.hpp"

namespace quarq::workers {

using cron_jobs = std::unordered_map<std::string, cron::cron_job>;  // by their task

class cron_planner {
 public:
  /// The worker that claims a run has this long to plan the next one before others do.
  static constexpr milliseconds planner_head_start{2'000};
  /// The planner checks a cron job at most this often, however often it runs...
  static constexpr milliseconds min_pause{5'000};
  /// ...and at least this often: planned runs may be purged, and clocks may be set.
  static constexpr milliseconds max_pause = std::chrono::hours(1);

  struct params {
    cron_jobs& jobs;
    cron_runs& runs;
    broker_clock& broker_time;
    clock& time;
    boost::asio::any_io_executor loop;
    bool burst = false;
    std::function<void()> first_planned;  ///< each cron job has been looked after once
  };
  explicit cron_planner(params p) : its_(std::move(p)), never_(its_.loop) {}

  /// Gives each cron job its queue. Whether there are any that this worker plans, of which run() has to take
  /// care.
  bool assign_queues(const std::vector<served_queue>& served);
  /// Whether first_planned is still to come: a burst must not end before.
  bool is_beginning() const noexcept { return beginning_; }

  /// Until it is cancelled.
  awaitable<void> run();

 private:
  awaitable<void> plan_startup(const cron::cron_job& c);
  awaitable<bool> try_plan_startup(const cron::cron_job& c);
  awaitable<void> plan_next(cron::cron_job& c);
  awaitable<void> repair_schedule(cron::cron_job& c);
  void log_next(const cron::cron_job& c) const;

  params its_;
  async::auto_reset_event never_;
  bool beginning_ = false;
};

}  // namespace quarq::workers
