// Runs one attempt of each job that was claimed, from its claim to its settlement.
#pragma once

#include <atomic>
#include <functional>
#include <list>
#include <memory>
#include <memory_resource>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <quarq/thread_pool.hpp>

#include "async/activity.hpp"
#include "broker/broker.hpp"
#include "broker/worker_log_format.hpp"
#include "model/job_notes.hpp"
#include "processes/untyped_pool.hpp"
#include "workers/cron_gate.hpp"
#include "workers/deadlines.hpp"
#include "workers/isolation.hpp"
#include "workers/job_counters.hpp"
#include "workers/job_notebook.hpp"
#include "workers/job_threads.hpp"
#include "workers/parked_jobs.hpp"
#include "workers/running_job.hpp"
#include "workers/settler.hpp"
#include "workers/slot_table.hpp"
#include "workers/waiting_line.hpp"
#include "workers/worker_setup.hpp"
#include "workers/worker_traces.hpp"

namespace quarq::workers {

/// Jobs and attempts that have ended here. `done` is read by other threads.
struct job_counts {
  std::atomic<std::size_t> done{0};  ///< whatever the state
  broker::attempt_counts ended;
};

class job_runner {
 public:
  struct params {
    const worker_setup& setup;
    std::string_view worker_name;
    const context& worker_context;
    const broker::worker_log_format& log;
    bool keep_void_results = false;  ///< see broker::traits
    job_counts& counts;
    slot_table& slots;
    settler& settlements;
    cron_gate& gate;
    clock& time;
    boost::asio::any_io_executor loop;
    std::mt19937_64& random;
    const thread_pool* threads = nullptr;  ///< REQUIRED before start(), if there are handlers on threads
    quarq::processes::untyped_pool* processes = nullptr;  ///< likewise
    std::weak_ptr<void> owner;                            ///< kept alive by jobs under way
    std::function<void(const running_job&, std::string until_ended)> park;
    std::function<void()> job_ended;  ///< its slot is free
    /// A job that waited in vain goes back to its queue, for another worker.
    std::function<void(queue_lease&)> left_to_others = [](queue_lease&) {};
    /// A job is to run alone: what is parked is to be handed back.
    std::function<void()> hand_back_parked = [] {};
    job_counters* counters = nullptr;  ///< null: nothing is counted
    const worker_traces* traces = nullptr;
  };
  void use_pools(const thread_pool* threads, quarq::processes::untyped_pool* processes);
  explicit job_runner(params p)
      : its_(std::move(p)),
        activities_(async::activities::of(its_.loop)),
        notebook_(its_.time, its_.loop),
        deadlines_(its_.time, its_.loop),
        threads_(std::make_shared<job_threads>(
            job_threads::params{its_.time, its_.loop, [this](running_job& job) { began_on_thread(job); },
                                [this](running_job& job) { back_from_thread(job); }, its_.owner})),
        hooked_threads_(std::make_shared<waiting_line>(its_.time, its_.loop)),
        processes_(std::make_shared<waiting_line>(its_.time, its_.loop)),
        isolation_(its_.slots),
        may_be_alone_(its_.loop),
        tracer_(its_.traces != nullptr ? its_.traces->by() : nullptr) {}
  ~job_runner() { threads_->close(); }
  job_runner(const job_runner&) = delete;
  job_runner& operator=(const job_runner&) = delete;

  /// A job that waits for a thread or process is handed back, if none has become free for so long.
  static constexpr milliseconds turn_timeout{500};

  /// Takes a job that was claimed under this lease, and begins an attempt as soon as there is a thread or
  /// process for it. `now`: by the broker's clock.
  void start(queue_lease& from, broker::claimed_job claimed, broker::time_point now);
  /// The role that watches the jobs' deadlines, until it is cancelled.
  awaitable<void> watch_deadlines();

  /// Asks a job, or all of them, to stop; the first reason counts. The end of one that has not stopped after
  /// worker_options::cancel_timeout is recorded without it.
  void stop(running_job& job, model::stop_reason why);
  void stop_all(model::stop_reason why);
  /// Hands back jobs that wait for a thread or process.
  void return_waiting();
  void cancel_requested(queue_lease& of, const std::string& id);
  /// Other workers own the jobs under this lease now. Returns how many run here.
  std::size_t lease_lost(queue_lease& of);
  /// The worker ends: what still runs is handed back with its lease, and its own end is not recorded after
  /// that.
  void abandon();
  /// Also functions that may still run on threads: the loop is gone.
  void request_stop_of_all();
  /// The broker has answered to ends of jobs.
  void ends_recorded() {
    if (its_.slots.is_closed()) may_be_alone_.set();
  }
  /// The broker has ended a claimed job that had been cancelled before.
  void aborted_unstarted(const broker::claimed_job& claimed, broker::time_point now);

  /// A job that waits for others: which, or one of them.
  struct waiting {
    std::string_view id, awaited;
    std::size_t more = 0;  ///< that it waits for
  };
  /// Of all jobs that wait at this moment, the first ones. They are valid until the next turn of the loop.
  std::vector<waiting> first_waiting(std::size_t max) const;
  /// How many have lent their slots.
  std::size_t waiting_count() const noexcept { return waiting_; }

  /// Returns when a job has said something of itself. One waits.
  awaitable<void> wait_for_notes() { return notebook_.wait_for_news(); }
  struct said {
    broker::lease under;
    std::vector<broker::job_note> notes;
  };
  /// What running jobs have said since this was asked last.
  std::vector<said> take_notes();

  bool empty() const noexcept { return running_.empty(); }
  std::size_t running() const noexcept { return running_.size(); }
  void append_ids(const queue_lease& of, std::vector<std::string>& ids) const;

 private:
  friend struct running_job;
  void wait_began(running_job& job, model::job_wait& one);
  void wait_ended(running_job& job, model::job_wait& one) noexcept;
  bool serves(const std::string& queue) const;
  std::size_t others_beside(const running_job& job) const;
  void find_handler(running_job& job);
  bool goes_straight_to_threads(const running_job& job) const;
  bool goes_straight_to_the_loop(const running_job& job) const;
  bool has_no_steps_before_the_call(const running_job& job) const;
  void call_on_loop(running_job& job);
  void spawn(running_job& job, awaitable<void> work);
  awaitable<void> run(running_job& job);

  // The steps of run(), in their order.
  std::optional<model::attempt> check(running_job& job);
  void reject(running_job& job, const model::attempt& why);
  awaitable<bool> admit(running_job& job);
  awaitable<void> wait_to_be_alone(running_job& job);
  bool take_turn(running_job& job);
  awaitable<void> wait_for_turn(running_job& job);
  bool says_begin(const running_job& job) const;
  awaitable<void> say_begin(running_job& job);
  void begin(running_job& job);
  awaitable<std::string> call(running_job& job);
  void leave_turn(running_job& job);
  bool has_end_hooks() const noexcept;
  void record_end(running_job& job, model::attempt a, std::string result);
  awaitable<void> end_attempt(running_job& job, model::attempt a, std::string result);
  model::decision decide(const running_job& job, const model::attempt& a);
  awaitable<void> run_after_job(running_job& job, model::attempt& a, model::decision& d);
  void watch_late_children(running_job& job);
  void end_children(running_job& job, job_state end);
  model::job_notes by_broker_time(const running_job& job, model::job_notes notes) const;
  bool add_notes(running_job& job, model::outcome& to);
  bool settle(running_job& job, const model::attempt& a, const model::decision& d, std::string result);
  awaitable<void> run_after_commit(running_job& job, const job_end& end);

  // Where a thread takes the job itself.
  void line_up(running_job& job);
  void began_on_thread(running_job& job);
  void back_from_thread(running_job& job);
  void conclude(running_job& job, model::attempt a, std::string result);
  static model::attempt never_called();

  bool isolate(running_job& job);
  bool is_suspect(const running_job& job) const;
  bool is_alone(const running_job& job) const {
    return its_.settlements.is_idle() && others_beside(job) == 0;
  }
  waiting_line* line_of(const running_job& job) const;
  bool may_begin(running_job& job);
  void note_start(running_job& job, clock::time_point when);
  void begin_span(running_job& job);
  void end_span(running_job& job, const model::attempt& a, std::string_view became);
  task_stats* counts_of(const running_job& job);
  clock::time_point latest_start(const running_job& job) const;
  bool is_unknown_for_long(const running_job& job) const;
  static bool can_expire(const running_job& job);
  bool is_expired(const running_job& job) const;
  milliseconds time_to_wait(const running_job& job) const;
  void still_waits(running_job& job);
  void start_timer(running_job& job);
  void apply(running_job& job, admission ruled);
  void end_without_run(running_job& job, const admission& ruled);
  awaitable<std::string> call_on_thread(running_job& job);
  awaitable<std::string> call_in_process(running_job& job);
  void note_stop(running_job& job, model::stop_reason why);
  void limit(running_job& job, clock::time_point stopped_at);
  void deadline_passed(running_job& job);
  void forget(running_job& job);
  void ended(running_job& job);
  broker::time_point broker_time(const running_job& job, clock::time_point at) const;
  broker::time_point broker_now(const running_job& job) const { return broker_time(job, its_.time.now()); }
  std::chrono::microseconds ran(const running_job& job) const;
  broker::logged_job logged(const running_job& job) const;

  params its_;
  const std::shared_ptr<async::activities> activities_;
  job_notebook notebook_;
  deadlines deadlines_;
  std::shared_ptr<job_threads> threads_;
  std::shared_ptr<waiting_line> hooked_threads_, processes_;
  isolation isolation_;
  async::auto_reset_event may_be_alone_;  ///< one waits at most
  const trace::tracer* const tracer_;     // null: nothing is traced
  // A job is larger than what malloc keeps at hand for the next.
  std::pmr::unsynchronized_pool_resource memory_{std::pmr::pool_options{0, 2 * sizeof(running_job)}};
  std::pmr::list<running_job> running_{&memory_};
  std::size_t waiting_ = 0;
};

}  // namespace quarq::workers
