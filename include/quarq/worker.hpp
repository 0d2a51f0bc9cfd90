// What runs jobs.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <quarq/awaitable.hpp>
#include <quarq/codec.hpp>
#include <quarq/context.hpp>
#include <quarq/cron.hpp>
#include <quarq/detail/handler.hpp>
#include <quarq/detail/handler_in_process.hpp>
#include <quarq/handler.hpp>
#include <quarq/job_state.hpp>
#include <quarq/queue.hpp>
#include <quarq/retry.hpp>
#include <quarq/task.hpp>

namespace quarq {

/// A queue that a worker serves. Of two queues that both have jobs, one with weight 3 is asked three times as
/// often as one with weight 1.
struct served_queue {
  std::string name = "default";
  int weight = 1;  ///< at least 1
};

/// How a worker works. Each can be given on the command line of worker::main as well, which then wins.
struct worker_options {
  /// Where jobs live; see quarq::queue.
  std::string broker = default_broker_url();
  std::vector<served_queue> queues = {served_queue{}};
  /// Jobs under way at once, on the loop, on threads and in processes together.
  std::size_t concurrency = 100;
  /// Threads that run plain functions. 0: one for each processor. While all are busy, no more jobs are
  /// claimed than can be on the loop.
  std::size_t threads = 0;
  /// Processes that run handlers on level::process, likewise.
  std::size_t processes = 0;
  /// Stop when nothing is queued and nothing runs here. Deferred jobs stay for the next worker.
  bool burst = false;
  /// Stop after this many jobs were started. 0: no limit.
  std::size_t max_jobs = 0;
  /// After SIGTERM or SIGINT running jobs have this long to end; then they are asked to stop and handed back.
  std::chrono::milliseconds shutdown_timeout{25'000};
  /// A worker that has not been heard of for this long has lost its jobs to others. At least 1 s.
  std::chrono::milliseconds lease{7'000};
  /// How long a job that was asked to stop (timeout, cancel) may take to do so before its end is recorded
  /// without it.
  std::chrono::milliseconds cancel_timeout{5'000};
  /// Whether what handlers return is shown in the log, up to 80 characters of it.
  bool log_results = true;
};

/// The end of one try, as after_job and after_commit see it.
struct job_end {
  /// succeeded, failed, cancelled, expired or dead; deferred if it will be tried again; queued if it was
  /// handed back.
  job_state state = job_state::succeeded;
  std::string error_type;  ///< empty unless the handler threw
  std::string error;
  std::chrono::microseconds ran{0};
};

namespace workers {
class worker_impl;
struct worker_access;
}  // namespace workers

/// Claims jobs from its queues and runs their handlers. A coroutine handler runs on the worker's loop, a
/// plain function on its threads, unless handler_options::on says otherwise. Handlers, hooks and options are
/// set before it runs. Not thread-safe, but for stop().
class worker {
 public:
  using hook = std::function<awaitable<void>(context&)>;
  using end_hook = std::function<awaitable<void>(context&, const job_end&)>;

  explicit worker(worker_options options = {});
  ~worker();
  worker(const worker&) = delete;
  worker& operator=(const worker&) = delete;

  worker_options& options() noexcept;

  /// Runs `f` for each job of this task. `f` takes the task's parameters, after an optional quarq::context&
  /// or std::stop_token, and returns the task's result or an awaitable of it. Throws usage_error if the
  /// task has a handler already, or if the options don't go together.
  template <class R, class... Args, class F>
  worker& handle(const task<R(Args...)>& what, F f, handler_options how = {}) {
    std::optional<detail::process_target> in_process;
    if (how.on == level::process) in_process = detail::process_target_of_handler(what, f);
    auto made = detail::make_handler(what, std::move(f), std::move(how));
    made.in_process = in_process;
    add_handler(std::string(what.name()), std::move(made));
    return *this;
  }

  /// Runs `f` again and again: `worker.cron("nightly", report, {.hour = 3, .minute = 30})`. `f` takes
  /// nothing, or a quarq::context& or std::stop_token, and is a job like others, of the task "cron:NAME":
  /// once for all workers of the queue that know this cron job. `name`: 1 to 150 characters, no white space,
  /// no colons. Throws usage_error if the name is taken or the schedule can't be used.
  template <class F>
  worker& cron(const std::string& name, F f, cron_options when) {
    handler_options how;
    how.on = when.on;
    how.timeout = when.timeout;
    how.memory_limit = when.memory_limit;
    how.retry = when.retry;
    how.keep_result = std::max(when.keep_result, retention(std::chrono::minutes(1)));
    const task<void()> what(add_cron(name, std::move(when)));
    return handle(what, std::move(f), std::move(how));
  }
  /// The same by a crontab, in UTC: `worker.cron("nightly", report, "30 3 * * mon-fri")`.
  template <class F>
  worker& cron(const std::string& name, F f, std::string_view crontab) {
    cron_options when;
    when.crontab = crontab;
    return cron(name, std::move(f), std::move(when));
  }

  /// Before the first job. If it throws, the worker does not start: run() throws the same.
  worker& on_startup(hook f);
  /// After the last job. What it throws is logged.
  worker& on_shutdown(hook f);
  /// Before each try, in the job's own context. If it throws, that try has failed.
  worker& before_job(hook f);
  /// After each try. If it throws after a success, that try has failed.
  worker& after_job(end_hook f);
  /// After the end of each try was recorded at the broker: its result can be asked for, and if that is not
  /// kept, the job's id may be used again. Not if the job was no longer this worker's, so that its end here
  /// counted for nothing, nor for a handler that did not stop when asked. What it throws is logged. The job
  /// keeps its place among those under way until it returns.
  worker& after_commit(end_hook f);

  /// Serves until stop(), or until burst or max_jobs is reached. Does not return while the broker is away: it
  /// reconnects. Throws broker_error only for what can't get better (a wrong password, a newer format).
  awaitable<void> run();

  /// Ends run() as SIGTERM would: the grace period, then hand back. A second call: at once. Thread-safe.
  void stop();

  /// How many jobs have ended here, whatever the state.
  std::size_t jobs_done() const noexcept;

  /// The whole of a worker's main(): reads the command line over the options (--help shows it), runs, stops
  /// on SIGTERM and SIGINT. Returns the exit code: 0; 1 for an error, written to stderr in one line; 2 for a
  /// wrong command line. With --check: 0 if a worker of each of its queues is alive, else 1. With --watch it
  /// may start the program again in place of returning. See docs/worker.md.
  int main(int argc, char** argv);

 private:
  void add_handler(std::string task, detail::handler h);
  /// Returns its task's name, which lives as long as the worker.
  std::string_view add_cron(const std::string& name, cron_options options);
  friend struct workers::worker_access;
  explicit worker(std::shared_ptr<workers::worker_impl> impl);
  std::shared_ptr<workers::worker_impl> impl_;
};

}  // namespace quarq
