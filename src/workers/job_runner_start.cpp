// The steps of a job up to its start: its handler, what keeps it from running, and its turn.
#include <algorithm>

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>

#include <quarq/detail/context_access.hpp>

#include "base/ids.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "model/argument_binding.hpp"
#include "workers/attempt_result.hpp"
#include "workers/job_report.hpp"
#include "workers/job_runner.hpp"

namespace quarq::workers {

namespace asio = boost::asio;
using model::attempt;
using model::stop_reason;
using result_kind = model::attempt::result_kind;

namespace {

/// Puts arguments that were given by name into their places.
std::optional<attempt> bind_by_name(running_job& job) {
  try {
    job.by_position = decoder(job.record.arguments, job.record.task).array();
    job.record.arguments =
        model::bind_arguments(job.record, {job.how->parameter_count, job.how->parameter_names});
    job.record.keywords.clear();
  } catch (const decode_error& e) {
    return failed_attempt(result_kind::impossible, "quarq::decode_error", e.what());
  }
  return std::nullopt;
}

std::string how_often(int n) {
  return n == 1 ? "once" : n == 2 ? "twice" : fmt::format("{} times", n);
}

bool is_lost_too_often(const broker::claimed_job& c, const worker_options& options) {
  return static_cast<std::size_t>(c.losses) >= options.max_losses;
}

[[noreturn]] void throw_unbegun() {
  throw boost::system::system_error(asio::error::operation_aborted, "stopped before it began");
}

level level_of(const detail::handler& h) noexcept {
  return h.on_thread ? level::thread : h.in_process ? level::process : level::loop;
}

}  // namespace

void job_runner::use_pools(const thread_pool* threads, quarq::processes::untyped_pool* processes) {
  its_.threads = threads;
  its_.processes = processes;
  if (threads != nullptr) {
    threads_->use(*threads);
    hooked_threads_->set_size(threads->size());
  }
  if (processes != nullptr) processes_->set_size(processes->size());
}

void job_runner::find_handler(running_job& job) {
  const auto found = its_.setup.handlers.find(job.record.task);
  if (found == its_.setup.handlers.end()) {
    job.terms = model::effective_options_for(job.record, handler_options{});
    return;
  }
  job.how = &found->second;
  const bool leaves_nothing = job.how->returns_void && !its_.keep_void_results;
  const auto keep = !leaves_nothing                    ? model::default_keep
                    : base::is_made_id(job.claimed.id) ? model::default_void_keep
                                                       : retention(milliseconds{0});
  job.terms = model::effective_options_for(job.record, job.how->options, keep);
  job.keeps_state_only = leaves_nothing && !job.record.keep_result && !job.how->options.keep_result &&
                         keep > retention(milliseconds{0});
  job.slots->take_level(level_of(*job.how));
}

// Why the job is not run, if it is not.
std::optional<attempt> job_runner::check(running_job& job) {
  if (is_expired(job)) return expired_attempt(job);
  const auto& c = job.claimed;
  if (is_lost_too_often(c, its_.setup.options)) {
    return failed_attempt(
        result_kind::exhausted, "quarq::worker_lost",
        fmt::format("{} was lost with its worker {}", job.record.task, how_often(c.losses)));
  }
  if (c.attempts > job.terms.retry.max_attempts()) {
    // Fewer are allowed than when it was tried last, or Python's workers have started it.
    return failed_attempt(
        result_kind::exhausted, "quarq::retries_exhausted",
        fmt::format("{} was started {} before, and at most {} starts are allowed", job.record.task,
                    how_often(c.attempts - 1), job.terms.retry.max_attempts()));
  }
  if (!job.how) {
    const auto waited = its_.setup.options.unknown_task_timeout;
    auto why = fmt::format("no worker has had a handler for task \"{}\" for {}", job.record.task,
                           base::human_duration(waited));
    if (waited == milliseconds{0}) why = fmt::format("no handler for task \"{}\"", job.record.task);
    return failed_attempt(result_kind::unknown_task, "quarq::unknown_task",
                          fmt::format("{}; this worker handles {}", why, base::listed(its_.setup.tasks)));
  }
  auto failed = job.record.keywords.empty() ? std::nullopt : bind_by_name(job);
  job.printable_arguments = without_secrets(*job.how, job.record.arguments);
  return failed;
}

// During a deployment, workers that know the task may be busy or not there yet.
bool job_runner::is_unknown_for_long(const running_job& job) const {
  return broker_now(job) >= job.claimed.due_at + its_.setup.options.unknown_task_timeout;
}

// A job expires if it has not started in time, and a call that is awaited whenever it is of no more use.
bool job_runner::can_expire(const running_job& job) {
  const auto& c = job.claimed;
  return c.expires_at && (c.is_first_start() || job.record.awaited);
}

bool job_runner::is_expired(const running_job& job) const {
  return can_expire(job) && broker_now(job) > *job.claimed.expires_at;
}

// Whether the job runs: a cron job's run may not take place.
awaitable<bool> job_runner::admit(running_job& job) {
  auto* c = its_.gate.cron_of(job);
  if (c == nullptr) co_return true;
  auto ruled = co_await its_.gate.admit(job, *c);
  if (ruled.what == admission::ruling::run) co_return true;
  apply(job, std::move(ruled));
  co_return false;
}

// Whether its crash may be what its workers died of: one in a child does not take them with it.
bool job_runner::is_suspect(const running_job& job) const {
  const auto& c = job.claimed;
  const int suspicious = std::max(1, isolation::suspicious_of(its_.setup.options.max_losses));
  return c.losses >= suspicious && !is_lost_too_often(c, its_.setup.options) && job.how &&
         level_of(*job.how) != level::process && !is_expired(job);
}

// False: the job has been handed back.
bool job_runner::isolate(running_job& job) {
  const bool suspect = is_suspect(job);
  const auto ruled = isolation_.admit(suspect, suspect ? others_beside(job) : 0, its_.time.now());
  job.runs_alone = ruled == isolation::ruling::alone;
  if (ruled != isolation::ruling::put_off) return true;
  job.settled = true;
  its_.slots.job_did_not_count();
  broker::settlement later;
  later.id = job.claimed.id;
  later.kind = broker::settlement::what::hand_back;
  later.delay = isolation::put_off_for;
  its_.settlements.settle(job.from, std::move(later));
  return false;
}

// A stop of the job ends the wait.
awaitable<void> job_runner::wait_to_be_alone(running_job& job) {
  its_.hand_back_parked();
  base::log().warn(
      "alone    task={} id={}: it was lost with its worker {}; it runs when no other job does here",
      logged(job).task, logged(job).id, how_often(job.claimed.losses));
  job.waits_since = its_.time.now();
  if (job.stopped == stop_reason::none) deadlines_.set(job, isolation_.wait_limit());
  job.waits_to_be_alone = true;
  // What was claimed with it is handed back in this turn of the loop.
  co_await asio::post(its_.loop, asio::use_awaitable);
  while (!is_alone(job)) co_await may_be_alone_.wait();
  job.waits_to_be_alone = false;
  job.waits_since.reset();
  if (job.stopped == stop_reason::none) deadlines_.clear(job);
  isolation_.began();
}

// Whether the store counts it as begun only when it is told.
bool job_runner::says_begin(const running_job& job) const {
  return job.claimed.losses >= isolation::suspicious_of(its_.setup.options.max_losses);
}

// A stop of the job ends the wait.
awaitable<void> job_runner::say_begin(running_job& job) {
  job.waits_since = its_.time.now();
  const bool held = co_await its_.settlements.begin(job.from, job.claimed.id);
  job.waits_since.reset();
  if (!held && job.stopped == stop_reason::none) job.stopped = stop_reason::returned;
  if (!may_begin(job)) throw_unbegun();
}

// Where a turn is waited for: a hook on the loop comes between it and the call, or the store is told first. Null:
// nowhere.
waiting_line* job_runner::line_of(const running_job& job) const {
  switch (level_of(*job.how)) {
    case level::thread:
      if (its_.setup.before_job || isolation::suspicious_of(its_.setup.options.max_losses) == 0)
        return hooked_threads_.get();
      return nullptr;
    case level::process:
      return processes_.get();
    case level::loop:
      break;
  }
  return nullptr;
}

// Whether the job can start now.
bool job_runner::take_turn(running_job& job) {
  auto* line = line_of(job);
  if (line == nullptr) return true;
  job.turn = line->try_take();
  return static_cast<bool>(job.turn);
}

// A stop of the job ends the wait.
awaitable<void> job_runner::wait_for_turn(running_job& job) {
  job.waits_since = its_.time.now();
  if (job.stopped == stop_reason::none) deadlines_.set(job, time_to_wait(job));
  auto* line = line_of(job);
  auto turn = co_await line->take();
  job.turn = std::move(turn);
  job.waits_since.reset();
  if (job.stopped == stop_reason::none) deadlines_.clear(job);
}

milliseconds job_runner::time_to_wait(const running_job& job) const {
  auto left = turn_timeout;
  if (can_expire(job)) left = std::min(left, *job.claimed.expires_at - broker_now(job) + milliseconds{1});
  return std::max(left, milliseconds{1});
}

// The job still waits for its turn when it was to look again.
void job_runner::still_waits(running_job& job) {
  if (job.waits_to_be_alone) {
    isolation_.gave_up(its_.time.now());
    job.put_off = isolation::put_off_for;
    stop(job, stop_reason::returned);
    return;
  }
  auto* const line = line_of(job);
  const auto moved_at = line ? line->moved_at() : threads_->moved_at();
  const auto waited = its_.time.now() - std::max(*job.waits_since, moved_at);
  if (is_expired(job)) {
    stop(job, stop_reason::expired);
  } else if (waited < turn_timeout || its_.setup.options.max_jobs != 0) {
    deadlines_.set(job, time_to_wait(job));
  } else if (line || threads_->withdraw(job)) {
    line ? line->note_delay() : threads_->note_delay();
    its_.left_to_others(job.from);
    note_stop(job, stop_reason::returned);
  }
}

// Otherwise the job has been stopped.
bool job_runner::may_begin(running_job& job) {
  if (job.stopped == stop_reason::none) {
    if (!job.is_ours() || !job.from.is_sure(its_.time.now())) job.stopped = stop_reason::returned;
    if (is_expired(job)) job.stopped = stop_reason::expired;
  }
  return job.stopped == stop_reason::none;
}

// From here on the job has started. Throws operation_aborted for one that must not start any more.
void job_runner::begin(running_job& job) {
  if (!may_begin(job)) throw_unbegun();
  model::context_access::set_arguments(job.ctx, job.record.arguments);
  note_start(job, its_.time.now());
}

void job_runner::note_start(running_job& job, clock::time_point when) {
  job.started_ms = broker_time(job, when).time_since_epoch().count();
  job.started = when;
  job.begun = true;
  start_timer(job);
  if (auto* counts = counts_of(job)) {
    workers::count_start(*counts, job.claimed.is_first_start(),
                         milliseconds(job.started_ms) - job.claimed.due_at.time_since_epoch());
  }
  its_.log.started(logged(job));
}

// Names of tasks that nobody handles may be very many.
task_stats* job_runner::counts_of(const running_job& job) {
  if (its_.counters == nullptr) return nullptr;
  return &its_.counters->of(job.from, job.how ? std::string_view(job.record.task) : std::string_view());
}

void job_runner::start_timer(running_job& job) {
  const auto& c = job.claimed;
  if (job.record.awaited && c.expires_at) {
    const auto left = std::max(*c.expires_at - broker_time(job, job.started), milliseconds{1});
    job.terms.timeout = std::min(job.terms.timeout.value_or(left), left);
  }
  if (job.stopped != stop_reason::none || job.thread.is_back) return;
  deadlines_.clear(job);
  if (!job.terms.timeout) return;
  deadlines_.set(job, job.started + *job.terms.timeout);
  limit(job, job.started + *job.terms.timeout);
}

// Its thread or process is free.
void job_runner::leave_turn(running_job& job) {
  job.waits_since.reset();
  if (auto* line = line_of(job)) {
    if (job.begun) line->note_use(ran(job));
    its_.slots.set_ahead(level_of(*job.how), line->is_quick() ? line->size() : 0);
  }
  job.turn.give_back();
  job.slots->leave_level();
}

}  // namespace quarq::workers
