// A cron job's run that was claimed: does it take place? And the next one is planned, before this one begins:
// so the chain of runs goes on whatever becomes of this one.
#include <fmt/format.h>

#include <quarq/time.hpp>

#include "base/log.hpp"
#include "base/text.hpp"
#include "workers/worker_core.hpp"

namespace quarq::detail {

using cron::cron_job;
using cron::cron_run;
using kind = cron::cron_run::kind;

namespace {

// Of runs that were skipped one after the other. Whoever can write to the store could make it endless.
constexpr int max_chain = 1'000;

bool is_live(const std::optional<broker::job_details>& job) {
  return job && !is_final(job->state);
}

// The run that this one was planned after, or that was in its way.
std::string run_before(const broker::job_details& job) {
  try {
    if (is_final(job.state)) return model::decode_outcome(job.outcome).after;
    return model::decode_record(job.record).after;
  } catch (const decode_error&) {
    return {};
  }
}

}  // namespace

cron::cron_job* worker_core::cron_of(const running_job& job) {
  if (crons.empty()) return nullptr;
  const auto found = crons.find(job.record.task);
  return found == crons.end() ? nullptr : &found->second;
}

awaitable<bool> worker_core::admit_cron(running_job& job, cron_job& c) {
  clear_deadline(job);
  std::optional<bool> admitted;
  while (!admitted) {
    try {
      admitted = co_await judge_cron(job, c);
    } catch (const broker_error& e) {
      base::log().warn("{}: could not plan on from {}, trying again: {}", c.task, job.claimed.id, e.what());
    }
    if (!admitted) co_await sleep_for(pause_after_error);
  }
  // Its own time begins here.
  job.started = steady::now();
  if (*admitted && job.terms.timeout && job.stopped == model::stop_reason::none) {
    set_deadline(job, *job.terms.timeout);
  }
  co_return *admitted;
}

awaitable<bool> worker_core::judge_cron(running_job& job, cron_job& c) {
  const auto run = cron::parse_cron_run(c.task, job.claimed.id);
  bool takes_place = true;
  if (run.what == kind::planned) {
    takes_place = co_await judge_planned(job, c, run);
  } else if (run.what == kind::startup) {
    takes_place = co_await judge_startup(job, c, run);
  } else if (job.claimed.id == c.options.job_id) {
    // The next run must not be kept waiting by the kept end of this one.
    job.terms.keep_success = job.terms.keep_failure = job.record.keep_result.value_or(c.options.keep_result);
  }
  co_return takes_place;
}

awaitable<bool> worker_core::judge_startup(running_job& job, cron_job& c, const cron_run& run) {
  job.terms.keep_success = std::max(job.terms.keep_success, c.options.startup_window);
  job.terms.keep_failure = std::max(job.terms.keep_failure, c.options.startup_window);
  bool takes_place = true;
  if (!c.options.job_id.empty()) {
    co_await send_under_own_id(job, c);
    takes_place = false;
  } else if (job.claimed.attempts == 1) {
    takes_place = co_await way_is_clear(job, c, run);
  }
  co_return takes_place;
}

awaitable<bool> worker_core::judge_planned(running_job& job, cron_job& c, const cron_run& run) {
  if (job.from.served.name != c.queue || !c.comes_at(run.due)) {
    leave_to_others(job, "is not on the schedule that this worker knows");
    co_return false;
  }
  if (job.claimed.enqueued_at > run.due + cron::kept_at_least) {
    end_without_run(job, job_state::expired, fmt::format("{} was planned after its time", job.claimed.id));
    co_return false;
  }
  if (job.claimed.attempts == 1) {
    const bool missed = co_await is_missed(job, c, run);
    if (missed) {
      co_await skip_missed(job, c, run);
      co_return false;
    }
    const bool clear = co_await way_is_clear(job, c, run);
    if (!clear) co_return false;
  }
  auto own_id = c.options.job_id.empty() ? job.claimed.id : std::string();
  co_await plan_on(c, run, std::move(own_id));
  if (c.options.job_id.empty()) co_return true;
  co_await send_under_own_id(job, c);
  co_return false;
}

// Nobody was there to start it in time, and by its policy that is that.
awaitable<bool> worker_core::is_missed(const running_job& job, const cron_job& c, const cron_run& run) {
  const auto now = now_there();
  const auto late = now - job.claimed.due_at;
  if (job.from.since <= job.claimed.due_at || late <= c.options.tolerance) co_return false;
  if (c.options.missed == missed::run_once &&
      (!c.options.missed_within || late <= *c.options.missed_within)) {
    co_return false;
  }
  // Not if it had been started before, and was handed back: then a later run was planned after it.
  std::vector<broker::time_point> later = {c.after(run.due), c.after(now)};
  for (const auto due : later) {
    const auto id = c.run_id(due);
    const auto planned = co_await broker->inspect(c.queue, id);
    if (is_live(planned) && run_before(*planned) == job.claimed.id) co_return false;
  }
  co_return true;
}

awaitable<void> worker_core::skip_missed(running_job& job, cron_job& c, const cron_run& run) {
  auto before = job.record.after;
  co_await plan_on(c, run, std::move(before));
  end_without_run(job, job_state::expired,
                  fmt::format("{} was missed: no worker was there, and {} later it is skipped",
                              job.claimed.id, base::human_duration(now_there() - run.due)));
}

// False: it was set aside until the run in its way has ended, or has ended itself.
awaitable<bool> worker_core::way_is_clear(running_job& job, cron_job& c, const cron_run& run) {
  if (c.options.overlap == overlap::allow || !c.options.job_id.empty()) co_return true;
  const auto in_the_way = co_await run_in_the_way(job, c, run);
  if (in_the_way.id.empty()) co_return true;
  if (c.options.overlap == overlap::after && !in_the_way.waits) {
    auto own_id = job.claimed.id;
    if (run.what == kind::planned) co_await plan_on(c, run, std::move(own_id));
    set_aside(job, in_the_way.id);
    co_return false;
  }
  auto other = in_the_way.id;
  if (run.what == kind::planned) co_await plan_on(c, run, std::move(other));
  end_without_run(job, job_state::cancelled,
                  fmt::format("{} was skipped: {} {}", job.claimed.id, in_the_way.id,
                              in_the_way.waits ? "waits already" : "has not ended"),
                  in_the_way.id);
  co_return false;
}

awaitable<worker_core::cron_obstacle> worker_core::run_in_the_way(const running_job& job, const cron_job& c,
                                                                  const cron_run& run) {
  cron_obstacle found;
  std::string id = job.record.after;
  if (run.what == kind::startup) {
    const auto next = co_await broker->inspect(c.queue, c.run_id(c.after(now_there())));
    if (is_live(next)) id = run_before(*next);
  }
  // A run that was skipped knows what was in its way, which may be in ours as well.
  for (int step = 0; step < max_chain && !id.empty() && id != job.claimed.id; ++step) {
    const auto before = co_await broker->inspect(c.queue, id);
    if (!before) break;
    auto further = run_before(*before);
    if (is_live(before)) {
      found.id = id;
      if (further.empty()) co_return found;
      const auto its_own = co_await broker->inspect(c.queue, further);
      found.waits = is_live(its_own);
      co_return found;
    }
    id = further == id ? std::string() : std::move(further);
  }
  if (run.what == kind::planned && c.options.run_at_startup) {
    const auto start = co_await latest_startup_run(c);
    if (!start.ended) found.id = start.id;
  }
  co_return found;
}

awaitable<void> worker_core::plan_on(cron_job& c, const cron_run& run, std::string after) {
  // A worker that has gone had planned it for itself.
  if (run.instance != (c.options.unique ? "" : c.instance)) co_return;
  const auto due = c.after(now_there());
  auto id = c.run_id(due);
  co_await enqueue_run(c, std::move(id), due, std::move(after));
}

// The run that is wanted under a fixed id. Its planned job has done its work with that.
awaitable<void> worker_core::send_under_own_id(running_job& job, const cron_job& c) {
  const auto& id = c.options.job_id;
  bool sent = co_await enqueue_run(c, id, std::nullopt, "");
  if (!sent) {
    const auto other = co_await broker->inspect(c.queue, id);
    if (other && other->state == job_state::dead) {
      std::vector<std::string> one = {id};
      const auto count = co_await broker->requeue(c.queue, std::move(one));
      sent = count == 1;
    }
  }
  if (sent) {
    end_without_run(job, job_state::succeeded, {});
  } else {
    end_without_run(job, job_state::cancelled,
                    fmt::format("{} was skipped: a job with id {} is queued, running or kept already",
                                job.claimed.id, id));
  }
}

void worker_core::end_without_run(running_job& job, job_state state, std::string why, std::string after) {
  if (job.settled) return;
  job.settled = true;
  if (job.token != job.from.lease.token) return;
  if (!why.empty()) base::log().warn("skipped  task={} id={}: {}", job.record.task, job.claimed.id, why);
  auto o = outcome_of(job);
  o.after = std::move(after);
  if (state != job_state::succeeded) {
    o.error_type = state == job_state::expired ? "quarq::job_expired" : "quarq::cancelled";
    o.error = std::move(why);
  }
  broker::settlement s;
  s.id = job.claimed.id;
  s.state = state;
  s.keep = model::keep_of(job.terms.keep_success);
  s.outcome = model::encode(o);
  ++done;
  settle(job.from, std::move(s));
}

}  // namespace quarq::detail
