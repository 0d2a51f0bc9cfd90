// The cron role: sees to it that the next run of each cron job is planned. A run is planned as a deferred job
// whose id names its time, so that of all workers that plan it one succeeds. Usually that is the worker that
// claims the run before it (cron_admit.cpp); this role begins the chain, and mends it should a planned run
// have vanished.
#include <algorithm>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <quarq/msgpack.hpp>
#include <quarq/time.hpp>

#include "base/ids.hpp"
#include "base/log.hpp"
#include "workers/worker_core.hpp"

namespace quarq::detail {
namespace {

// Whoever claims a run has this long to plan the next one before others do.
constexpr milliseconds head_start{2'000};
// A cron job is not looked after more often than this, however often it runs...
constexpr milliseconds min_pause{5'000};
// ...and at least as often as this: what is planned may be purged, and clocks be set.
constexpr milliseconds max_pause = std::chrono::hours(1);

}  // namespace

void worker_core::add_cron(std::string_view cron_name, cron_options how) {
  cron::cron_job made(cron_name, std::move(how));
  const auto task = made.task;
  if (!crons.try_emplace(task, std::move(made)).second) {
    throw invalid_argument(fmt::format("cron {}: there is one with this name already", cron_name));
  }
}

void worker_core::begin_crons() {
  for (auto& [task, c] : crons) {
    const auto& wanted = c.options.queue.empty() ? options.queues.front().name : c.options.queue;
    const bool served = std::any_of(options.queues.begin(), options.queues.end(),
                                    [&](const served_queue& q) { return q.name == wanted; });
    if (!served) {
      base::log().warn("{}: not planned here: this worker does not serve its queue, {}", task, wanted);
      continue;
    }
    c.queue = wanted;
    c.instance = base::make_id();
    crons_beginning = true;
  }
  if (crons_beginning) spawn(tend_crons());
}

void worker_core::note_clock(lane& l, broker::time_point now) {
  const bool first = !clock_seen;
  clock_there = now;
  clock_seen = steady::now();
  if (l.since == broker::time_point{}) l.since = now;
  if (first) wake->cron.set();
}

// The broker's clock, as far as it is known here: it may be a little later there.
broker::time_point worker_core::now_there() const {
  return clock_there + std::chrono::floor<milliseconds>(steady::now() - clock_seen.value());
}

awaitable<void> worker_core::tend_crons() {
  while (!clock_seen) co_await wake->cron.wait();
  for (auto& [task, c] : crons) {
    if (c.queue.empty()) continue;
    co_await run_at_startup(c);
    log_next(c);
  }
  while (!closing) {
    auto next = now_there() + max_pause;
    for (auto& [task, c] : crons) {
      if (c.queue.empty()) continue;
      while (c.look_at <= now_there()) co_await look_after(c);
      next = std::min(next, c.look_at);
    }
    if (crons_beginning) {
      crons_beginning = false;
      wake->fetch.set();
    }
    const auto pause = std::max(next - now_there(), milliseconds{1});
    co_await wake->cron.wait_for(pause);
  }
}

void worker_core::log_next(const cron::cron_job& c) const {
  const auto due = std::chrono::floor<std::chrono::seconds>(c.after(now_there()));
  base::log().info("{}: {}, next at {:%Y-%m-%d %H:%M:%S} UTC", c.task, c.schedule.text(),
                   fmt::gmtime(due.time_since_epoch().count()));
}

awaitable<void> worker_core::look_after(cron::cron_job& c) {
  const auto now = now_there();
  if (!c.checking) {
    c.next = c.after(now);
    c.checking = true;
    c.look_at = options.burst ? now : now + std::min(head_start, (c.next - now) * 4 / 5);
    co_return;
  }
  try {
    co_await mend_chain(c);
    c.checking = false;
    c.look_at = std::clamp(c.next, now + min_pause, now + max_pause);
    co_return;
  } catch (const broker_error& e) {
    base::log().warn("{}: could not plan its next run, trying again: {}", c.task, e.what());
  }
  c.look_at = now + pause_after_error;
}

awaitable<void> worker_core::mend_chain(cron::cron_job& c) {
  const auto id = c.run_id(c.next);
  const auto planned = co_await broker->inspect(c.queue, id);
  if (!planned) {
    // The run before it waits in a long queue: whoever claims that will plan on. Otherwise runs would pile
    // up.
    if (!c.last.empty()) {
      const auto before = co_await broker->inspect(c.queue, c.last);
      if (before && before->state == job_state::queued) co_return;
    }
    co_await enqueue_run(c, id, c.next, c.last);
  }
  c.last = id;
}

// False: a job with this id lives or is kept already.
awaitable<bool> worker_core::enqueue_run(const cron::cron_job& c, std::string id,
                                         std::optional<broker::time_point> at, std::string after) {
  model::record r;
  r.task = c.task;
  r.arguments = encode_arguments();
  r.after = std::move(after);
  broker::new_job job;
  job.id = std::move(id);
  job.record = model::encode(r);
  job.priority = c.options.priority;
  job.at = at;
  base::log().debug("{}: planning {}", c.task, job.id);
  std::vector<broker::new_job> one;
  one.push_back(std::move(job));
  const auto answers = co_await broker->enqueue(c.queue, std::move(one));
  co_return answers.front() == broker::accepted::yes;
}

awaitable<void> worker_core::run_at_startup(const cron::cron_job& c) {
  if (!c.options.run_at_startup) co_return;
  bool settled_it = false;
  while (!settled_it) {
    bool failed = false;
    try {
      settled_it = co_await try_run_at_startup(c);
    } catch (const broker_error& e) {
      base::log().warn("{}: could not plan its run at startup, trying again: {}", c.task, e.what());
      failed = true;
    }
    if (failed) co_await sleep_for(pause_after_error);
  }
}

// False: another worker was faster, which the next look will show.
awaitable<bool> worker_core::try_run_at_startup(const cron::cron_job& c) {
  auto latest = co_await latest_startup_run(c);
  const bool lives = !latest.id.empty() && !latest.ended;
  const bool just_ended = latest.ended && now_there() - *latest.ended < c.options.startup_window;
  if (lives || just_ended) {
    base::log().info("{}: not run at startup: {} {}", c.task, latest.id,
                     lives ? "is under way" : "ran just now");
    co_return true;
  }
  const bool accepted = co_await enqueue_run(c, std::move(latest.next_id), std::nullopt, "");
  co_return accepted;
}

// The id of one start's run must be the same for all workers that start with it, and another one at a later
// start, also if the end of the earlier run is still kept: it continues with the time of that end.
awaitable<worker_core::startup_run> worker_core::latest_startup_run(const cron::cron_job& c) {
  startup_run latest;
  latest.next_id = c.startup_id();
  while (true) {
    const auto known = co_await broker->inspect(c.queue, latest.next_id);
    if (!known) co_return latest;
    latest.id = latest.next_id;
    const auto end = ended_at(*known);
    if (!end) {
      latest.ended.reset();
      co_return latest;
    }
    // Whatever the outcomes say, the times grow, and so the ids end.
    latest.ended = std::max(*end, latest.ended.value_or(broker::time_point::min()) + milliseconds{1});
    latest.next_id = fmt::format("{}:{}", c.startup_id(), latest.ended->time_since_epoch().count());
  }
}

// Nothing: it has not ended.
std::optional<broker::time_point> worker_core::ended_at(const broker::job_details& job) {
  if (!is_final(job.state)) return std::nullopt;
  try {
    const auto o = model::decode_outcome(job.outcome);
    return broker::time_point(milliseconds(std::max(o.finished_ms, o.enqueued_ms)));
  } catch (const decode_error&) {
    return broker::time_point{};
  }
}

}  // namespace quarq::detail
