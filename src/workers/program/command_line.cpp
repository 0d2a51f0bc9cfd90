// worker::main: the command line, the signals and the exit code.
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>

#include <CLI/CLI.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <linux/close_range.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <quarq/run.hpp>
#include <quarq/worker.hpp>

#include "async/auto_reset_event.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "workers/log/json_format.hpp"
#include "workers/program/file_watch.hpp"
#include "workers/program/service_manager.hpp"
#include "workers/worker.hpp"
#include "workers/worker_setup.hpp"

namespace quarq {
namespace {

namespace asio = boost::asio;

struct flags {
  std::vector<std::string> queues;
  double shutdown_timeout = 0, lease = 0, blocked_after = 0, unknown_task_timeout = 0, burst_timeout = 0;
  bool check = false;
  std::vector<std::string> watch;
  std::string log_level;   ///< empty: as QUARQ_LOG says
  std::string log_format;  ///< empty: as the options say
};

// "mail" or "mail=3".
served_queue parse_queue(const std::string& text) {
  served_queue q;
  const auto equals = text.find('=');
  q.name = text.substr(0, equals);
  if (equals == std::string::npos) return q;
  const std::string weight = text.substr(equals + 1);
  const auto [end, error] = std::from_chars(weight.data(), weight.data() + weight.size(), q.weight);
  if (error != std::errc() || end != weight.data() + weight.size() || q.weight < 1) {
    throw usage_error(
        fmt::format("--queue {}: expected NAME or NAME=WEIGHT with a whole weight of at least 1", text));
  }
  return q;
}

std::chrono::milliseconds to_ms(double seconds) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

/// An option that takes a whole number from `min` to `max`.
void add_count(CLI::App& app, const std::string& name, std::size_t& value, std::size_t min, std::size_t max,
               const std::string& description) {
  const auto check = [=](const std::string& text) -> std::string {
    std::size_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool whole = error == std::errc() && end == text.data() + text.size();
    if (whole && number >= min && number <= max) return {};
    return fmt::format("expected a whole number from {} to {}, got {}", min, max, text);
  };
  app.add_option(name, value, description)->check(CLI::Validator(check, fmt::format("{}..{}", min, max)));
}

void declare(CLI::App& app, worker_options& o, flags& f) {
  app.option_defaults()->always_capture_default();
  app.add_option("--broker", o.broker,
                 "where jobs live: sqlite:FILE or redis://HOST[:PORT][/DB] (or QUARQ_BROKER)");
  app.add_option("--queue", f.queues, "a queue to serve, NAME or NAME=WEIGHT; may be repeated");
  add_count(app, "--concurrency", o.concurrency, 1, workers::max_concurrency, "jobs under way at once");
  add_count(app, "--threads", o.threads, 0, workers::max_threads,
            "threads for plain functions; 0: one for each processor");
  add_count(app, "--processes", o.processes, 0, workers::max_processes,
            "processes for handlers that have one; 0: one for each processor");
  add_count(app, "--max-jobs", o.max_jobs, 0, 1'000'000'000'000,
            "stop after this many jobs were started; 0: no limit");
  add_count(app, "--max-losses", o.max_losses, 1, workers::most_losses,
            "a job that was lost with its worker so often ends as dead");
  app.add_option("--shutdown-timeout", f.shutdown_timeout, "seconds that running jobs have after SIGTERM")
      ->check(CLI::Range(0.0, 86'400.0));
  app.add_option("--lease", f.lease, "seconds without contact after which the jobs are given to others")
      ->check(CLI::Range(1.0, 86'400.0));
  app.add_option("--blocked-after", f.blocked_after,
                 "seconds after which a loop that does not turn is reported; 0: never")
      ->check(CLI::Range(0.0, 86'400.0));
  app.add_option("--unknown-task-timeout", f.unknown_task_timeout,
                 "seconds for which jobs of tasks unknown here are left to other workers")
      ->check(CLI::Range(0.0, 31'536'000.0));
  app.add_flag("--burst", o.burst, "stop when nothing is queued");
  app.add_flag("--burst-deferred", o.burst_includes_deferred, "stop when nothing is queued or deferred");
  app.add_option("--burst-timeout", f.burst_timeout,
                 "seconds without an answer of the broker after which a burst gives up, with exit code 1")
      ->check(CLI::Range(0.001, 31'536'000.0));
  app.add_flag("--check", f.check, "only say whether a worker of each queue is alive: exit code 0 or 1");
  app.add_option("--watch", f.watch,
                 "a folder: start again, after running jobs have ended, when a file in it or the program "
                 "changes; may be repeated");
  app.add_flag("--log-results,!--no-log-results", o.log_results, "what handlers return is logged");
  app.add_option("--log-level", f.log_level, "trace, debug, info, warn, error or off (or QUARQ_LOG; info)")
      ->check(CLI::IsMember({"trace", "debug", "info", "warn", "error", "off"}));
  app.add_option("--metrics", o.metrics,
                 "ADDRESS:PORT, like 127.0.0.1:9100: serve /metrics, /healthz and /readyz there");
  app.add_option("--trace", o.trace,
                 "URL, like http://127.0.0.1:4318: send traces there (OTLP over HTTP); env: as OTEL_* say");
  app.add_flag("--trace-children", o.attempts_are_children,
               "in a trace, attempts are children of what enqueued their job, not linked to it");
  app.add_option("--log-format", f.log_format, "text, or json: one object a line (text)")
      ->check(CLI::IsMember({"text", "json"}));
}

// What a program says of itself, before its options are.
void describe(CLI::App& app, const char* path, const workers::worker_setup& setup) {
  const auto name = std::filesystem::path(path).filename().string();
  app.name(name);
  app.set_version_flag("--version", fmt::format("{}: a worker of quarq {}", name, QUARQ_VERSION));
  if (!setup.tasks.empty()) app.footer("It handles " + base::listed(workers::tasks_crons_last(setup)) + ".");
}

void apply(worker_options& o, const flags& f) {
  if (!f.queues.empty()) o.queues.clear();
  for (const auto& q : f.queues) o.queues.push_back(parse_queue(q));
  o.shutdown_timeout = to_ms(f.shutdown_timeout);
  o.lease = to_ms(f.lease);
  o.blocked_after = to_ms(f.blocked_after);
  o.unknown_task_timeout = to_ms(f.unknown_task_timeout);
  o.burst = o.burst || o.burst_includes_deferred;
  o.burst_timeout = to_ms(f.burst_timeout);
  if (!f.log_level.empty()) base::set_log_level(f.log_level);
  if (!f.log_format.empty()) o.log_lines = f.log_format == "json" ? log_format::json : log_format::text;
}

awaitable<bool> all_alive(worker_options o) {
  const auto loop = co_await asio::this_coro::executor;
  broker::open_options hasty;
  hasty.timeout = std::chrono::milliseconds(3'000);
  const auto broker = broker::open(o.broker, loop, hasty);
  bool all = true;
  for (const auto& q : o.queues) {
    const auto workers = co_await broker->workers(q.name);
    std::uint64_t running = 0;
    for (const auto& w : workers) running += w.running;
    fmt::print("queue {}: {} workers alive, {} jobs running\n", q.name, workers.size(), running);
    all = all && !workers.empty();
  }
  co_return all;
}

// What main() is about, and what has become of it. It outlives the loop.
struct program_state {
  std::string program;  ///< its path, if it may have to start again
  char** arguments = nullptr;
  bool signalled = false;
  bool changed = false;  ///< the program, or what it is made of

  bool starts_again() const { return changed && !signalled; }
};

const char* name_of(int signal) noexcept {
  return signal == SIGINT ? "SIGINT" : signal == SIGHUP ? "SIGHUP" : "SIGTERM";
}

bool is_ignored(int signal) noexcept {
  struct sigaction now{};
  return ::sigaction(signal, nullptr, &now) == 0 && now.sa_handler == SIG_IGN;
}

// A log whose reader has gone must not end the worker. A handler that does nothing, unlike SIG_IGN, is not
// inherited by programs that handlers start.
void survive_broken_pipes() noexcept {
  struct sigaction nothing{};
  nothing.sa_handler = [](int) {};
  nothing.sa_flags = SA_RESTART;
  if (!is_ignored(SIGPIPE)) ::sigaction(SIGPIPE, &nothing, nullptr);
}

awaitable<void> stop_on_signals(workers::worker_impl& impl, asio::signal_set& signals, program_state& c) {
  while (true) {
    boost::system::error_code ended;
    const int which = co_await signals.async_wait(asio::redirect_error(asio::use_awaitable, ended));
    if (ended) co_return;
    c.signalled = true;
    impl.stop(name_of(which));
  }
}

awaitable<void> stop_on_change(workers::worker_impl& impl, std::shared_ptr<workers::file_watch> files,
                               program_state& c) {
  const auto what = co_await files->changed();
  // Asked a second time, it would not wait for running jobs.
  if (c.signalled) co_return;
  base::log().info("{} has changed: starting again when running jobs have ended", what);
  c.changed = true;
  impl.stop("change");
}

// Throws if it can't.
void start_again(const program_state& c) {
  base::log().flush();
  std::fflush(nullptr);
  ::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
  ::execv(c.program.c_str(), c.arguments);
  throw error(fmt::format("could not start {} again: {}", c.program, std::strerror(errno)));
}

std::shared_ptr<workers::file_watch> watch_for(const asio::any_io_executor& loop, const std::string& program,
                                               const std::vector<std::string>& folders,
                                               const std::string& url) {
  if (folders.empty()) return nullptr;
  return std::make_shared<workers::file_watch>(loop, program, folders, broker::file_of(url));
}

awaitable<void> run_until_asked(worker& w, workers::worker_impl& impl, const std::vector<std::string>& watch,
                                program_state& c) {
  const auto loop = co_await asio::this_coro::executor;
  const auto files = watch_for(loop, c.program, watch, w.options().broker);
  asio::cancellation_signal end_watch;
  async::auto_reset_event watch_ended(loop);
  if (files) {
    asio::co_spawn(
        loop, stop_on_change(impl, files, c),
        asio::bind_cancellation_slot(end_watch.slot(), [&](std::exception_ptr) { watch_ended.set(); }));
  }
  asio::signal_set signals(loop, SIGINT, SIGTERM);
  if (!is_ignored(SIGHUP)) signals.add(SIGHUP);  // nohup ignores it
  asio::co_spawn(loop, stop_on_signals(impl, signals, c), [](std::exception_ptr) {});
  workers::service_manager manager;
  impl.on_serving = [&] {
    manager.ready(fmt::format("serving {}", broker::without_password(w.options().broker)));
  };
  impl.on_draining = [&] { manager.stopping(); };
  asio::cancellation_signal end_watchdog;
  async::auto_reset_event watchdog_ended(loop);
  asio::co_spawn(
      loop, manager.feed_watchdog(),
      asio::bind_cancellation_slot(end_watchdog.slot(), [&](std::exception_ptr) { watchdog_ended.set(); }));
  std::exception_ptr failure;
  try {
    co_await w.run();
  } catch (...) {
    failure = std::current_exception();
  }
  signals.cancel();
  end_watch.emit(asio::cancellation_type::terminal);
  if (files) co_await watch_ended.wait();
  end_watchdog.emit(asio::cancellation_type::terminal);
  co_await watchdog_ended.wait();
  if (impl.left_running()) {
    // A handler that will not stop still uses this loop or a thread: nothing may be destroyed under it.
    if (!failure && c.starts_again()) start_again(c);
    base::log().flush();
    std::_Exit(failure ? 1 : 0);
  }
  if (failure) std::rethrow_exception(failure);
}

// In the log's own form, if that is for programs.
void say_last_words(const char* program, const char* what, log_format lines) {
  if (lines == log_format::json) {
    base::set_log_formatter(workers::make_json_lines());
    base::log().error("{}", what);
  } else {
    fmt::print(stderr, "{}: {}\n", program, what);
  }
}

}  // namespace

int worker::main(int argc, char** argv) {
  auto& o = options();
  flags f;
  f.shutdown_timeout = static_cast<double>(o.shutdown_timeout.count()) / 1000;
  f.lease = static_cast<double>(o.lease.count()) / 1000;
  f.blocked_after = static_cast<double>(o.blocked_after.count()) / 1000;
  f.unknown_task_timeout = static_cast<double>(o.unknown_task_timeout.count()) / 1000;
  CLI::App app("A quarq worker: claims jobs from its queues and runs their handlers.");
  f.burst_timeout = static_cast<double>(o.burst_timeout.count()) / 1000;
  describe(app, argv[0], impl_->setup);
  declare(app, o, f);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    const int code = app.exit(e);
    return code == 0 ? 0 : 2;
  }
  impl_->owns_process = true;
  survive_broken_pipes();
  int code = 0;
  try {
    apply(o, f);
    if (f.check) return quarq::run(all_alive(o)) ? 0 : 1;
    program_state c;
    c.arguments = argv;
    if (!f.watch.empty()) c.program = std::filesystem::read_symlink("/proc/self/exe").native();
    quarq::run(run_until_asked(*this, *impl_, f.watch, c));
    if (c.starts_again()) start_again(c);
  } catch (const usage_error& e) {
    say_last_words(argv[0], e.what(), o.log_lines);
    code = 2;
  } catch (const std::exception& e) {
    say_last_words(argv[0], e.what(), o.log_lines);
    code = 1;
  }
  return code;
}

}  // namespace quarq
