// What a worker is told before it runs: its handlers, cron jobs, hooks and options.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <quarq/detail/context.hpp>
#include <quarq/handler.hpp>
#include <quarq/worker.hpp>

#include "cron/cron_job.hpp"

namespace quarq::workers {

struct worker_setup {
  worker_options options;
  std::unordered_map<std::string, detail::handler> handlers;  ///< by their task
  std::vector<std::string> tasks;                             ///< of the handlers, as they were added
  std::unordered_map<std::string, cron::cron_job> crons;      ///< by their task
  std::optional<std::string> mistake;                         ///< the first in what was added
  detail::state_map state;                                    ///< of the worker's context, before on_startup
  worker::hook on_startup, on_shutdown, before_job;
  worker::end_hook after_job, after_commit;
};

inline constexpr std::size_t max_concurrency = 1'000'000;
inline constexpr std::size_t max_threads = 4'096;
inline constexpr std::size_t max_processes = 1'024;
inline constexpr std::size_t most_losses = 1'000'000;

/// Throws usage_error for what a worker can't run with.
void check(const worker_setup& setup);
/// Durations for ever, such as milliseconds::max(), become a century, with which clocks can calculate.
void limit_durations(worker_options& options);
void check(const std::string& task, const detail::handler& how);

/// The names of all queues, and the tasks with cron jobs last: for the log.
std::vector<std::string> queue_names(const worker_setup& setup);
std::vector<std::string> tasks_crons_last(const worker_setup& setup);

}  // namespace quarq::workers
