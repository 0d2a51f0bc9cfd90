// What has become of a queue's jobs, told from looks at some of them. No I/O, no clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "broker/broker.hpp"
#include "clients/job_filter.hpp"

namespace quarq::clients {

struct job_event {
  enum class kind {
    started,
    ended,     ///< in the state of its details
    retried,   ///< its attempt has failed, and another is to follow
    returned,  ///< it was handed back, or lost with its worker
    gone,      ///< it has ended, and nothing of it is kept
  };
  kind what = kind::started;
  /// Of a job that is gone nothing but the id.
  broker::job_details job;
  std::string task;  ///< empty if it is not known
  std::optional<broker::time_point> finished_at =
      std::nullopt;  ///< of an end or a failed attempt, if that is known
};

/// How many events there were, as queue_stats counts them.
struct event_counts {
  std::uint64_t ended = 0, failed = 0, retried = 0;  ///< `failed` are among those that ended
};

/// When the job's last attempt ended; the epoch if its outcome does not say so.
broker::time_point finished_at(const broker::job_details& job);

/// Differs for two jobs that had the same id one after the other. `at`: finished_at(job), where that is known already.
std::string key_of_end(const broker::job_details& job, broker::time_point at);
std::string key_of_end(const broker::job_details& job);

/// Of the jobs that a filter means. The filter's states say which events there are: running those of starts,
/// deferred those of retries, queued those of jobs that came back.
class job_news {
 public:
  /// How many running jobs are kept in mind.
  static constexpr std::size_t max_running = 4'000;

  explicit job_news(owned_filter which) : which_(std::move(which)) {}

  /// A look at running jobs. The first one is what there was before, and makes no events. `are_all`: no others run.
  void see_running(const std::vector<broker::job_details>& jobs, bool are_all, broker::time_point now);
  /// Ended jobs that were not there before.
  /// `found_late`: they may have ended long ago, so that one that this look has seen to run may run again since.
  void see_ended(std::vector<broker::job_details> jobs, broker::time_point now, bool found_late = false);
  /// The jobs that ran and were not seen running at the last look: the caller is to say where they are. More than
  /// `max` are forgotten, if that look was at all that run.
  std::vector<std::string> missing(std::size_t max);
  /// Where a missing job is; nullopt: nothing is known of it.
  void found(const std::string& id, std::optional<broker::job_details> job);

  /// The events since the last call, look by look: starts, then ends and failed attempts by time and id, then what has
  /// no time.
  std::vector<job_event> take();
  const event_counts& counts() const noexcept { return counts_; }

 private:
  struct known {
    std::string task;
    int attempts = 0, losses = 0;
    std::uint64_t seen_at = 0;  ///< at which look
  };
  void put_in_order();
  void add(job_event::kind what, broker::job_details job, std::string task);
  void add_end(broker::job_details job, std::string task);
  bool is_asked_for(job_event::kind what, job_state state) const;
  bool was_reported(const broker::job_details& job);

  const owned_filter which_;
  std::unordered_map<std::string, known> running_;
  std::uint64_t looks_ = 0;
  bool saw_all_ = true;
  std::set<std::string> reported_, reported_before_;  ///< ends; the older half is forgotten from time to time
  std::vector<job_event> events_;
  std::size_t in_order_ = 0;  ///< how many of these are
  event_counts counts_;
};

}  // namespace quarq::clients
