#include "workers/job_runner.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include <quarq/detail/context_access.hpp>
#include <quarq/detail/handler_in_process.hpp>

#include "base/assert.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "clients/worker_connection.hpp"
#include "codecs/utf8.hpp"
#include "model/sent_note.hpp"
#include "model/trace_context.hpp"
#include "trace/traceparent.hpp"
#include "workers/attempt_result.hpp"
#include "workers/job_report.hpp"
#include "workers/log/log_end.hpp"
#include "workers/log/printable_job.hpp"

namespace quarq::workers {

namespace asio = boost::asio;
using model::attempt;
using model::stop_reason;
using result_kind = model::attempt::result_kind;

namespace {

void say_hook_threw(const char* hook, const running_job& job, const attempt& thrown) {
  base::log().error("{} threw for id={}: {}: {}", hook, codecs::printable(job.claimed.id, max_logged_id),
                    codecs::printable(thrown.error_type, max_logged_error),
                    codecs::printable(thrown.error, max_logged_error));
}

void set_labels(detail::job_facts& facts, const model::record& record) {
  facts.its_labels = record.labels;
  const auto& headers = record.labels->headers;
  const auto trace = headers.find(model::trace_header);
  if (trace != headers.end()) facts.trace = model::parse_traceparent(trace->second);
}

}  // namespace

void job_runner::start(queue_lease& from, broker::claimed_job claimed, broker::time_point now) {
  std::optional<attempt> unreadable;
  model::record record;
  try {
    record = model::decode_record(claimed.record);
  } catch (const decode_error& e) {
    unreadable = failed_attempt(result_kind::impossible, "quarq::decode_error", e.what());
  }
  const auto due = cron::meant_for(record.task, claimed);
  detail::job_facts facts{claimed.id,          record.task, from.served.name, claimed.attempts,
                          claimed.enqueued_at, due,         claimed.losses};
  if (record.awaited && claimed.expires_at) facts.deadline = its_.time.now() + (*claimed.expires_at - now);
  if (record.labels) set_labels(facts, record);
  const auto handled = its_.setup.handlers.find(record.task);
  if (handled != its_.setup.handlers.end()) facts.passes_deadline = handled->second.options.pass_deadline;
  auto& job = running_.emplace_front(from, std::move(claimed), its_.worker_context, std::move(facts),
                                     its_.time.now());
  job.by = this;
  model::context_access::set_notes(job.ctx, &notebook_);
  job.slots.emplace(its_.slots);
  job.self = running_.begin();
  job.record = std::move(record);
  job.started_ms = now.time_since_epoch().count();
  if (tracer_ != nullptr) begin_span(job);
  shown(job.claimed.id, max_logged_id, job.printable_id);
  shown(job.record.task, max_logged_task, job.printable_task);
  if (unreadable) {
    job.terms = model::effective_options_for({}, handler_options{});
    reject(job, *unreadable);
    forget(job);
    return;
  }
  find_handler(job);
  if (!isolate(job)) {
    forget(job);
    return;
  }
  if (!job.runs_alone && goes_straight_to_threads(job) && !check(job)) {
    line_up(job);
  } else if (!job.runs_alone && goes_straight_to_the_loop(job) && !check(job) && may_begin(job)) {
    call_on_loop(job);
  } else {
    spawn(job, run(job));
  }
}

void job_runner::begin_span(running_job& job) {
  job.span = begin_attempt_span(*tracer_, model::context_access::facts(job.ctx));
  if (!job.span) return;
  model::context_access::set_trace(job.ctx, trace::traceparent_of(job.span->span.context));
}

// One that has not begun has none.
void job_runner::end_span(running_job& job, const attempt& a, std::string_view became) {
  if (job.begun)
    end_attempt_span(*tracer_, its_.traces->attempts_on(job.from.index), job, a, became, ran(job));
  job.span.reset();
}

void job_runner::spawn(running_job& job, awaitable<void> work) {
  const auto at_the_end = [this, &job, owner = its_.owner.lock()](std::exception_ptr e) {
    // What handlers throw is caught; this would be our own mistake, and must be seen.
    if (e) std::rethrow_exception(e);
    if (std::exchange(job.goes_to_threads, false)) {
      line_up(job);
    } else {
      ended(job);
    }
  };
  if (!job.activity) job.activity.begin(activities_, &job.current);
  const auto within = async::with_activity(its_.loop, job.activity.get());
  asio::co_spawn(within, std::move(work), asio::bind_cancellation_slot(job.cancel.slot(), at_the_end));
}

// Nothing is to be waited for but the handler: each coroutine around it costs time in each job.
bool job_runner::goes_straight_to_the_loop(const running_job& job) const {
  return job.how && job.how->on_loop && has_no_steps_before_the_call(job);
}

void job_runner::call_on_loop(running_job& job) {
  begin(job);
  job.activity.begin(activities_, &job.current);
  const auto at_the_end = [this, &job, owner = its_.owner.lock()](const std::exception_ptr& e,
                                                                  std::string result) {
    conclude(job, e ? classify(e) : attempt{}, std::move(result));
  };
  const auto within = async::with_activity(its_.loop, job.activity.get());
  asio::co_spawn(within, job.how->on_loop(job.ctx, job.record.arguments),
                 asio::bind_cancellation_slot(job.cancel.slot(), at_the_end));
}

void job_runner::ended(running_job& job) {
  its_.slots.note_use(its_.time.now() - job.taken);
  forget(job);
  its_.job_ended();
}

// The path of one job, after its record was decoded.
awaitable<void> job_runner::run(running_job& job) {
  const auto rejection = check(job);
  if (rejection) {
    reject(job, *rejection);
    co_return;
  }
  attempt a;
  std::string result;
  try {
    const bool admitted = co_await admit(job);
    if (!admitted) co_return;
    if (job.runs_alone) co_await wait_to_be_alone(job);
    const bool to_threads = line_of(job) == nullptr && job.how->on_thread;
    if (!to_threads && !take_turn(job)) co_await wait_for_turn(job);
    if (says_begin(job)) co_await say_begin(job);
    job.goes_to_threads = to_threads;
    if (to_threads) co_return;
    begin(job);
    std::string returned = co_await call(job);
    result = std::move(returned);
  } catch (...) {
    a = classify(std::current_exception());
  }
  leave_turn(job);
  if (!has_end_hooks()) {
    record_end(job, std::move(a), std::move(result));
    co_return;
  }
  auto rest = end_attempt(job, std::move(a), std::move(result));
  co_await std::move(rest);
}

bool job_runner::has_end_hooks() const noexcept {
  return its_.setup.after_job || its_.setup.after_commit;
}

void job_runner::record_end(running_job& job, attempt a, std::string result) {
  explain_stop(a, job);
  settle(job, a, decide(job, a), std::move(result));
  deadlines_.clear(job);
}

// The same, with the hooks that are to hear of it.
awaitable<void> job_runner::end_attempt(running_job& job, attempt a, std::string result) {
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  explain_stop(a, job);
  auto decision = decide(job, a);
  if (job.begun) co_await run_after_job(job, a, decision);
  const bool counts = settle(job, a, decision, std::move(result));
  if (!counts || !its_.setup.after_commit) co_return;
  const auto end = end_of(a, decision, ran(job));
  co_await run_after_commit(job, end);
}

void job_runner::reject(running_job& job, const attempt& why) {
  if (why.result == result_kind::unknown_task && job.record.task.starts_with(cron::cron_prefix)) {
    apply(job, its_.gate.leave_to_others(job, "is not a cron job that this worker knows"));
  } else if (why.result == result_kind::unknown_task && !is_unknown_for_long(job)) {
    admission to_others;
    to_others.what = admission::ruling::park;
    apply(job, std::move(to_others));
  } else {
    settle(job, why, decide(job, why), {});
  }
}

void job_runner::apply(running_job& job, admission ruled) {
  if (job.settled) return;
  job.settled = true;
  if (ruled.what == admission::ruling::park) {
    its_.slots.job_did_not_count();
    its_.park(job, std::move(ruled.until_ended));
  } else {
    end_without_run(job, ruled);
  }
}

void job_runner::end_without_run(running_job& job, const admission& ruled) {
  if (!job.is_ours()) return;
  if (!ruled.why.empty()) {
    base::log().warn("skipped  task={} id={}: {}", logged(job).task, logged(job).id,
                     codecs::printable(ruled.why, max_logged_error));
  }
  ++its_.counts.done;
  its_.settlements.settle(job.from, settlement_of(job, ruled, outcome_of(job, its_.worker_name, ran(job))));
}

awaitable<std::string> job_runner::call(running_job& job) {
  if (its_.setup.before_job) co_await its_.setup.before_job(job.ctx);
  std::string result;
  if (job.how->on_thread) {
    result = co_await call_on_thread(job);
  } else if (job.how->in_process) {
    result = co_await call_in_process(job);
  } else {
    result = co_await job.how->on_loop(job.ctx, job.record.arguments);
  }
  co_return result;
}

// Cancelling a coroutine can't end a function on a thread: it hears of it by its stop_token, and is waited
// for.
awaitable<std::string> job_runner::call_on_thread(running_job& job) {
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  const auto work = [&job] { return job.how->on_thread(job.ctx, job.record.arguments); };
  std::string result = co_await its_.threads->run(work);
  co_return result;
}

// Cancelling it kills the process.
awaitable<std::string> job_runner::call_in_process(running_job& job) {
  const auto limit = job.how->options.memory_limit;
  detail::process_target target = *job.how->in_process;
  target.name = job.ctx.task();
  processes::untyped_pool::note_listener listen = [&job](std::string_view note) {
    model::pass_on(note, job.ctx);
  };
  auto call = its_.processes->run(target, job.record.arguments, limit, detail::pack_facts(job.ctx), listen);
  std::string result = co_await std::move(call);
  co_return result;
}

model::decision job_runner::decide(const running_job& job, const attempt& a) {
  auto retry = job.terms.retry;
  const bool is_answer = a.result == result_kind::threw && job.record.awaited && !a.pause;
  if (is_answer && !job.record.max_attempts && !job.record.backoff) retry = retry.attempts(1);
  auto d = model::decide(a, retry, job.claimed.attempts, std::uniform_real_distribution<>(0, 1)(its_.random));
  if (d.state == job_state::queued) d.pause = job.put_off;
  return d;
}

awaitable<void> job_runner::run_after_job(running_job& job, attempt& a, model::decision& d) {
  if (!its_.setup.after_job) co_return;
  const auto end = end_of(a, d, ran(job));
  try {
    co_await its_.setup.after_job(job.ctx, end);
  } catch (...) {
    auto thrown = classify(std::current_exception());
    if (a.result == result_kind::returned) {
      a = std::move(thrown);
    } else {
      say_hook_threw("after_job", job, thrown);
    }
  }
  if (a.result != result_kind::returned && d.state == job_state::succeeded) d = decide(job, a);
}

// Whether this is the job's end: it has none yet, and the job is still ours.
bool job_runner::settle(running_job& job, const attempt& a, const model::decision& d, std::string result) {
  if (job.settled) {
    base::log().warn("late     task={} id={} stopped {} after it began; its end was recorded before",
                     logged(job).task, logged(job).id, base::human_duration(ran(job)));
    return false;
  }
  job.settled = true;
  job.current.must_end_by = model::current_job::no_limit;
  if (!job.begun && d.state == job_state::queued) its_.slots.job_did_not_count();
  end_children(job, d.state);
  if (job.span) end_span(job, a, job.is_ours() ? to_string(d.state) : "lost");
  if (!job.is_ours()) {
    base::log().warn("refused  task={} id={}: its lease was lost, its end here counts for nothing",
                     logged(job).task, logged(job).id);
    return false;
  }
  log_end(its_.log, logged(job), a, d,
          its_.setup.options.log_results ? std::optional(printable_result(job, result)) : std::nullopt);
  if (is_final(d.state)) ++its_.counts.done;
  auto& ended = its_.counts.ended;
  ++(d.state == job_state::succeeded ? ended.complete : is_final(d.state) ? ended.failed : ended.retried);
  const auto took = ran(job);
  if (auto* counts = counts_of(job)) {
    count_end(*counts, d.state);
    if (job.begun) counts->ran.add(took);
  }
  auto facts = outcome_of(job, its_.worker_name, took);
  const bool has_notes = !notebook_.is_empty() && add_notes(job, facts);
  auto end = settlement_of(job, a, d, std::move(result), std::move(facts));
  end.has_notes = has_notes && end.kind != broker::settlement::what::hand_back;
  job.settlement = its_.settlements.settle(job.from, std::move(end));
  return true;
}

// The job ends before its handler, which may enqueue more. On a thread it can't.
void job_runner::watch_late_children(running_job& job) {
  if (job.how && job.how->on_loop) model::context_access::make_children(job.ctx);
}

// Those of a job that another worker owns may be awaited there: it finds them by their ids.
void job_runner::end_children(running_job& job, job_state end) {
  const auto& children = model::context_access::children(job.ctx);
  if (!children) return;
  using fate = clients::child_jobs::fate;
  children->end(end == job_state::succeeded || !job.is_ours() ? fate::left_alone : fate::cancelled);
}

awaitable<void> job_runner::run_after_commit(running_job& job, const job_end& end) {
  deadlines_.clear(job);
  const bool held = co_await its_.settlements.wait_answered(job.from, job.settlement);
  if (!held) co_return;
  try {
    co_await its_.setup.after_commit(job.ctx, end);
  } catch (...) {
    const auto thrown = classify(std::current_exception());
    say_hook_threw("after_commit", job, thrown);
  }
}

void job_runner::stop(running_job& job, stop_reason why) {
  if (job.stopped != stop_reason::none || job.settled) return;
  if (job.is_on_threads && job.waits_since) {
    const bool never_begins = threads_->withdraw(job);
    // A thread has just begun it.
    if (!never_begins && (why == stop_reason::expired || why == stop_reason::returned)) return;
  }
  note_stop(job, why);
}

void job_runner::note_stop(running_job& job, stop_reason why) {
  job.stopped = why;
  deadlines_.set(job, its_.setup.options.cancel_timeout);
  limit(job, its_.time.now());
  model::context_access::request_stop(job.ctx);
  job.cancel.emit(asio::cancellation_type::terminal);
}

// From `stopped_at` on it has cancel_timeout to end. For the watchdog.
void job_runner::limit(running_job& job, clock::time_point stopped_at) {
  job.current.must_end_by =
      std::min(job.current.must_end_by.load(), stopped_at + its_.setup.options.cancel_timeout);
}

void job_runner::stop_all(stop_reason why) {
  for (auto& job : running_) stop(job, why);
}

void job_runner::cancel_requested(queue_lease& of, const std::string& id) {
  for (auto& job : running_) {
    if (&job.from == &of && job.claimed.id == id) stop(job, stop_reason::cancelled);
  }
}

std::size_t job_runner::lease_lost(queue_lease& of) {
  std::size_t lost = 0;
  for (auto& job : running_) {
    if (&job.from != &of || !job.is_ours()) continue;
    ++lost;
    stop(job, stop_reason::shutdown);
  }
  return lost;
}

awaitable<void> job_runner::watch_deadlines() {
  return deadlines_.run([this](running_job& job) { deadline_passed(job); });
}

void job_runner::deadline_passed(running_job& job) {
  if (job.stopped == stop_reason::none && job.waits_since) {
    still_waits(job);
    return;
  }
  if (job.stopped == stop_reason::none) {
    stop(job, stop_reason::timed_out);
    return;
  }
  base::log().warn(
      "stuck    task={} id={} was asked to stop {} ago and runs on; its end is recorded without it",
      logged(job).task, logged(job).id, base::human_duration(its_.setup.options.cancel_timeout));
  auto a = failed_attempt(result_kind::threw, "quarq::cancelled", "the handler did not stop when asked");
  explain_stop(a, job);
  watch_late_children(job);
  settle(job, a, decide(job, a), {});
}

void job_runner::return_waiting() {
  for (auto& job : running_) {
    if (job.waits_since) stop(job, stop_reason::returned);
  }
}

void job_runner::abandon() {
  for (auto& job : running_) {
    if (job.settled) continue;
    its_.log.left_running(logged(job));
    job.settled = true;
    if (job.span) {
      end_span(job, failed_attempt(result_kind::threw, "quarq::cancelled", "it did not stop when asked"),
               "left_running");
    }
    watch_late_children(job);
    end_children(job, job_state::queued);
  }
}

void job_runner::request_stop_of_all() {
  threads_->close();
  for (auto& job : running_) model::context_access::request_stop(job.ctx);
}

void job_runner::forget(running_job& job) {
  QUARQ_ASSERT(job.settled);
  deadlines_.clear(job);
  // A handler that did not stop in time may have gone on talking.
  if (!notebook_.is_empty()) notebook_.take_all(job.ctx);
  const bool is_waiting = job.slots->are_lent();  // in a coroutine that the handler left behind
  if (is_waiting) --waiting_;
  if (job.runs_alone) isolation_.ended(is_waiting);
  running_.erase(job.self);
  if (its_.slots.is_closed()) may_be_alone_.set();
}

void job_runner::aborted_unstarted(const broker::claimed_job& claimed, broker::time_point now) {
  std::string task, printable_id, printable_task;
  try {
    task = model::decode_record(claimed.record).task;
  } catch (const decode_error&) {
    // It need not be readable to be cancelled.
  }
  broker::logged_job l;
  l.id = shown(claimed.id, max_logged_id, printable_id);
  l.task = shown(task, max_logged_task, printable_task);
  l.attempts = claimed.attempts;
  l.age = now - claimed.enqueued_at;
  its_.log.aborted_unstarted(l);
  ++its_.counts.ended.failed;
  ++its_.counts.done;
}

void job_runner::append_ids(const queue_lease& of, std::vector<std::string>& ids) const {
  for (const auto& job : running_) {
    if (&job.from == &of) ids.push_back(job.claimed.id);
  }
}

// By what the broker's clock was when the job was claimed, or began.
broker::time_point job_runner::broker_time(const running_job& job, clock::time_point at) const {
  return broker::time_point(milliseconds(job.started_ms)) +
         std::chrono::floor<milliseconds>(at - job.started);
}

std::chrono::microseconds job_runner::ran(const running_job& job) const {
  const auto until = job.ended ? *job.ended : its_.time.now();
  return std::chrono::duration_cast<std::chrono::microseconds>(until - job.started);
}

broker::logged_job job_runner::logged(const running_job& job) const {
  const auto& crons = its_.setup.crons;
  return workers::logged(job, !crons.empty() && crons.contains(job.record.task), ran(job));
}

}  // namespace quarq::workers
