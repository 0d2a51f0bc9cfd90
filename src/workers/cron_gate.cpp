#include "workers/cron_gate.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/log.hpp"
#include "base/text.hpp"
#include "codecs/utf8.hpp"
#include "workers/log/printable_job.hpp"
#include "workers/settler.hpp"

namespace quarq::workers {

using cron::cron_job;
using cron::cron_run;
using kind = cron::cron_run::kind;
using ruling = admission::ruling;

namespace {

// The longest chain of skipped runs that is followed: a client can write one without an end.
constexpr int max_chain = 1'000;

admission end_as(job_state state, std::string why, std::string after = {}) {
  admission a;
  a.what = ruling::end;
  a.state = state;
  a.why = std::move(why);
  a.after = std::move(after);
  return a;
}

admission park_until(std::string ended) {
  admission a;
  a.what = ruling::park;
  a.until_ended = std::move(ended);
  return a;
}

}  // namespace

cron_job* cron_gate::cron_of(const running_job& job) const {
  if (its_.jobs.empty()) return nullptr;
  const auto found = its_.jobs.find(job.record.task);
  return found == its_.jobs.end() ? nullptr : &found->second;
}

awaitable<admission> cron_gate::admit(running_job& job, cron_job& c) {
  while (true) {
    try {
      auto ruled = co_await judge(job, c);
      co_return ruled;
    } catch (const broker_error& e) {
      base::log().warn("{}: could not plan on from {}, trying again: {}", c.task,
                       codecs::printable(job.claimed.id, max_logged_id), e.what());
    }
    co_await sleep_for(its_.time, settler::pause_after_error);
  }
}

admission cron_gate::leave_to_others(const running_job& job, std::string_view why) const {
  if (its_.broker_time.now() <= job.claimed.due_at + orphan_timeout) {
    base::log().debug("left     task={} id={}: {}", codecs::printable(job.record.task, max_logged_task),
                      codecs::printable(job.claimed.id, max_logged_id), why);
    return park_until({});
  }
  return end_as(job_state::expired, fmt::format("{} {}, and no other worker has taken it for {}",
                                                job.claimed.id, why, base::human_duration(orphan_timeout)));
}

awaitable<admission> cron_gate::judge(running_job& job, cron_job& c) {
  const auto run = cron::parse_cron_run(c.task, job.claimed.id);
  admission ruled;
  if (run.what == kind::planned) {
    ruled = co_await judge_planned(job, c, run);
  } else if (run.what == kind::startup) {
    ruled = co_await judge_startup(job, c, run);
  } else if (job.claimed.id == c.options.job_id) {
    // The next run must not be kept waiting by the kept end of this one.
    job.terms.keep_success = job.terms.keep_failure = job.record.keep_result.value_or(c.options.keep_result);
  }
  co_return ruled;
}

awaitable<admission> cron_gate::judge_startup(running_job& job, cron_job& c, const cron_run& run) {
  job.terms.keep_success = std::max<retention>(job.terms.keep_success, c.options.startup_window);
  job.terms.keep_failure = std::max<retention>(job.terms.keep_failure, c.options.startup_window);
  auto skipped = co_await skip_if_paused(job, c, run);
  if (skipped) co_return std::move(*skipped);
  admission ruled;
  if (!c.options.job_id.empty()) {
    ruled = co_await send_under_own_id(job, c);
  } else if (job.claimed.is_first_start()) {
    ruled = co_await check_overlap(job, c, run);
  }
  co_return ruled;
}

awaitable<admission> cron_gate::judge_planned(running_job& job, cron_job& c, const cron_run& run) {
  if (job.from.served.name != c.queue || !c.comes_at(run.due)) {
    co_return leave_to_others(job, "is not on the schedule that this worker knows");
  }
  if (job.claimed.enqueued_at > run.due + cron::kept_at_least) {
    auto why = fmt::format("{} was planned after its time", job.claimed.id);
    co_return end_as(job_state::expired, std::move(why));
  }
  auto skipped = co_await skip_if_paused(job, c, run);
  if (skipped) co_return std::move(*skipped);
  admission ruled;
  if (job.claimed.is_first_start()) {
    const bool missed = co_await is_missed(job, c, run);
    if (missed) {
      ruled = co_await skip_missed(job, c, run);
      co_return ruled;
    }
    ruled = co_await check_overlap(job, c, run);
    if (ruled.what != ruling::run) co_return ruled;
  }
  auto own_id = c.options.job_id.empty() ? job.claimed.id : std::string();
  co_await schedule_next(c, run, std::move(own_id));
  if (!c.options.job_id.empty()) ruled = co_await send_under_own_id(job, c);
  co_return ruled;
}

// No worker was running to start it in time, and its policy is not to make up for it.
awaitable<bool> cron_gate::is_missed(const running_job& job, const cron_job& c, const cron_run& run) {
  const auto now = its_.broker_time.now();
  const auto late = now - job.claimed.due_at;
  if (job.from.since <= job.claimed.due_at || late <= c.options.tolerance) co_return false;
  if (c.options.missed == missed::run_once &&
      (!c.options.missed_within || late <= *c.options.missed_within)) {
    co_return false;
  }
  // Not if it had been started before, and was handed back: then a later run was planned after it.
  std::vector<broker::time_point> later;
  later.push_back(c.after(run.due));
  later.push_back(c.after(now));
  for (const auto due : later) {
    auto id = c.run_id(due);
    const auto planned = co_await its_.runs.inspect(c, std::move(id));
    if (is_live(planned) && run_before(*planned) == job.claimed.id) co_return false;
  }
  co_return true;
}

awaitable<admission> cron_gate::skip_missed(const running_job& job, cron_job& c, const cron_run& run) {
  auto before = job.record.after;
  co_await schedule_next(c, run, std::move(before));
  auto why = fmt::format("{} was missed: no worker was there, and {} later it is skipped", job.claimed.id,
                         base::human_duration(its_.broker_time.now() - run.due));
  co_return end_as(job_state::expired, std::move(why));
}

// The chain of planned runs goes on, so that it is there when the cron job is resumed.
awaitable<std::optional<admission>> cron_gate::skip_if_paused(const running_job& job, cron_job& c,
                                                              const cron_run& run) {
  if (!job.claimed.is_first_start()) co_return std::nullopt;
  const bool paused = co_await its_.runs.is_paused(c);
  if (!paused) co_return std::nullopt;
  auto before = job.record.after;
  if (run.what == kind::planned) co_await schedule_next(c, run, before);
  auto why = fmt::format("{} was skipped: {} is paused", job.claimed.id, c.task);
  co_return end_as(job_state::cancelled, std::move(why), std::move(before));
}

awaitable<admission> cron_gate::check_overlap(const running_job& job, cron_job& c, const cron_run& run) {
  if (c.options.overlap == overlap::allow || !c.options.job_id.empty()) co_return admission();
  const auto in_the_way = co_await find_obstacle(job, c, run);
  if (in_the_way.id.empty()) co_return admission();
  if (c.options.overlap == overlap::after && !in_the_way.waits) {
    auto own_id = job.claimed.id;
    if (run.what == kind::planned) co_await schedule_next(c, run, std::move(own_id));
    co_return park_until(in_the_way.id);
  }
  auto other = in_the_way.id;
  if (run.what == kind::planned) co_await schedule_next(c, run, std::move(other));
  auto why = fmt::format("{} was skipped: {} {}", job.claimed.id, in_the_way.id,
                         in_the_way.waits ? "waits already" : "has not ended");
  co_return end_as(job_state::cancelled, std::move(why), in_the_way.id);
}

awaitable<cron_gate::obstacle> cron_gate::find_obstacle(const running_job& job, const cron_job& c,
                                                        const cron_run& run) {
  obstacle found;
  std::string id = job.record.after;
  if (run.what == kind::startup) {
    auto next_id = c.run_id(c.after(its_.broker_time.now()));
    const auto next = co_await its_.runs.inspect(c, std::move(next_id));
    if (is_live(next)) id = run_before(*next);
  }
  // A run that was skipped knows what was in its way, which may be in ours as well.
  for (int step = 0; step < max_chain && !id.empty() && id != job.claimed.id; ++step) {
    const auto before = co_await its_.runs.inspect(c, id);
    if (!before) break;
    auto further = run_before(*before);
    if (is_live(before)) {
      found.id = id;
      if (further.empty()) co_return found;
      const auto its_own = co_await its_.runs.inspect(c, further);
      found.waits = is_live(its_own);
      co_return found;
    }
    id = further == id ? std::string() : std::move(further);
  }
  if (run.what == kind::planned && c.options.run_at_startup) {
    const auto start = co_await its_.runs.latest_at_startup(c);
    if (!start.ended) found.id = start.id;
  }
  co_return found;
}

awaitable<void> cron_gate::schedule_next(cron_job& c, const cron_run& run, std::string after) {
  // A worker that has gone had planned it for itself.
  if (run.instance != (c.options.unique ? "" : c.instance)) co_return;
  const auto due = c.after(its_.broker_time.now());
  auto id = c.run_id(due);
  co_await its_.runs.enqueue(c, std::move(id), due, std::move(after));
}

// The run that is wanted under a fixed id. Its planned job has done its work with that.
awaitable<admission> cron_gate::send_under_own_id(const running_job& job, const cron_job& c) {
  const auto& id = c.options.job_id;
  bool sent = co_await its_.runs.enqueue(c, id, std::nullopt, "");
  if (!sent) {
    const auto other = co_await its_.runs.inspect(c, id);
    if (other && other->state == job_state::dead) sent = co_await its_.runs.requeue(c, id);
  }
  if (sent) co_return end_as(job_state::succeeded, {});
  auto why =
      fmt::format("{} was skipped: a job with id {} is queued, running or kept already", job.claimed.id, id);
  co_return end_as(job_state::cancelled, std::move(why));
}

}  // namespace quarq::workers
