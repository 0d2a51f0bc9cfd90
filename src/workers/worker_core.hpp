// A worker's parts and what they share. Each role is a file:
//
//   fetch    claims jobs for free slots, by the queues' weights
//   execute  runs one try of a job: hooks, handler, timeout, cancel
//   settle   tells the broker how tries ended, many at a time
//   renew    keeps the leases, hears of cancelled jobs, gives lost workers' jobs back
//   cron     plans the runs of cron jobs; cron_admit decides whether one that was claimed takes place
//   worker   starts the roles, and ends them in order
//
// What was claimed and is not run here now is kept by set_aside.cpp. What becomes of a job after a try is
// decided in decide.cpp, and said in the log by worker_log.cpp or arq_worker_log.cpp. Everything here runs on
// the worker's loop, except handlers on threads and in processes.
#pragma once

#include <atomic>
#include <chrono>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>

#include <quarq/process_pool.hpp>
#include <quarq/thread_pool.hpp>
#include <quarq/worker.hpp>

#include "async/event.hpp"
#include "broker/broker.hpp"
#include "cron/cron_job.hpp"
#include "model/record.hpp"
#include "model/retry_decision.hpp"
#include "workers/log/worker_log.hpp"

namespace quarq::detail {

using model::milliseconds;
using steady = std::chrono::steady_clock;

/// Before the broker is asked again, after an error of its.
inline constexpr milliseconds pause_after_error{500};

/// What after_recorded waits for.
struct recording {
  explicit recording(const boost::asio::any_io_executor& loop) : answered(loop) {}
  async::event answered;  ///< by the broker; or the worker ends without an answer
  bool held = false;      ///< the end counted: the job was still ours
};

/// One of the worker's queues, with the lease under which its jobs are held.
struct lane {
  lane(served_queue q, const boost::asio::any_io_executor& loop)
      : served(std::move(q)), outbox_ready(loop), renew_now(loop) {}

  served_queue served;
  broker::lease lease;                        ///< without a token: there is none at the moment
  std::vector<broker::settlement> outbox;     ///< not sent yet
  std::vector<broker::settlement> in_flight;  ///< sent, not answered yet
  async::event outbox_ready;
  std::unordered_map<std::string_view, recording*> unrecorded;  ///< by the job's id
  async::event renew_now;

  /// Until when it need not be asked for jobs: the broker has promised to tell of some before.
  std::optional<steady::time_point> promised_until;
  bool woken = false;     ///< told of jobs since the last claim began
  bool claiming = false;  ///< a claim is under way
  /// Jobs given meanwhile: the claim may have taken their slots.
  std::vector<std::pair<broker::claimed_job, broker::time_point>> given;
  broker::time_point since{};  ///< the broker's clock when jobs were first claimed under this lease
};

/// A claimed job, from its claim until its settlement is in the outbox and its handler has ended.
struct running_job {
  running_job(lane& l, broker::claimed_job c, const context& worker, job_facts facts)
      : from(l), token(l.lease.token), claimed(std::move(c)), ctx(&worker, std::move(facts)) {}

  lane& from;
  std::string token;  ///< the lease it was claimed under
  broker::claimed_job claimed;
  model::record record;
  std::size_t by_position = std::string::npos;  ///< so many arguments came without their names
  const handler* how = nullptr;
  model::terms terms;
  context ctx;
  boost::asio::cancellation_signal cancel;
  model::stop_reason stopped = model::stop_reason::none;
  steady::time_point started = steady::now();
  std::int64_t started_ms = 0;                 ///< by the broker's clock
  std::optional<steady::time_point> deadline;  ///< its place in worker_core::deadlines
  bool settled = false;  ///< its end is recorded; the handler is waited for no longer than it likes to take
  std::list<running_job>::iterator self;
};

/// A claimed job that is not run here now (set_aside.cpp).
struct aside {
  aside(lane& l, std::string t, std::string i, std::string until)
      : from(l), token(std::move(t)), id(std::move(i)), until_ended(std::move(until)) {}

  lane& from;
  std::string token, id;
  std::string until_ended;  ///< the job whose end it awaits; empty: for a while
  bool given = false;       ///< back
  boost::asio::cancellation_signal cancel;
};

class worker_core : public std::enable_shared_from_this<worker_core> {
 public:
  explicit worker_core(worker_options o) : options(std::move(o)), own_context(nullptr) {}

  // ---- set before it runs
  worker_options options;
  std::unordered_map<std::string, handler> handlers;
  std::vector<std::string> tasks;                         ///< of the handlers, as they were added
  std::unordered_map<std::string, cron::cron_job> crons;  ///< by their task
  void add_cron(std::string_view cron_name, cron_options how);
  worker::hook on_startup, on_shutdown, before_job;
  worker::end_hook after_job, after_recorded;

  // ---- worker.cpp
  awaitable<void> run();
  /// Thread-safe. `asked_by`: for the log, and must live for ever.
  void stop(const char* asked_by = "stop()");
  std::atomic<std::size_t> done{0};
  /// Whether run() ended while handlers still ran that would not stop: their threads can't be joined.
  bool left_running = false;
  /// Run by main(), which leaves the process afterwards: run() may end while handlers still run that were
  /// asked to stop and do not. And the log is the worker's own, to look as its readers are used to.
  bool is_the_program = false;

 private:
  // ---- worker.cpp
  struct loop_end {
    explicit loop_end(worker_core& c) : core(c) {}
    ~loop_end();
    worker_core& core;
  };
  void check() const;
  awaitable<void> start_unless_stopped();
  awaitable<void> start();
  void make_places();
  awaitable<void> watch_for_early_stop();
  awaitable<void> serve();
  awaitable<void> shut_down();
  awaitable<void> finish_running();
  awaitable<void> hand_back();
  awaitable<void> end_roles();
  void listen_for_stop(bool on);
  void on_stop();
  void spawn(awaitable<void> role);
  bool settled() const noexcept;
  bool idle() const noexcept { return running.empty() && settled(); }
  std::string card() const;
  workers::logged_worker logged(const std::vector<std::string>& queues,
                                const std::vector<std::string>& known) const;
  workers::logged_stop logged_stop() const;

  // ---- fetch.cpp
  awaitable<void> fetch();
  awaitable<bool> claim_once();
  awaitable<bool> claim_from(lane& l, std::size_t max);
  void start_given(lane& l);
  void job_given(lane& l, const std::string& token, broker::claimed_job job, broker::time_point now);
  void ask_again(lane& l);
  void ask_all_again();
  milliseconds until_next_claim() const;
  void return_unstarted(lane& l, const std::vector<broker::claimed_job>& jobs);
  awaitable<void> reconcile();
  std::size_t room() const;
  std::vector<lane*> lanes_by_weight();

  // ---- execute.cpp
  void start_job(lane& from, broker::claimed_job claimed, broker::time_point now);
  std::optional<model::attempt> reason_not_to_run(running_job& job, broker::time_point now);
  awaitable<void> execute(running_job& job);
  awaitable<std::string> call_handler(running_job& job);
  awaitable<std::string> call_on_thread(running_job& job);
  awaitable<std::string> call_in_process(running_job& job);
  awaitable<void> run_after_job(running_job& job, model::attempt& a, model::verdict& v);
  awaitable<void> run_after_recorded(running_job& job, const job_end& end);
  void stop_job(running_job& job, model::stop_reason why);
  model::verdict verdict_on(const running_job& job, const model::attempt& a);
  /// Whether this is the job's end: it has none yet, and is still ours.
  bool conclude(running_job& job, const model::attempt& a, const model::verdict& v, std::string result);
  broker::settlement settlement_of(const running_job& job, const model::attempt& a, const model::verdict& v,
                                   std::string result) const;
  model::outcome outcome_of(const running_job& job) const;
  workers::logged_job logged(const running_job& job) const;
  void aborted_unstarted(const broker::claimed_job& claimed, broker::time_point now);
  void set_deadline(running_job& job, milliseconds from_now);
  void clear_deadline(running_job& job);
  awaitable<void> watch_deadlines();
  void deadline_passed(running_job& job);

  // ---- settle.cpp
  void settle(lane& to, broker::settlement s);
  awaitable<void> send_settlements(lane& l);
  static void report_refused(const lane& l, const std::vector<bool>& held);
  static void tell_recorded(lane& l, const std::vector<bool>& held);

  // ---- renew.cpp
  awaitable<void> open(lane& l);
  awaitable<void> renew(lane& l);
  awaitable<void> replace_lease(lane& l);
  void cancel_requested(lane& l, const std::string& id);
  broker::lease_terms lease_terms() const;

  // ---- cron.cpp
  void begin_crons();
  void note_clock(lane& l, broker::time_point now);
  broker::time_point now_there() const;
  awaitable<void> tend_crons();
  void log_next(const cron::cron_job& c) const;
  awaitable<void> look_after(cron::cron_job& c);
  awaitable<void> mend_chain(cron::cron_job& c);
  awaitable<bool> enqueue_run(const cron::cron_job& c, std::string id, std::optional<broker::time_point> at,
                              std::string after);
  awaitable<void> run_at_startup(const cron::cron_job& c);
  awaitable<bool> try_run_at_startup(const cron::cron_job& c);
  struct startup_run {
    std::string id;                           ///< empty: none is known
    std::optional<broker::time_point> ended;  ///< nothing: it waits or runs
    std::string next_id;                      ///< of the one that would follow it
  };
  awaitable<startup_run> latest_startup_run(const cron::cron_job& c);
  static std::optional<broker::time_point> ended_at(const broker::job_details& job);

  // ---- cron_admit.cpp
  struct cron_obstacle {
    std::string id;      ///< of a run that has not ended; empty: there is none
    bool waits = false;  ///< for another one
  };
  cron::cron_job* cron_of(const running_job& job);
  awaitable<bool> admit_cron(running_job& job, cron::cron_job& c);
  awaitable<bool> judge_cron(running_job& job, cron::cron_job& c);
  awaitable<bool> judge_startup(running_job& job, cron::cron_job& c, const cron::cron_run& run);
  awaitable<bool> judge_planned(running_job& job, cron::cron_job& c, const cron::cron_run& run);
  awaitable<bool> is_missed(const running_job& job, const cron::cron_job& c, const cron::cron_run& run);
  awaitable<void> skip_missed(running_job& job, cron::cron_job& c, const cron::cron_run& run);
  awaitable<bool> way_is_clear(running_job& job, cron::cron_job& c, const cron::cron_run& run);
  awaitable<cron_obstacle> run_in_the_way(const running_job& job, const cron::cron_job& c,
                                          const cron::cron_run& run);
  awaitable<void> plan_on(cron::cron_job& c, const cron::cron_run& run, std::string after);
  awaitable<void> send_under_own_id(running_job& job, const cron::cron_job& c);
  void end_without_run(running_job& job, job_state state, std::string why, std::string after = {});

  // ---- set_aside.cpp
  void leave_to_others(running_job& job, std::string_view why);
  bool leave_unknown_cron(running_job& job, const model::attempt& a);
  void set_aside(running_job& job, std::string until_ended);
  awaitable<void> give_back_later(aside& a);
  void give_back(aside& a);

  boost::asio::any_io_executor loop;
  std::shared_ptr<broker::broker> broker;
  std::unique_ptr<workers::worker_log> log;
  std::list<lane> lanes;
  context own_context;

  std::list<running_job> running;
  std::list<aside> asides;
  broker::time_point clock_there{};  ///< the broker's clock at clock_seen
  std::optional<steady::time_point> clock_seen;
  bool crons_beginning = false;  ///< a burst must not end yet
  std::size_t started = 0;
  workers::tally tries_ended;
  std::set<std::pair<steady::time_point, running_job*>> deadlines;
  std::optional<thread_pool> threads;
  std::optional<process_pool> processes;
  /// Where running jobs are, and how many may be there, those that wait for a thread or process included.
  struct places {
    std::size_t max = 0;  ///< 0: no handler runs here
    std::size_t taken = 0;
  };
  places on_loop, on_threads, in_processes;
  std::mt19937_64 random{std::random_device{}()};

  // One event for each coroutine that waits. They exist while run() does.
  struct events {
    explicit events(const boost::asio::any_io_executor& l) : fetch(l), deadline(l), ended(l), cron(l) {}
    async::event fetch;     ///< a slot is free, work is ready, stop
    async::event deadline;  ///< the earliest deadline has changed
    async::event ended;     ///< a job or a role has ended
    async::event cron;      ///< the broker's clock is known
  };
  std::optional<events> wake;
  int roles = 0;  ///< coroutines of ours that have not ended
  std::list<boost::asio::cancellation_signal> role_cancels;
  bool has_run = false;
  bool up = false;        ///< it has started
  bool stopping = false;  ///< claim no more
  bool stop_now = false;  ///< the second request
  bool closing = false;   ///< roles: end
  bool reconcile_wanted = false;
  bool reconciling = false;
  std::atomic<int> stop_requests{0};
  std::atomic<const char*> stop_asked_by{nullptr};
  std::mutex stop_mutex;                                  ///< guards stop_loop, for stop() on other threads
  std::optional<boost::asio::any_io_executor> stop_loop;  ///< set while run() listens for stop()
  std::exception_ptr failure;                             ///< of a role: ends run()
  std::string name;                                       ///< host:pid, for people
};

}  // namespace quarq::detail
