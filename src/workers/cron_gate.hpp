// A cron job's run that was claimed: does it take place? And the next one is planned, before this one begins,
// so that the chain of runs goes on whatever becomes of this one.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "workers/cron_planner.hpp"
#include "workers/running_job.hpp"

namespace quarq::workers {

/// What becomes of a claimed run.
struct admission {
  enum class ruling {
    run,
    end,   ///< in `state`, without a run
    park,  ///< until the job `until_ended` has ended; where that is empty, for a while
  };
  ruling what = ruling::run;
  job_state state = job_state::succeeded;
  std::string why;
  std::string after;  ///< the run that was in its way
  std::string until_ended;
};

class cron_gate {
 public:
  /// A cron job that no worker knows was removed, and its last planned run is left over. In the midst of a
  /// deployment, though, those that know it may be busy.
  static constexpr milliseconds orphan_timeout = std::chrono::hours(1);

  struct params {
    cron_jobs& jobs;
    cron_runs& runs;
    broker_clock& broker_time;
    clock& time;
  };
  explicit cron_gate(params p) : its_(p) {}

  /// nullptr: it is no run of a cron job that is known here.
  cron::cron_job* cron_of(const running_job& job) const;

  /// Asks the broker until it answers. May change how long the job's end is kept.
  awaitable<admission> admit(running_job& job, cron::cron_job& c);

  /// A job of a cron task that is not known here, or that is not on its schedule here: during a
  /// deployment, or just after one, other workers may know better. `why` follows the job's id in a sentence.
  admission leave_to_others(const running_job& job, std::string_view why) const;

 private:
  struct obstacle {
    std::string id;      ///< of a run that has not ended; empty: there is none
    bool waits = false;  ///< for another one
  };

  awaitable<admission> judge(running_job& job, cron::cron_job& c);
  awaitable<admission> judge_startup(running_job& job, cron::cron_job& c, const cron::cron_run& run);
  awaitable<admission> judge_planned(running_job& job, cron::cron_job& c, const cron::cron_run& run);
  awaitable<bool> is_missed(const running_job& job, const cron::cron_job& c, const cron::cron_run& run);
  awaitable<admission> skip_missed(const running_job& job, cron::cron_job& c, const cron::cron_run& run);
  /// nullopt: it is to be judged further. One that had begun before its cron job was paused goes on.
  awaitable<std::optional<admission>> skip_if_paused(const running_job& job, cron::cron_job& c,
                                                     const cron::cron_run& run);
  awaitable<admission> check_overlap(const running_job& job, cron::cron_job& c, const cron::cron_run& run);
  awaitable<obstacle> find_obstacle(const running_job& job, const cron::cron_job& c,
                                    const cron::cron_run& run);
  awaitable<void> schedule_next(cron::cron_job& c, const cron::cron_run& run, std::string after);
  awaitable<admission> send_under_own_id(const running_job& job, const cron::cron_job& c);

  params its_;
};

}  // namespace quarq::workers
