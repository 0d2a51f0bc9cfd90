// Follows the jobs of a queue by looks at the store, each of which costs it little, however many jobs there are.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <quarq/awaitable.hpp>
#include <quarq/queue_stats.hpp>

#include "broker/broker.hpp"
#include "clients/ended_scan.hpp"
#include "clients/job_filter.hpp"
#include "clients/job_news.hpp"

namespace quarq::clients {

/// Stores tell nobody what happens in them. So this looks at the jobs that run, asks for those that do not any more,
/// and reads what is new at the ends of the lists of ended jobs, or, where the store has no such lists, looks through
/// all that have ended, again and again. A job that starts and ends between two looks, and whose end is not kept, is
/// not seen; how many those were, the queue's counts say.
///
/// For one loop, as the broker.
class job_follower {
 public:
  /// Of one look: pages of running jobs, pages of ended ones, jobs that are asked for by their ids.
  static constexpr std::size_t max_running_pages = 4;
  static constexpr std::size_t max_ended_pages = 8;
  static constexpr std::size_t max_inspected = 100;
  /// And of ended jobs that are in no list: so many pages, and none begins later than this.
  static constexpr std::size_t max_scanned_pages = 8;
  static constexpr std::chrono::milliseconds max_scan_time{250};

  job_follower(std::shared_ptr<broker::broker> store, std::string queue, owned_filter which);

  /// To be called about once a second; the first call returns nothing. Throws broker_error; what had been found by
  /// then comes with the next call that succeeds.
  awaitable<std::vector<job_event>> look();
  /// What has ended or was retried since the last call, without an event. Nothing where the filter asks for more than
  /// the task: counts know nothing else.
  event_counts take_unseen();

 private:
  using time_point = task_minute::time_point;

  /// The end of the list of jobs in one final state.
  struct ended_list {
    job_state state = job_state::dead;
    std::string from;  ///< where the last page begins
    std::set<std::string>
        seen;  ///< keys of the ends that were there when the list was read last, from that place on
    bool has_more = true;    ///< behind the page that was read last
    bool is_passed = false;  ///< what was there at the beginning has been gone through
  };

  awaitable<void> look_at_running();
  awaitable<void> look_at_ended();
  awaitable<void> read_lists();
  awaitable<void> scan_some();
  awaitable<void> read_page(ended_list& list);
  awaitable<void> look_for_missing();
  void add_up_minutes_before(time_point moment);
  awaitable<void> count();

  const std::shared_ptr<broker::broker> store_;
  const std::string queue_;
  const owned_filter which_;
  job_news news_;
  std::vector<ended_list> lists_;
  job_states scanned_;     ///< those that are in no list
  ended_scan scan_;        ///< of these
  std::string scan_from_;  ///< where its pass goes on; empty: it begins
  broker::time_point new_from_ =
      broker::time_point::max();  ///< from the second look on: when the first one began
  bool counts_tell_;              ///< of all that is asked for
  std::map<time_point, event_counts> minutes_;
  time_point still_counted_from_{};  ///< earlier minutes are in total_of_past_
  event_counts total_of_past_;
  int counted_ = 0;             ///< how often
  event_counts total_;          ///< by the queue's counts
  event_counts total_at_pass_;  ///< when the lists and the pass that is under way were begun
  event_counts total_before_;  ///< the same of those that are over: of all these, the events are known by now
  event_counts accounted_;     ///< of those, what has no event, or is older than this object
};

}  // namespace quarq::clients
