#include "broker/checks.hpp"

#include <fmt/format.h>

#include <quarq/errors.hpp>

namespace quarq::broker {

namespace {

constexpr std::size_t max_name = 255;

void check_name(std::string_view what, std::string_view name) {
  if (name.empty()) throw usage_error(fmt::format("{} is empty: it needs 1 to {} bytes", what, max_name));
  if (name.size() <= max_name) return;
  throw usage_error(fmt::format("{} \"{}...\" has {} bytes: at most {} are allowed", what, name.substr(0, 32),
                                name.size(), max_name));
}

}  // namespace

void check_queue(std::string_view queue) {
  check_name("the queue's name", queue);
}

void check_mark(std::string_view name) {
  check_name("the mark's name", name);
}

void check_lease(const worker_lease& held) {
  if (held.queues.empty()) throw usage_error("a lease needs at least one queue");
  for (const auto& queue : held.queues) check_queue(queue);
}

void check_jobs(std::span<const new_job> jobs) {
  for (const auto& job : jobs) {
    check_name("a job's id", job.id);
    if (job.priority >= min_priority && job.priority <= max_priority) continue;
    throw usage_error(fmt::format("job \"{}\": priority {} is not within {} to {}", job.id, job.priority,
                                  min_priority, max_priority));
  }
}

void check_purge(job_state state) {
  if (state == job_state::running) {
    throw usage_error("running jobs can't be purged: cancel them, or stop their workers");
  }
}

}  // namespace quarq::broker
