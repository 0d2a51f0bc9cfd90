// The executing role: one try of a job, from its claim to its settlement.
#include <algorithm>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include "base/log.hpp"
#include "base/text.hpp"
#include "codecs/json.hpp"
#include "model/argument_binding.hpp"
#include "workers/worker_core.hpp"

namespace quarq::detail {

namespace asio = boost::asio;
using model::attempt;
using model::stop_reason;
using what = model::attempt::what;

namespace {

std::chrono::microseconds since(steady::time_point start) {
  return std::chrono::duration_cast<std::chrono::microseconds>(steady::now() - start);
}

attempt failed_attempt(what came, std::string type, std::string message) {
  return attempt{came, stop_reason::none, std::move(type), std::move(message), std::nullopt};
}

attempt attempt_from(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const bad_payload& e) {
    return failed_attempt(what::impossible, "quarq::decode_error", e.what());
  } catch (const permanent_failure& e) {
    return failed_attempt(what::permanent, base::type_name(typeid(e)), e.what());
  } catch (const retry& e) {
    auto a = failed_attempt(what::threw, base::type_name(typeid(e)), e.what());
    a.pause = std::clamp(e.delay(), milliseconds{0}, model::max_time);
    return a;
  } catch (const job_failed& e) {
    // A handler that awaited another job passes on what that one threw.
    return failed_attempt(what::threw, e.type(), e.what());
  } catch (const call_failed& e) {
    // What a handler threw in its process.
    if (e.type() == base::type_name(typeid(permanent_failure)))
      return failed_attempt(what::permanent, e.type(), e.what());
    return failed_attempt(what::threw, e.type(), e.what());
  } catch (const std::exception& e) {
    return failed_attempt(what::threw, base::type_name(typeid(e)), e.what());
  } catch (...) {
    return failed_attempt(what::threw, "unknown", "the handler threw something that is not a std::exception");
  }
}

// What was thrown by a handler that was asked to stop is only how it stopped.
void explain_stop(attempt& a, const running_job& job) {
  a.stopped = job.stopped;
  if (a.came != what::threw) return;
  if (job.stopped == stop_reason::timed_out) {
    a.error_type = "quarq::timed_out";
    a.error = fmt::format("{} took longer than its timeout of {}", job.record.task,
                          base::human_duration(job.terms.timeout.value_or(milliseconds{0})));
  } else if (job.stopped == stop_reason::cancelled) {
    a.error_type = "quarq::cancelled";
    a.error = fmt::format("{} was cancelled while it ran", job.record.task);
  }
}

// While it lives, a job takes one of the places of its kind.
template <class Places>
class taken_place {
 public:
  explicit taken_place(Places& from) : from_(from) { ++from_.taken; }
  ~taken_place() { --from_.taken; }
  taken_place(const taken_place&) = delete;
  taken_place& operator=(const taken_place&) = delete;

 private:
  Places& from_;
};

/// Puts arguments given by name into their places.
std::optional<attempt> fault_in_names(running_job& job) {
  try {
    job.by_position = decoder(job.record.arguments, job.record.task).array();
    job.record.arguments =
        model::bind_arguments(job.record, {job.how->parameter_count, job.how->parameter_names});
    job.record.keywords.clear();
  } catch (const decode_error& e) {
    return failed_attempt(what::impossible, "quarq::decode_error", e.what());
  }
  return std::nullopt;
}

job_end end_of(const running_job& job, const attempt& a, const model::verdict& v) {
  job_end end;
  end.state = v.state;
  end.error_type = a.error_type;
  end.error = a.error;
  end.ran = since(job.started);
  return end;
}

}  // namespace

void worker_core::start_job(lane& from, broker::claimed_job claimed, broker::time_point now) {
  ++started;
  std::optional<attempt> hopeless;
  model::record record;
  try {
    record = model::decode_record(claimed.record);
  } catch (const decode_error& e) {
    hopeless = failed_attempt(what::impossible, "quarq::decode_error", e.what());
  }
  const auto due = cron::meant_for(record.task, claimed);
  job_facts facts{claimed.id, record.task, from.served.name, claimed.attempts, claimed.enqueued_at, due};
  running_job& job = running.emplace_front(from, std::move(claimed), own_context, std::move(facts));
  job.self = running.begin();
  job.record = std::move(record);
  job.started_ms = now.time_since_epoch().count();
  if (hopeless) {
    job.terms = model::terms_for({}, handler_options{}, false);
  } else {
    hopeless = reason_not_to_run(job, now);
  }
  if (hopeless) {
    if (!leave_unknown_cron(job, *hopeless)) conclude(job, *hopeless, verdict_on(job, *hopeless), {});
    running.erase(job.self);
    return;
  }
  job.ctx.set_arguments(job.record.arguments);
  if (job.terms.timeout) set_deadline(job, *job.terms.timeout);
  asio::co_spawn(loop, execute(job),
                 asio::bind_cancellation_slot(job.cancel.slot(),
                                              [self = shared_from_this(), &job](std::exception_ptr e) {
                                                // execute() catches all that handlers throw; this would be
                                                // our own mistake, and must be seen.
                                                if (e) std::rethrow_exception(e);
                                                self->clear_deadline(job);
                                                self->running.erase(job.self);
                                                self->wake->fetch.set();
                                                self->wake->ended.set();
                                              }));
}

std::optional<attempt> worker_core::reason_not_to_run(running_job& job, broker::time_point now) {
  const auto found = handlers.find(job.record.task);
  job.how = found == handlers.end() ? nullptr : &found->second;
  job.terms = job.how ? model::terms_for(job.record, job.how->options,
                                         job.how->returns_nothing && !broker->keeps_results_of_nothing())
                      : model::terms_for(job.record, handler_options{}, false);
  const auto& c = job.claimed;
  if (job.record.awaited && c.expires_at) {
    const auto left = std::max(*c.expires_at - now, milliseconds{1});
    job.terms.timeout = std::min(job.terms.timeout.value_or(left), left);
  }
  if (c.expires_at && now > *c.expires_at) {
    return failed_attempt(what::expired, "quarq::job_expired",
                          fmt::format("{} expired: no worker started it in time", job.record.task));
  }
  if (c.attempts > job.terms.retry.max_attempts()) {
    return failed_attempt(
        what::exhausted, "quarq::worker_lost",
        fmt::format("{} was lost with its worker on each of its {} tries", job.record.task, c.attempts - 1));
  }
  if (!job.how) {
    return failed_attempt(what::unknown_task, "quarq::unknown_task",
                          fmt::format("no handler for task \"{}\" in worker {}", job.record.task, name));
  }
  if (!job.record.keywords.empty()) return fault_in_names(job);
  return std::nullopt;
}

awaitable<void> worker_core::execute(running_job& job) {
  attempt a;
  std::string result;
  try {
    if (auto* cron = cron_of(job)) {
      const bool takes_place = co_await admit_cron(job, *cron);
      if (!takes_place) co_return;
    }
    log->started(logged(job));
    std::string returned = co_await call_handler(job);
    result = std::move(returned);
  } catch (...) {
    a = attempt_from(std::current_exception());
  }
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  explain_stop(a, job);
  auto verdict = verdict_on(job, a);
  if (after_job) co_await run_after_job(job, a, verdict);
  const bool counts = conclude(job, a, verdict, std::move(result));
  if (!counts || !after_recorded) co_return;
  const auto end = end_of(job, a, verdict);
  co_await run_after_recorded(job, end);
}

awaitable<std::string> worker_core::call_handler(running_job& job) {
  if (before_job) co_await before_job(job.ctx);
  std::string result;
  if (job.how->on_thread) {
    result = co_await call_on_thread(job);
  } else if (job.how->in_process) {
    result = co_await call_in_process(job);
  } else {
    const taken_place place(on_loop);
    result = co_await job.how->on_loop(job.ctx, job.record.arguments);
  }
  co_return result;
}

// Cancelling a coroutine can't end a function on a thread: it hears of it by its stop_token, and is waited
// for.
awaitable<std::string> worker_core::call_on_thread(running_job& job) {
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  const taken_place place(on_threads);
  const auto work = [&job] { return job.how->on_thread(job.ctx, job.record.arguments); };
  std::string result = co_await threads->run(work);
  co_return result;
}

// Cancelling it kills the process.
awaitable<std::string> worker_core::call_in_process(running_job& job) {
  const taken_place place(in_processes);
  const auto limit = job.how->options.memory_limit;
  const job_facts facts{job.ctx.id(),      job.ctx.task(),        job.ctx.queue(),
                        job.ctx.attempt(), job.ctx.enqueued_at(), job.ctx.due_at()};
  std::string result =
      co_await process_call(*processes, *job.how->in_process, job.record.arguments, limit, facts);
  co_return result;
}

awaitable<void> worker_core::run_after_job(running_job& job, attempt& a, model::verdict& v) {
  const auto end = end_of(job, a, v);
  try {
    co_await after_job(job.ctx, end);
  } catch (...) {
    auto thrown = attempt_from(std::current_exception());
    if (a.came == what::returned) {
      a = std::move(thrown);
    } else {
      base::log().error("after_job threw for id={}: {}: {}", job.claimed.id, thrown.error_type, thrown.error);
    }
  }
  if (a.came != what::returned && v.state == job_state::succeeded) v = verdict_on(job, a);
}

awaitable<void> worker_core::run_after_recorded(running_job& job, const job_end& end) {
  clear_deadline(job);
  recording its(loop);
  job.from.unrecorded.emplace(job.claimed.id, &its);
  co_await its.answered.wait();
  if (!its.held) co_return;
  try {
    co_await after_recorded(job.ctx, end);
  } catch (...) {
    const auto thrown = attempt_from(std::current_exception());
    base::log().error("after_recorded threw for id={}: {}: {}", job.claimed.id, thrown.error_type,
                      thrown.error);
  }
}

// Asks a job to stop; the first reason counts. If it does not stop within stop_wait, its end is recorded
// without it.
void worker_core::stop_job(running_job& job, stop_reason why) {
  if (job.stopped != stop_reason::none || job.settled) return;
  job.stopped = why;
  set_deadline(job, options.stop_wait);
  job.ctx.stop_source().request_stop();
  job.cancel.emit(asio::cancellation_type::terminal);
}

model::verdict worker_core::verdict_on(const running_job& job, const attempt& a) {
  auto retry = job.terms.retry;
  const bool is_answer = a.came == what::threw && job.record.awaited && !a.pause;
  if (is_answer && !job.record.attempts && !job.record.backoff) retry = retry.attempts(1);
  return model::decide(a, retry, job.claimed.attempts, std::uniform_real_distribution<>(0, 1)(random));
}

bool worker_core::conclude(running_job& job, const attempt& a, const model::verdict& v, std::string result) {
  if (job.settled) {
    base::log().warn("late     task={} id={} stopped {} after it began; its end was recorded before",
                     job.record.task, job.claimed.id, base::human_duration(since(job.started)));
    return false;
  }
  job.settled = true;
  if (job.token != job.from.lease.token) {
    base::log().warn("refused  task={} id={}: its lease was lost, its end here counts for nothing",
                     job.record.task, job.claimed.id);
    return false;
  }
  log->ended(logged(job), a, v, options.log_results ? std::optional<std::string_view>(result) : std::nullopt);
  if (is_final(v.state)) ++done;
  ++(v.state == job_state::succeeded ? tries_ended.complete
     : is_final(v.state)             ? tries_ended.failed
                                     : tries_ended.retried);
  settle(job.from, settlement_of(job, a, v, std::move(result)));
  return true;
}

broker::settlement worker_core::settlement_of(const running_job& job, const attempt& a,
                                              const model::verdict& v, std::string result) const {
  broker::settlement s;
  s.id = job.claimed.id;
  s.state = v.state;
  s.delay = v.pause;
  if (v.state == job_state::deferred) {
    s.kind = broker::settlement::what::retry;
    return s;
  }
  if (v.state == job_state::queued) {
    s.kind = broker::settlement::what::hand_back;
    return s;
  }
  s.kind = broker::settlement::what::end;
  s.keep = model::keep_of(v.state == job_state::succeeded ? job.terms.keep_success : job.terms.keep_failure);
  auto o = outcome_of(job);
  o.result = std::move(result);
  o.error_type = a.error_type;
  o.error = a.error;
  s.outcome = model::encode(o);
  return s;
}

// As it is now, without a result or an error.
model::outcome worker_core::outcome_of(const running_job& job) const {
  model::outcome o;
  o.task = job.record.task;
  o.attempts = job.claimed.attempts;
  o.worker = name;
  o.enqueued_ms = job.claimed.enqueued_at.time_since_epoch().count();
  o.started_ms = job.started_ms;
  o.finished_ms = job.started_ms + std::chrono::duration_cast<milliseconds>(since(job.started)).count();
  return o;
}

workers::logged_job worker_core::logged(const running_job& job) const {
  const auto start = broker::time_point(milliseconds(job.started_ms));
  workers::logged_job l;
  l.id = job.claimed.id;
  l.task = job.record.task;
  l.is_cron = !crons.empty() && crons.contains(job.record.task);
  l.attempts = job.claimed.attempts;
  l.max_attempts = job.terms.retry.max_attempts();
  l.age = start - job.claimed.enqueued_at;
  l.waited = start - job.claimed.due_at;
  l.ran = since(job.started);
  l.arguments = job.record.arguments;
  l.by_position = job.by_position;
  if (job.how) l.names = job.how->parameter_names;
  return l;
}

void worker_core::aborted_unstarted(const broker::claimed_job& claimed, broker::time_point now) {
  std::string task;
  try {
    task = model::decode_record(claimed.record).task;
  } catch (const decode_error&) {
    // It need not be readable to be cancelled.
  }
  workers::logged_job l;
  l.id = claimed.id;
  l.task = task;
  l.attempts = claimed.attempts;
  l.age = now - claimed.enqueued_at;
  log->aborted_unstarted(l);
  ++tries_ended.failed;
  ++done;
}

void worker_core::set_deadline(running_job& job, milliseconds from_now) {
  clear_deadline(job);
  job.deadline = steady::now() + from_now;
  const auto place = deadlines.emplace(*job.deadline, &job).first;
  if (place == deadlines.begin()) wake->deadline.set();
}

void worker_core::clear_deadline(running_job& job) {
  if (job.deadline) deadlines.erase({*job.deadline, &job});
  job.deadline.reset();
}

awaitable<void> worker_core::watch_deadlines() {
  while (!closing) {
    const auto now = steady::now();
    while (!deadlines.empty() && deadlines.begin()->first <= now) deadline_passed(*deadlines.begin()->second);
    if (deadlines.empty()) {
      co_await wake->deadline.wait();
    } else {
      const auto left = std::chrono::ceil<milliseconds>(deadlines.begin()->first - now);
      co_await wake->deadline.wait_for(left);
    }
  }
}

void worker_core::deadline_passed(running_job& job) {
  clear_deadline(job);
  if (job.stopped == stop_reason::none) {
    stop_job(job, stop_reason::timed_out);
    return;
  }
  base::log().warn(
      "stuck    task={} id={} was asked to stop {} ago and runs on; its end is recorded without it",
      job.record.task, job.claimed.id, base::human_duration(options.stop_wait));
  auto a = failed_attempt(what::threw, "quarq::cancelled", "the handler did not stop when asked");
  explain_stop(a, job);
  conclude(job, a, verdict_on(job, a), {});
  wake->ended.set();
}

}  // namespace quarq::detail
