// The runs of cron jobs, at the broker.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "broker/broker.hpp"
#include "cron/cron_job.hpp"

namespace quarq::workers {

/// What is known of the runs at the start of a worker.
struct startup_run {
  std::string id;                           ///< of the latest; empty: none is known
  std::optional<broker::time_point> ended;  ///< nullopt: it waits or runs
  std::string next_id;                      ///< of the one that would follow it

  bool is_live() const noexcept { return !id.empty() && !ended; }
};

class cron_runs {
 public:
  explicit cron_runs(broker::broker& at) : broker_(at) {}

  /// Enqueues a run, which is due `at` (nullopt: now) and was planned after the run `after`. False: a job
  /// with this id lives or is kept already.
  awaitable<bool> enqueue(const cron::cron_job& c, std::string id, std::optional<broker::time_point> at,
                          std::string after);

  /// The id of one start's run must be the same for all workers that start with it, and another one at a
  /// later start, also if the end of the earlier run is still kept: it continues with the time of that end.
  /// What is kept forever makes a long chain of them, which is followed once, and from then on from its end.
  awaitable<startup_run> latest_at_startup(const cron::cron_job& c);

  awaitable<std::optional<broker::job_details>> inspect(const cron::cron_job& c, std::string id) {
    return broker_.inspect(c.queue, std::move(id));
  }
  /// Whether operators have paused it.
  awaitable<bool> is_paused(const cron::cron_job& c);
  /// A dead run back into its queue. False: there was none.
  awaitable<bool> requeue(const cron::cron_job& c, std::string id);

 private:
  // How far a chain was followed, by the id of its first run.
  struct followed {
    broker::time_point first_ended;  // another chain has begun since, if its first run ended at another time
    std::string id;                  // of the last run that had ended
    broker::time_point ended;
  };

  broker::broker& broker_;
  std::map<std::string, followed> startups_;
};

bool is_live(const std::optional<broker::job_details>& job);
/// The run that this one was planned after, or that was in its way.
std::string run_before(const broker::job_details& job);

}  // namespace quarq::workers
