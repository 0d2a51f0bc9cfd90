// Runs jobs: claims them from queues and calls the handlers of their tasks.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <typeinfo>
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

class handlers;

/// A queue that a worker serves. While two queues have jobs, one with weight 3 is asked first three times as
/// often as one with weight 1.
struct served_queue {
  std::string name = "default";
  int weight = 1;  ///< at least 1
};

/// Lines for people, in the words of the queue's broker; or JSON for programs.
enum class log_format { text, json };

/// Options of a worker. The command line of worker::main overrides them.
struct worker_options {
  /// Where jobs live; see quarq::queue.
  std::string broker = default_broker_url();
  std::vector<served_queue> queues = {served_queue{}};
  /// Jobs that run at once: on the loop, on threads and in processes together.
  std::size_t concurrency = 100;
  /// Threads that run plain functions. 0: one for each processor. While all are busy the worker claims no
  /// jobs, except while such functions end within milliseconds. A job that waits for a thread has not started:
  /// its timeout has not begun, and it is handed back when no thread becomes free for half a second.
  std::size_t threads = 0;
  /// Processes that run handlers on level::process, likewise.
  std::size_t processes = 0;
  /// Stop when nothing is queued and nothing runs here. Deferred jobs are left to the next worker. run()
  /// throws broker_error if the broker can't be reached for burst_timeout.
  bool burst = false;
  /// With `burst`: wait for deferred jobs too, and stop when none is queued or deferred. Retries of jobs that
  /// other workers run do not count.
  bool burst_includes_deferred = false;
  /// Stop after starting this many jobs; the last of them may take as long as they like. 0: no limit.
  std::size_t max_jobs = 0;
  /// After SIGTERM or SIGINT running jobs have this long to end. Then they are asked to stop and requeued,
  /// without counting as an attempt.
  std::chrono::milliseconds shutdown_timeout{25'000};
  /// Lease duration, at least 1 s. A worker that fails to renew for this long loses its jobs to other
  /// workers.
  std::chrono::milliseconds lease{7'000};
  /// A loop that has not turned for this long is blocked: the log names the job that blocks it. The lease is
  /// kept meanwhile, until that job must have ended (docs/levels.md). At least 100 ms. 0: nobody watches, and
  /// a blocked loop loses its lease.
  std::chrono::milliseconds blocked_after{1'000};
  /// A job that was asked to stop (timeout, cancellation) has this long to do so. Then its end is recorded
  /// although its handler still runs.
  std::chrono::milliseconds cancel_timeout{5'000};
  /// A job whose task this worker does not know is left to other workers, and does not count as an attempt.
  /// When it has been due for this long, it ends as dead: quarq::unknown_task.
  std::chrono::milliseconds unknown_task_timeout{600'000};
  /// A job that was lost with its worker this often ends as dead, with quarq::worker_lost, without being
  /// started again. From its second loss on it runs alone in its worker, and counts as lost only if it has
  /// begun (docs/delivery.md). At least 1; with 1 each start waits for an answer of the broker.
  std::size_t max_losses = 5;
  /// Whether the log shows the first 80 characters of what handlers return.
  bool log_results = true;
  /// With `burst`: how long the broker may be away, at the start or later, before run() gives up.
  std::chrono::milliseconds burst_timeout{30'000};
  /// How the log looks. With json each line is one object, whose members docs/worker.md lists; if the program
  /// has registered a spdlog logger named "quarq", that one gets what happens to jobs as objects and decides
  /// how its lines look.
  log_format log_lines = log_format::text;
  /// ADDRESS:PORT, like "127.0.0.1:9100": serves /metrics (OpenMetrics), /healthz and /readyz there, on the worker's loop
  /// (docs/operations.md). Whoever reaches the address may read them: names of queues and tasks, and how often, never
  /// arguments or ids. Needs the library quarq::metrics. Empty: nothing is served.
  std::string metrics = {};
  /// A URL like "http://127.0.0.1:4318": records traces, and sends them there by OTLP over HTTP, as
  /// OpenTelemetry's collectors take them; "env": where OTEL_EXPORTER_OTLP_ENDPOINT says (docs/tracing.md).
  /// Needs the library quarq::otlp. Empty: nothing is recorded. Where the program has a quarq::tracing, that
  /// is used instead.
  std::string trace = {};
  /// With `trace`: see trace_options.
  bool attempts_are_children = false;
};

/// The end of one attempt, as after_job and after_commit see it.
struct job_end {
  /// succeeded, failed, cancelled, expired or dead; deferred if it will be retried; queued if it was handed
  /// back.
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
/// plain function on its threads, unless handler_options::on says otherwise. Handlers, hooks and options must
/// be set before run(). Thread safety: only stop() may be called from other threads.
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
  /// or std::stop_token, and returns the task's result or an awaitable of it. If the task has a handler
  /// already, or the options don't go together, run() throws usage_error, so that main() can report it.
  template <class R, class... Args, class F>
  worker& handle(const task<R(Args...)>& what, F f, handler_options how = {}) {
    add_handler(std::string(what.name()),
                detail::make_handler_at_its_level(what, std::move(f), std::move(how)));
    return *this;
  }
  /// All of these, which a quarq::rpc::server may serve as well: see <quarq/handlers.hpp>.
  worker& handle(const handlers& those);

  /// Runs `f` on a schedule: `worker.cron("nightly", report, {.hour = 3, .minute = 30})`. `f` takes nothing,
  /// or a quarq::context& or std::stop_token. Each run is a job of the task "cron:NAME", which one of the
  /// workers that know this cron job runs. `name`: 1 to 150 characters, no white space,
  /// no colons. If the name is taken or the schedule can't be used, run() throws usage_error.
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
  /// The same with a crontab expression, in UTC: `worker.cron("nightly", report, "30 3 * * mon-fri")`.
  template <class F>
  worker& cron(const std::string& name, F f, std::string_view crontab) {
    cron_options when;
    when.crontab = crontab;
    return cron(name, std::move(f), std::move(when));
  }

  /// Makes a T for context::state<T>(), which lives as long as the worker: `worker.emplace<http::client>()`. Like
  /// handlers, before run(). An on_startup hook can make what is to be opened on the loop: context::emplace.
  template <class T, class... Args>
  T& emplace(Args&&... args) {
    auto object = std::make_shared<T>(std::forward<Args>(args)...);
    auto& made = *object;
    put_state(typeid(T), std::move(object));
    return made;
  }
  /// The same for an object of the caller's, which must outlive the worker.
  template <class T>
  worker& provide(T& object) {
    put_state(typeid(T), std::shared_ptr<void>(std::shared_ptr<void>(), &object));
    return *this;
  }

  /// Runs before the first job. If it throws, the worker does not start, and run() throws the same exception.
  worker& on_startup(hook f);
  /// Runs after the last job. Its exceptions are logged.
  worker& on_shutdown(hook f);
  /// Runs before each attempt, in the job's own context. If it throws, that attempt has failed.
  worker& before_job(hook f);
  /// Runs after each attempt. If it throws after a success, that attempt has failed.
  worker& after_job(end_hook f);
  /// Runs after the broker has recorded the end of an attempt: the result can be looked up, and if it is not
  /// kept, the job's id may be used again. Not called if the lease was lost before the end was recorded, or
  /// if the handler ignored a stop request. Its exceptions are logged. The job counts as running until it
  /// returns.
  worker& after_commit(end_hook f);

  /// Serves until stop() is called, or until `burst` or `max_jobs` is fulfilled. Reconnects while the broker
  /// can't be reached, and waits while it is full. Throws usage_error for handlers and options that can't be
  /// used; broker_error only for errors that can't heal (wrong password, newer format), and in a burst.
  [[QUARQ_MUST_AWAIT]] awaitable<void> run();

  /// Ends run() as SIGTERM would: running jobs have shutdown_timeout to end. A second call ends that wait.
  /// Thread-safe.
  void stop();

  /// The number of jobs that have ended here, in any state.
  std::size_t jobs_done() const noexcept;

  /// A complete main() for a worker: applies the command line to the options (see --help), runs, and stops on
  /// SIGTERM, SIGINT and SIGHUP. Ignores SIGPIPE. Returns the exit code: 0; 1 after an error, which is written
  /// to stderr in one line; 2 likewise for a wrong command line or unusable handlers. With --check: 0 if a
  /// worker of each queue is alive, else 1. With --watch it may start the program again instead of returning.
  /// See docs/worker.md.
  int main(int argc, char** argv);

 private:
  friend struct workers::worker_access;
  explicit worker(std::shared_ptr<workers::worker_impl> impl);
  void add_handler(std::string task, detail::handler h);
  void put_state(const std::type_info& type, std::shared_ptr<void> object);
  /// Returns its task's name, which lives as long as the worker; empty if it can't be used.
  std::string_view add_cron(const std::string& name, cron_options options);
  std::shared_ptr<workers::worker_impl> impl_;
};

}  // namespace quarq
