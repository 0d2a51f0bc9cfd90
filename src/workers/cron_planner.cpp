#include "workers/cron_planner.hpp"

#include <algorithm>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "base/ids.hpp"
#include "base/log.hpp"
#include "workers/settler.hpp"

namespace quarq::workers {

namespace {

// Stores may call a job deferred that is due, until a worker looks for jobs.
bool waits_for_worker(const broker::job_details& job, broker::time_point now) {
  if (job.state == job_state::deferred) return job.due_at && *job.due_at <= now;
  return job.state == job_state::queued;
}

}  // namespace

bool cron_planner::assign_queues(const std::vector<served_queue>& served) {
  for (auto& [task, c] : its_.jobs) {
    const auto& wanted = c.options.queue.empty() ? served.front().name : c.options.queue;
    const bool is_served =
        std::any_of(served.begin(), served.end(), [&](const served_queue& q) { return q.name == wanted; });
    if (!is_served) {
      base::log().warn("{}: not planned here: this worker does not serve its queue, {}", task, wanted);
      continue;
    }
    c.queue = wanted;
    c.instance = base::make_id();
    beginning_ = true;
  }
  return beginning_;
}

awaitable<void> cron_planner::run() {
  co_await its_.broker_time.wait_known();
  for (auto& [task, c] : its_.jobs) {
    if (c.queue.empty()) continue;
    co_await plan_startup(c);
    log_next(c);
  }
  while (true) {
    auto next = its_.broker_time.now() + max_pause;
    for (auto& [task, c] : its_.jobs) {
      if (c.queue.empty()) continue;
      while (c.look_at <= its_.broker_time.now()) co_await plan_next(c);
      next = std::min(next, c.look_at);
    }
    if (beginning_) {
      beginning_ = false;
      its_.first_planned();
    }
    const auto pause = std::max(next - its_.broker_time.now(), milliseconds{1});
    co_await its_.time.wait_until(never_, its_.time.now() + pause);
  }
}

void cron_planner::log_next(const cron::cron_job& c) const {
  const auto due = std::chrono::floor<std::chrono::seconds>(c.after(its_.broker_time.now()));
  base::log().info("{}: {}, next at {:%Y-%m-%d %H:%M:%S} UTC", c.task, c.schedule.text(),
                   fmt::gmtime(due.time_since_epoch().count()));
}

// In two steps: it notes when the next run is due, and looks later whether somebody has planned it.
awaitable<void> cron_planner::plan_next(cron::cron_job& c) {
  const auto now = its_.broker_time.now();
  if (!c.checking) {
    c.next = c.after(now);
    c.checking = true;
    c.look_at = its_.burst ? now : now + std::min(planner_head_start, (c.next - now) * 4 / 5);
    co_return;
  }
  try {
    co_await repair_schedule(c);
    c.checking = false;
    c.look_at = std::clamp(c.next, now + min_pause, now + max_pause);
    co_return;
  } catch (const broker_error& e) {
    base::log().warn("{}: could not plan its next run, trying again: {}", c.task, e.what());
  }
  c.look_at = now + settler::pause_after_error;
}

awaitable<void> cron_planner::repair_schedule(cron::cron_job& c) {
  const auto now = its_.broker_time.now();
  const auto id = c.run_id(c.next);
  const auto planned = co_await its_.runs.inspect(c, id);
  if (!planned) {
    // If the run before it waits in a long queue, or in one that is paused, the worker that claims it will plan
    // this one. Planning it now would let runs pile up.
    if (!c.last.empty()) {
      const auto before = co_await its_.runs.inspect(c, c.last);
      if (before && waits_for_worker(*before, now)) co_return;
    }
    co_await its_.runs.enqueue(c, id, c.next, c.last);
  }
  c.last = id;
}

awaitable<void> cron_planner::plan_startup(const cron::cron_job& c) {
  bool is_settled = !c.options.run_at_startup;
  while (!is_settled) {
    bool failed = false;
    try {
      is_settled = co_await try_plan_startup(c);
    } catch (const broker_error& e) {
      base::log().warn("{}: could not plan its run at startup, trying again: {}", c.task, e.what());
      failed = true;
    }
    if (failed) co_await sleep_for(its_.time, settler::pause_after_error);
  }
}

// False: another worker was faster, which the next look will show.
awaitable<bool> cron_planner::try_plan_startup(const cron::cron_job& c) {
  auto latest = co_await its_.runs.latest_at_startup(c);
  const bool just_ended = latest.ended && its_.broker_time.now() - *latest.ended < c.options.startup_window;
  if (latest.is_live() || just_ended) {
    base::log().info("{}: not run at startup: {} {}", c.task, latest.id,
                     latest.is_live() ? "is under way" : "ran just now");
    co_return true;
  }
  const bool accepted = co_await its_.runs.enqueue(c, std::move(latest.next_id), std::nullopt, "");
  co_return accepted;
}

}  // namespace quarq::workers
