// A broker in the test's own memory, for what can't be arranged at a real one: it fails, stalls or loses a
// lease when the test says so, notes what it was asked, and goes by a clock that the test moves. For one
// loop.
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/broker.hpp"
#include "support/manual_clock.hpp"

namespace quarq::test {

enum class operation {
  enqueue,
  wait_ended,
  cancel,
  open_lease,
  renew,
  close_lease,
  claim,
  settle,
  reconcile,
  inspect,
  notes,
  requeue,
  add_stats,
};

class scripted_broker final : public broker::broker {
 public:
  using time_point = quarq::broker::time_point;
  using milliseconds = quarq::broker::milliseconds;

  scripted_broker(const manual_clock& by, boost::asio::any_io_executor loop)
      : clock_(by), loop_(std::move(loop)) {}

  // ---- the script

  /// The next calls of `what` throw broker_error, and do nothing.
  void fail(operation what, int times = 1, broker_error::reason why = broker_error::reason::unknown) {
    script_[what].failures = times;
    script_[what].why = why;
  }
  /// The same, but they do what they are to do first: their answer is lost.
  void lose_answer_to_claim() { loses_answer_ = true; }
  /// Settlements that this holds for are refused, with all that are sent with them.
  /// `with`: the exception; empty: a broker_error for this reason.
  void refuse_if(std::function<bool(const quarq::broker::settlement&)> unacceptable,
                 std::exception_ptr with = nullptr) {
    unacceptable_ = std::move(unacceptable);
    refusal_ = std::move(with);
  }
  /// Calls of `what` do nothing until resume(); they end early only when they are cancelled.
  void stall(operation what) { script_[what].is_stalled = true; }
  void resume(operation what);
  /// All leases are taken away, and the jobs under them go back into their queues.
  void lose_leases();
  /// The next renewal of a lease of this queue says that this job is to be cancelled.
  void request_cancel_at_renewal(const std::string& queue, const std::string& id);
  /// The events of the latest lease of this queue, to be called by the test. REQUIRES: there is one.
  const quarq::broker::worker_events& events(const std::string& queue) const;
  /// What the settlement of a job answers, although the job was held.
  void refuse_settlements(bool refused = true) { refuses_ = refused; }

  // ---- what it was asked

  struct call {
    operation what;
    std::string queue;                  ///< the first one of a worker's lease
    std::size_t max = 0;                ///< of a claim
    std::vector<std::string> ids = {};  ///< of the jobs that were named
  };
  /// In their order, those that failed and those that are stalled included.
  const std::vector<call>& calls() const noexcept { return calls_; }
  std::vector<call> calls(operation what) const;
  using quarq::broker::broker::count;
  std::size_t count(operation what) const { return calls(what).size(); }
  /// Every settlement that was accepted, in order.
  const std::vector<quarq::broker::settlement>& settled() const noexcept { return settled_; }
  /// The sum of all counts of a queue and task.
  task_stats added_stats(const std::string& queue, const std::string& task) const;

  // ---- the store

  time_point now() const;
  /// Adds a job as it is: a test says all of it.
  void put(const std::string& queue, quarq::broker::job_details job);
  /// nullptr: there is no such job.
  const quarq::broker::job_details* find(const std::string& queue, const std::string& id) const;
  /// Throws std::out_of_range if there is no such job.
  const quarq::broker::job_details& at(const std::string& queue, const std::string& id) const;

  // ---- broker

  awaitable<std::vector<quarq::broker::accepted>> enqueue(std::string queue,
                                                          std::vector<quarq::broker::new_job> jobs) override;
  awaitable<std::optional<quarq::broker::ended>> wait_ended(std::string queue, std::string id) override;
  awaitable<quarq::broker::cancel_result> cancel(std::string queue, std::string id, std::string outcome,
                                                 std::optional<milliseconds> keep) override;
  awaitable<void> open_lease(quarq::broker::worker_lease held, quarq::broker::lease_options terms,
                             quarq::broker::worker_events events) override;
  awaitable<quarq::broker::renewal> renew(quarq::broker::worker_lease held,
                                          quarq::broker::lease_options terms) override;
  awaitable<void> close_lease(quarq::broker::worker_lease held) override;
  awaitable<quarq::broker::claim_result> claim(quarq::broker::lease held, std::size_t max) override;
  awaitable<std::vector<bool>> settle(quarq::broker::lease held,
                                      std::vector<quarq::broker::settlement> batch) override;
  awaitable<void> reconcile(quarq::broker::lease held, std::vector<std::string> known) override;
  awaitable<std::optional<quarq::broker::job_details>> inspect(std::string queue, std::string id) override;
  awaitable<std::vector<std::string>> notes(std::string queue, std::vector<std::string> ids) override;
  awaitable<quarq::broker::job_page> page(std::string queue, job_state state, std::size_t max,
                                          std::string from) override;
  awaitable<std::vector<quarq::broker::queue_summary>> queues() override;
  awaitable<std::vector<quarq::broker::worker_summary>> workers(std::string queue) override;
  awaitable<bool> set_paused(std::string queue, bool paused) override;
  awaitable<bool> is_paused(std::string queue) override;
  awaitable<bool> set_mark(std::string queue, std::string name, std::string text) override;
  awaitable<std::map<std::string, std::string>> marks(std::string queue) override;
  awaitable<std::size_t> requeue(std::string queue, std::vector<std::string> ids) override;
  awaitable<std::size_t> purge(std::string queue, job_state state) override;
  awaitable<std::vector<std::string>> warnings() override;
  awaitable<void> add_stats(std::string queue, std::vector<quarq::broker::task_counts> what) override;

 private:
  struct scripted {
    int failures = 0;
    broker_error::reason why = broker_error::reason::unknown;
    bool is_stalled = false;
    std::list<async::auto_reset_event> stalled;  // one for each call that waits
  };
  struct stored_job {
    quarq::broker::job_details facts;
    time_point first_due{};
    std::int64_t place = 0;                // in its queue
    std::optional<time_point> kept_until;  // of an ended job; nullopt: for ever
  };
  struct held_lease {
    std::vector<std::string> queues;
    std::string worker_info, announcement;
    quarq::broker::worker_events events;
    std::vector<quarq::broker::renewal::request> to_cancel;
    bool serves(const std::string& queue) const;
  };
  using jobs_by_id = std::map<std::string, stored_job>;

  awaitable<void> called(call c);
  void check_held(const quarq::broker::lease& held) const;
  void forget_kept(jobs_by_id& jobs) const;
  void ready_due(jobs_by_id& jobs) const;
  void hand_back(stored_job& job);
  void hand_back_all(const std::string& token);
  void end(stored_job& job, job_state state, std::string outcome, std::optional<milliseconds> keep);
  void apply(const std::string& queue, stored_job& job, const quarq::broker::settlement& s);
  /// Tells the leases of the queue; not the one with the token `but`.
  void tell_ready(const std::string& queue, const std::string& but = "");

  const manual_clock& clock_;
  boost::asio::any_io_executor loop_;
  std::map<operation, scripted> script_;
  std::exception_ptr refusal_;
  bool refuses_ = false;
  bool loses_answer_ = false;
  std::function<bool(const quarq::broker::settlement&)> unacceptable_;
  std::vector<call> calls_;
  std::vector<quarq::broker::settlement> settled_;
  std::map<std::pair<std::string, std::string>, task_stats> stats_;  // by queue and task
  std::map<std::string, jobs_by_id> queues_;
  std::set<std::string> paused_;                                     // queues
  std::map<std::string, std::map<std::string, std::string>> marks_;  // by queue
  std::map<std::string, held_lease> leases_;                         // by their tokens
  std::string latest_token_;
  std::int64_t last_place_ = 0, first_place_ = 0;
  std::list<async::auto_reset_event> end_waiters_;
};

}  // namespace quarq::test
