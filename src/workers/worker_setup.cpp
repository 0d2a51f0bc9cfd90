#include "workers/worker_setup.hpp"

#include <algorithm>

#include <fmt/format.h>

#include <quarq/errors.hpp>

#include "clients/queue_impl.hpp"
#include "processes/untyped_pool.hpp"

namespace quarq::workers {

namespace {

using milliseconds = std::chrono::milliseconds;

void check_at_least(const char* option, milliseconds value, milliseconds min) {
  if (value >= min) return;
  throw usage_error(
      fmt::format("option {}: expected at least {} ms, got {}", option, min.count(), value.count()));
}

void check_count(const char* option, std::size_t value, std::size_t min, std::size_t max) {
  if (value >= min && value <= max) return;
  throw usage_error(fmt::format("option {}: expected {} to {}, got {}", option, min, max, value));
}

}  // namespace

void check(const worker_setup& setup) {
  const auto& o = setup.options;
  if (setup.mistake) throw usage_error(*setup.mistake);
  if (setup.handlers.empty())
    throw usage_error("a worker needs at least one handler: worker.handle(task, function)");
  if (o.queues.empty()) throw usage_error("a worker needs at least one queue");
  for (const auto& q : o.queues) {
    clients::check_queue_name(q.name);
    if (q.weight < 1)
      throw usage_error(fmt::format("queue {}: weight: expected at least 1, got {}", q.name, q.weight));
    const auto times = std::count_if(o.queues.begin(), o.queues.end(),
                                     [&](const auto& other) { return other.name == q.name; });
    if (times > 1) throw usage_error(fmt::format("queue {}: it is given {} times", q.name, times));
  }
  check_count("concurrency", o.concurrency, 1, max_concurrency);
  check_count("threads", o.threads, 0, max_threads);
  check_count("processes", o.processes, 0, max_processes);
  check_count("max_losses", o.max_losses, 1, most_losses);
  check_at_least("lease", o.lease, milliseconds{1'000});
  if (o.blocked_after != milliseconds{0} && o.blocked_after < milliseconds{100}) {
    throw usage_error(
        fmt::format("option blocked_after: expected 0 or at least 100 ms, got {}", o.blocked_after.count()));
  }
  check_at_least("burst_timeout", o.burst_timeout, milliseconds{1});
  check_at_least("shutdown_timeout", o.shutdown_timeout, milliseconds{0});
  check_at_least("cancel_timeout", o.cancel_timeout, milliseconds{0});
  check_at_least("unknown_task_timeout", o.unknown_task_timeout, milliseconds{0});
}

void limit_durations(worker_options& options) {
  constexpr milliseconds century = std::chrono::years(100);
  for (auto* const one : {&options.lease, &options.burst_timeout, &options.shutdown_timeout,
                          &options.cancel_timeout, &options.unknown_task_timeout, &options.blocked_after}) {
    *one = std::min(*one, century);
  }
}

void check(const std::string& task, const detail::handler& how) {
  detail::check_options(task, how.options);
  if (how.options.on != level::process) return;
  if (!how.in_process) {
    throw usage_error(fmt::format(
        "task \"{}\": its handler can't run in a process, since it has captures: it must be a function or a "
        "lambda without captures, and gets what it needs as arguments",
        task));
  }
  processes::require_processes("task \"" + task + "\": its handler is on level::process, which");
}

std::vector<std::string> queue_names(const worker_setup& setup) {
  std::vector<std::string> names;
  for (const auto& q : setup.options.queues) names.push_back(q.name);
  return names;
}

std::vector<std::string> tasks_crons_last(const worker_setup& setup) {
  std::vector<std::string> sorted;
  for (const bool crons : {false, true}) {
    for (const auto& task : setup.tasks) {
      if (task.starts_with(cron::cron_prefix) == crons) sorted.push_back(task);
    }
  }
  return sorted;
}

}  // namespace quarq::workers
