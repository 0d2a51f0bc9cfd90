// A worker from its start to its end: the one place that knows all roles.
//
//   fetcher        claims jobs for free slots; claim_planner decides from which queue, and when
//   job_runner     runs one attempt of a job: hooks, handler, timeout, cancel
//   settler        tells the broker how attempts ended, many at a time
//   lease_renewer  keeps the lease, hears of jobs to cancel
//   watchdog       a thread that sees whether the loop turns, and keeps the lease while it does not
//   parked_jobs    keeps what was claimed and is not run here now
//   cron_planner   plans the runs of cron jobs; cron_gate decides whether one that was claimed takes place
//
// Everything runs on the worker's loop, except handlers on threads and in processes.
#pragma once

#include <atomic>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include <boost/asio/any_io_executor.hpp>

#include <quarq/thread_pool.hpp>

#include "broker/broker.hpp"
#include "broker/worker_log_format.hpp"
#include "clients/worker_connection.hpp"
#include "processes/untyped_pool.hpp"
#include "workers/clock.hpp"
#include "workers/cron_gate.hpp"
#include "workers/cron_planner.hpp"
#include "workers/fetcher.hpp"
#include "workers/job_runner.hpp"
#include "workers/lease_renewer.hpp"
#include "workers/metrics_endpoint.hpp"
#include "workers/parked_jobs.hpp"
#include "workers/role_group.hpp"
#include "workers/settler.hpp"
#include "workers/watchdog.hpp"
#include "workers/worker_setup.hpp"
#include "workers/worker_traces.hpp"

namespace quarq::workers {

/// What a worker stands on, which tests replace.
struct environment {
  clock& time;
  std::function<std::shared_ptr<broker::broker>(
      const std::string& url, const boost::asio::any_io_executor& loop, std::optional<milliseconds> timeout)>
      open_broker;
  /// Whether a thread watches the loop: not where the time, or the broker, is the loop's alone.
  bool has_watchdog = false;
};
/// The machine's own time, the broker that the URL names, and a watchdog.
environment real_environment();

class worker_impl : public std::enable_shared_from_this<worker_impl> {
 public:
  explicit worker_impl(worker_options options, environment on = real_environment())
      : environment_(std::move(on)), clock_(environment_.time) {
    setup.options = std::move(options);
  }

  worker_setup setup;  ///< not to be changed once run() has begun
  void add_cron(std::string_view cron_name, cron_options how);

  awaitable<void> run();
  /// Thread-safe. `asked_by`: for the log, and must live for ever.
  void stop(const char* asked_by = "stop()");
  std::size_t jobs_done() const noexcept { return counts_.done; }

  /// The worker is its program, which ends with it: run() may end while handlers still run that were asked to
  /// stop and do not. And the log is the worker's own, to look as its readers are used to.
  bool owns_process = false;
  /// Called on the loop: when it has begun to claim jobs; when it has been asked to stop, or its work is done.
  std::function<void()> on_serving, on_draining;
  /// Whether run() ended while handlers still ran that would not stop: their threads can't be joined.
  bool left_running() const noexcept { return left_running_; }

 private:
  enum class phase {
    created,
    starting,      ///< waits for the broker, on_startup, the lease
    serving,       ///< claims and runs jobs
    draining,      ///< claims no more; running jobs have their time to end
    handing_back,  ///< what was not recorded yet, and the lease
    stopped,
  };

  /// They exist while run() does.
  struct roles {
    roles(worker_impl& of, const boost::asio::any_io_executor& loop);
    void cancel_requested(queue_lease& l, const std::string& id);

    queue_leases leases;
    job_counters counters;
    async::auto_reset_event
        progress;                     ///< a job or a role has ended, the worker is up, or it is asked to stop
    async::auto_reset_event renewed;  ///< the lease
    std::optional<thread_pool> threads;
    std::unique_ptr<quarq::processes::untyped_pool> processes;
    role_group group;
    broker_clock broker_time;
    settler settlements;
    fetcher claims;
    parked_jobs parked;
    cron_runs runs;
    cron_gate gate;
    cron_planner planner;
    job_runner runner;
    lease_renewer renewer;
    std::optional<watchdog> watch;  ///< from before on_startup until on_shutdown has run
  };
  struct loop_end;

  awaitable<void> start_unless_stopped();
  awaitable<void> start();
  template <class F>
  awaitable<void> once_there_is_room(const F& ask);
  bool is_overdue(clock::time_point since) const;
  awaitable<void> watch_contact();
  void open_broker();
  void choose_log();
  void spawn_roles();
  awaitable<void> watch_for_early_stop();
  awaitable<void> serve();
  awaitable<void> shut_down();
  awaitable<void> drain();
  awaitable<void> hand_back();
  awaitable<void> close_lease();
  awaitable<void> report_counts();
  awaitable<void> send_notes();
  awaitable<void> report_last_counts(clock::time_point end);
  awaitable<void> end_roles();
  awaitable<void> wait_progress(clock::time_point until);
  void make_pools(roles& r);
  void begin_metrics();
  worker_state state_now() const;
  std::string why_not_ready() const;
  void begin_watch();
  awaitable<void> run_hook(const worker::hook& what, const char* hook_name);
  void listen_for_stop(bool on);
  void on_stop();
  bool is_idle() const;
  broker::worker_events events_for(const std::string& token);
  std::string worker_info() const;
  broker::logged_worker logged(const std::vector<std::string>& queues,
                               const std::vector<std::string>& tasks) const;
  broker::logged_stop logged_stop_now() const;

  environment environment_;
  clock& clock_;
  std::mt19937_64 random_{std::random_device{}()};
  boost::asio::any_io_executor loop_;
  std::shared_ptr<broker::broker> broker_;
  std::shared_ptr<clients::worker_connection> connection_;  ///< what contexts reach of broker_
  const broker::worker_log_format* log_ = nullptr;
  context context_{nullptr};
  std::string name_;  ///< host:pid, for operators
  job_counts counts_;
  worker_traces traces_;
  std::uint64_t leases_lost_ = 0;  ///< by queues, as metrics tell it
  /// Coroutines that the end of the loop destroys give their slots back, so it outlives the roles.
  std::optional<slot_table> slots_;
  std::optional<roles> roles_;
  phase phase_ = phase::created;
  bool hurry_ = false;  ///< asked to stop twice, or failed: running jobs get no time
  bool left_running_ = false;

  std::atomic<int> stop_requests_{0};
  std::atomic<const char*> stop_asked_by_{nullptr};
  std::mutex stop_mutex_;                                  ///< guards stop_loop_, for stop() on other threads
  std::optional<boost::asio::any_io_executor> stop_loop_;  ///< set while run() listens for stop()
};

/// Makes a public worker of one with another environment.
struct worker_access {
  static worker make(std::shared_ptr<worker_impl> impl) { return worker(std::move(impl)); }
  static worker_impl& impl(worker& of) noexcept { return *of.impl_; }
};

}  // namespace quarq::workers
