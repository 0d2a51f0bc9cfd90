// This process's subscribers to the events of a store: leases, and waits for jobs' ends. Used by the
// store's thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "broker/broker.hpp"
#include "broker/sqlite/job_tables.hpp"
#include "broker/sqlite/operation.hpp"

namespace quarq::broker::sqlite {

class subscriptions {
 public:
  bool empty() const noexcept { return leases_.empty() && waits_.empty(); }

  // ---- leases

  /// `events` belongs to `loop`, and is locked only there.
  void open(const worker_lease& held, std::shared_ptr<async::loop_handle> loop,
            std::weak_ptr<worker_events> events);
  void close(const worker_lease& held);
  /// A claim got fewer than it asked for: it is owed an event when more jobs are ready, or one is due before
  /// `next_due`.
  void owe_event(const lease& held, std::optional<time_point> next_due);
  /// It asks by itself: it has handed a job back, and others shall have it.
  void owe_nothing(const lease& held);

  // ---- waits

  /// A failure instead of an end: there will be none to hear of.
  using end_callback = std::function<void(const std::optional<ended>&, const failure*)>;
  /// `last_published` was read in the transaction that found the job alive.
  void wait(std::uint64_t number, const std::string& queue, const std::string& id,
            std::int64_t last_published, end_callback notify);
  void fail_waits(const failure& why);
  void forget_wait(std::uint64_t number, const std::string& queue, const std::string& id);

  // ---- events

  /// Notifies of this process's commits.
  void notify(const changes& ours);
  /// Tells all leases that are owed an event: time has passed at once.
  void wake_all();
  /// Reads the commits of other processes, and notifies of them. To be called in a transaction. What it costs grows with
  /// the queues that have jobs and are waited for, not with all that are.
  void poll(job_tables& tables, time_point now, milliseconds uptime);

 private:
  struct subscribed_lease {
    lease held;  ///< the part of a worker's lease that is for one queue
    std::shared_ptr<async::loop_handle> loop;
    std::weak_ptr<worker_events> events;
    bool owed = false;  ///< see set_owed
    std::optional<time_point> promised_due;
  };
  using lease_key = std::pair<std::string, std::string>;  ///< queue and token
  struct one_wait {
    std::uint64_t number;
    end_callback notify;
  };
  struct waits_for_job {
    std::string queue, id;
    std::vector<one_wait> all;
  };

  void set_owed(subscribed_lease& one, bool owed);
  void wake_for_others(job_tables& tables, time_point now);
  void wake(std::string_view queue, std::size_t ready, std::optional<time_point> next_due);
  void notify_work(subscribed_lease& to);
  void notify_cancel(subscribed_lease& to, const std::string& id);
  void notify_cancels(job_tables& tables);
  void notify_end_of(const changes::over& over);
  void ask_for_all_waits(job_tables& tables, time_point now);

  std::map<lease_key, subscribed_lease> leases_;
  std::map<std::string, std::size_t, std::less<>> owed_;  ///< queue -> how many of its leases are
  /// Ids of jobs whose workers know that they are to be cancelled, and have not ended them yet.
  std::map<lease_key, std::set<std::string>> notified_cancels_;
  std::unordered_map<std::string, waits_for_job> waits_;  ///< by queue and id
  std::int64_t last_published_ = 0;
  milliseconds last_poll_{0};  ///< on the clock of leases, which counts suspensions
};

}  // namespace quarq::broker::sqlite
