#include "cron/cron_list.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include <quarq/codec.hpp>

#include "clients/new_job.hpp"
#include "clients/paused_crons.hpp"
#include "clients/service.hpp"
#include "cron/cron_job.hpp"
#include "model/announcement.hpp"

namespace quarq::cron {

namespace {

/// How many jobs of a state are looked at for planned runs: the next due ones come first.
constexpr std::size_t planned_looked_at = 500;

using cron_summaries = std::vector<cron_summary>;

cron_summary& summary_in(cron_summaries& all, const std::string& queue, std::string_view name) {
  const auto found =
      std::ranges::find_if(all, [&](const auto& c) { return c.queue == queue && c.name == name; });
  if (found != all.end()) return *found;
  auto& made = all.emplace_back();
  made.queue = queue;
  made.name = name;
  return made;
}

std::optional<std::string_view> cron_name(std::string_view task) {
  if (!task.starts_with(cron_prefix)) return std::nullopt;
  return task.substr(cron_prefix.size());
}

awaitable<void> add_planned_runs(broker::broker& store, std::string queue, job_state state,
                                 cron_summaries& all) {
  const auto page = co_await store.page(queue, state, planned_looked_at, "");
  for (const auto& job : page.jobs) {
    const auto task = clients::task_of(job.record);
    const auto name = cron_name(task);
    if (!name) continue;
    auto& one = summary_in(all, queue, *name);
    if (state != job_state::deferred) {
      ++one.active;
      continue;
    }
    ++one.planned;
    if (!job.due_at || (one.next && *one.next <= *job.due_at)) continue;
    one.next = job.due_at;
    one.next_id = job.id;
  }
}

// A worker says which cron jobs it knows, but not in which of its queues each one runs: the queue of the planned runs
// counts, and the others are shown where they may be enqueued by hand.
void add_announced(const std::string& queue, const broker::live_workers& those, cron_summaries& all) {
  for (const auto& encoded : those.announcements) {
    const auto said = model::read_announcement(encoded);
    for (const auto& task : said.tasks) {
      const auto name = cron_name(task);
      if (!name) continue;
      bool is_planned = false;
      for (auto& one : all) {
        if (one.name != *name) continue;
        is_planned = true;
        one.known = one.known || one.queue == queue;
      }
      if (!is_planned) summary_in(all, queue, *name).known = true;
    }
  }
}

}  // namespace

awaitable<std::vector<cron_summary>> all_crons(std::shared_ptr<broker::broker> store) {
  const auto queues = co_await store->queues();
  cron_summaries all;
  for (const auto& queue : queues) {
    for (const auto state : {job_state::deferred, job_state::queued, job_state::running})
      co_await add_planned_runs(*store, queue.name, state, all);
  }
  for (const auto& queue : queues) {
    const auto those = co_await store->live_workers_of(queue.name);
    add_announced(queue.name, those, all);
  }
  for (const auto& queue : queues) {
    const auto paused = co_await clients::paused_crons(*store, queue.name);
    for (const auto& name : paused) summary_in(all, queue.name, name).paused = true;
  }
  std::ranges::sort(all, {}, [](const auto& c) { return std::pair(c.name, c.queue); });
  co_return all;
}

awaitable<enqueued_run> enqueue_run(std::shared_ptr<broker::broker> store, std::string queue,
                                    std::string name) {
  clients::check_cron_name(name);
  detail::call_data call;
  call.task = std::string(cron_prefix) + name;
  call.arguments = encode_arguments();
  std::vector<broker::new_job> jobs;
  jobs.push_back(clients::to_job(std::move(call)));
  enqueued_run run;
  run.id = jobs.front().id;
  const auto answers = co_await store->enqueue(std::move(queue), std::move(jobs));
  run.accepted = answers.front() == broker::accepted::yes;
  co_return run;
}

}  // namespace quarq::cron
