#include "workers/worker.hpp"

#include <algorithm>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include <quarq/detail/context_access.hpp>
#include <quarq/gather.hpp>
#include <quarq/handlers.hpp>
#include <quarq/msgpack.hpp>
#include <quarq/time.hpp>

#include "base/log.hpp"
#include "base/text.hpp"
#include "codecs/utf8.hpp"
#include "model/announcement.hpp"
#include "workers/log/json_format.hpp"
#include "workers/log/quarq_format.hpp"

namespace quarq::workers {

namespace asio = boost::asio;

namespace {

// After running jobs were asked to stop: time for coroutines to unwind and for ends to be recorded.
constexpr milliseconds unwind_timeout{500};
// After a job that waited here in vain was handed back: time for a worker with a free thread to take it.
constexpr milliseconds time_for_others{200};
// For what still has to reach the broker when the worker ends.
constexpr milliseconds hand_back_timeout{3'000};

std::string host_and_pid() {
  char host[256] = "?";
  ::gethostname(host, sizeof host - 1);
  return fmt::format("{}:{}", codecs::to_utf8(host), ::getpid());
}

constexpr milliseconds contact_check_interval{1'000};

// Between what running jobs say of themselves and the store.
constexpr milliseconds notes_interval{250};

// It is told with each renewal.
constexpr std::size_t max_waits_shown = 20;

awaitable<void> serve_metrics(std::shared_ptr<metrics_endpoint> by) {
  co_await by->run();
}

// Ends the start of a worker that is asked to stop.
struct stopped_early {};

queue_leases leases_for(const std::vector<served_queue>& queues) {
  queue_leases leases;
  for (const auto& q : queues) {
    auto& l = leases.emplace_back();
    l.index = leases.size() - 1;
    l.served = q;
  }
  return leases;
}

}  // namespace

environment real_environment() {
  static machine_clock real_time;
  return {real_time,
          [](const std::string& url, const asio::any_io_executor& loop, std::optional<milliseconds> timeout) {
            broker::open_options how;
            how.timeout = timeout;
            return broker::open(url, loop, how);
          },
          true};
}

void worker_impl::add_cron(std::string_view cron_name, cron_options how) {
  cron::cron_job made(cron_name, std::move(how));
  const auto task = made.task;
  if (!setup.crons.try_emplace(task, std::move(made)).second) {
    throw usage_error(fmt::format("cron {}: there is one with this name already", cron_name));
  }
}

// ---- how the roles are put together

worker_impl::roles::roles(worker_impl& of, const asio::any_io_executor& loop)
    : leases(leases_for(of.setup.options.queues)),
      counters(leases),
      progress(loop),
      renewed(loop),
      group(loop, of.weak_from_this(), [this] { progress.set(); }),
      broker_time(of.clock_, loop),
      settlements({*of.broker_, leases, of.clock_, loop,
                   [this] {
                     progress.set();
                     claims.wake();
                     runner.ends_recorded();
                   }}),
      claims({*of.broker_, leases, *of.slots_, settlements, broker_time, of.clock_, loop, of.random_,
              of.setup.options.burst,
              [this](queue_lease& l, broker::claimed_job job, broker::time_point now) {
                runner.start(l, std::move(job), now);
              },
              [&of] { return of.is_idle(); }, [this] { renewer.renew_now(); },
              [this](const queue_lease& l) {
                std::vector<std::string> ids;
                claims.append_ids(l, ids);
                runner.append_ids(l, ids);
                parked.append_ids(l, ids);
                settlements.append_ids(l, ids);
                return ids;
              },
              of.setup.options.burst_includes_deferred}),
      parked({*of.broker_, settlements, claims, group, of.clock_, of.setup.options.burst}),
      runs(*of.broker_),
      gate({of.setup.crons, runs, broker_time, of.clock_}),
      planner({of.setup.crons, runs, broker_time, of.clock_, loop, of.setup.options.burst,
               [this] { claims.wake(); }}),
      runner({of.setup,
              of.name_,
              of.context_,
              *of.log_,
              of.broker_->about().keep_void_results,
              of.counts_,
              *of.slots_,
              settlements,
              gate,
              of.clock_,
              loop,
              of.random_,
              nullptr,
              nullptr,
              of.weak_from_this(),
              [this](const running_job& job, std::string until_ended) {
                parked.park(job, std::move(until_ended));
              },
              [this] {
                claims.wake();
                progress.set();
              },
              [this, &of](queue_lease& l) { claims.leave_until(l, of.clock_.now() + time_for_others); },
              [this] { parked.hand_back_all(); },
              &counters,
              &of.traces_}),
      renewer({*of.broker_, leases, of.clock_, loop, of.setup.options.lease,
               [&of] { return of.worker_info(); }, model::encode_announcement(of.setup.tasks),
               [&of](const std::string& token) { return of.events_for(token); },
               [this](queue_lease& l) { claims.work_ready(l); },
               [this](queue_lease& l, const std::string& id) { cancel_requested(l, id); },
               [this, &of](queue_lease& l) {
                 ++of.leases_lost_;
                 const auto lost = runner.lease_lost(l);
                 settlements.lease_lost(l);
                 claims.lease_lost(l);
                 return lost;
               },
               [this, &of] { return watch ? watch->why_silent(2 * of.setup.options.lease) : std::string(); },
               [this](queue_lease& l) { claims.note_paused(l, true); },
               isolation::suspicious_of(of.setup.options.max_losses), [this] { renewed.set(); }}) {}

void worker_impl::roles::cancel_requested(queue_lease& l, const std::string& id) {
  claims.cancel_requested(l, id);
  runner.cancel_requested(l, id);
  parked.cancel_requested(l, id);
}

void worker_impl::make_pools(roles& r) {
  const auto any = [this](auto detail::handler::* kind) {
    return std::any_of(setup.handlers.begin(), setup.handlers.end(),
                       [&](const auto& h) { return !!(h.second.*kind); });
  };
  const auto& o = setup.options;
  if (o.queues.size() > 1) slots_->claim_for_free_slots_only();
  if (any(&detail::handler::on_loop)) slots_->set_limit(level::loop, o.concurrency);
  if (any(&detail::handler::on_thread)) {
    thread_pool_options like;
    like.size = o.threads;
    like.name = "worker";
    r.threads.emplace(like);
    slots_->set_limit(level::thread, r.threads->size());
  }
  if (any(&detail::handler::in_process)) {
    process_pool_options like;
    like.size = o.processes;
    r.processes = quarq::processes::make_untyped_pool(like);
    slots_->set_limit(level::process, r.processes->size());
  }
  r.runner.use_pools(r.threads ? &*r.threads : nullptr, r.processes.get());
}

// What a lease is told. The broker may say it after the worker's end.
broker::worker_events worker_impl::events_for(const std::string& token) {
  const auto with_roles = [weak = weak_from_this()](auto then) {
    if (const auto self = weak.lock(); self && self->roles_) then(*self->roles_);
  };
  const auto with_queue = [with_roles](const std::string& queue, auto then) {
    with_roles([&](roles& r) {
      if (auto* l = find_queue(r.leases, queue)) then(r, *l);
    });
  };
  broker::worker_events events;
  events.work_ready = [with_queue](const std::string& queue) {
    with_queue(queue, [](roles& r, queue_lease& l) { r.claims.work_ready(l); });
  };
  // A burst ends when a claim brings nothing, and a worker that may start only so many jobs wants no others. One that
  // says of each job when it begins takes none that the store starts.
  const auto& o = setup.options;
  if (!o.burst && o.max_jobs == 0 && isolation::suspicious_of(o.max_losses) > 0) {
    events.on_job_pushed = [with_queue, token](const std::string& queue, broker::claimed_job job,
                                               broker::time_point now) {
      with_queue(queue,
                 [&](roles& r, queue_lease& l) { r.claims.job_pushed(l, token, std::move(job), now); });
    };
  }
  events.reconnected = [with_roles] { with_roles([](roles& r) { r.claims.reconnected(); }); };
  events.aborted_unstarted = [with_roles](const broker::claimed_job& job, broker::time_point now) {
    with_roles([&](roles& r) { r.runner.aborted_unstarted(job, now); });
  };
  events.cancel_requested = [with_queue](const std::string& queue, const std::string& id) {
    with_queue(queue, [&](roles& r, queue_lease& l) { r.cancel_requested(l, id); });
  };
  return events;
}

// ---- from start to end

// The worker may outlive the loop, and what belongs to the loop may not.
struct worker_impl::loop_end {
  explicit loop_end(worker_impl& w) : of(w) {}
  loop_end(const loop_end&) = delete;
  loop_end& operator=(const loop_end&) = delete;
  ~loop_end() {
    if (of.left_running_) return;
    // Where run() did not come to its end, functions may still run on threads, and use their jobs.
    of.roles_->runner.request_stop_of_all();
    of.roles_->threads.reset();
    of.roles_->processes.reset();
    of.listen_for_stop(false);
    of.connection_->close();
    of.roles_.reset();
    of.broker_.reset();
  }
  worker_impl& of;
};

awaitable<void> worker_impl::run() {
  if (phase_ != phase::created) throw std::logic_error("this quarq::worker has run already");
  check(setup);
  limit_durations(setup.options);
  phase_ = phase::starting;
  loop_ = co_await asio::this_coro::executor;
  name_ = host_and_pid();
  model::context_access::set_state(context_, setup.state);
  const auto& o = setup.options;
  if (o.log_lines == log_format::json) base::set_log_formatter(make_json_lines());
  traces_.begin(o);
  open_broker();
  choose_log();
  slots_.emplace(setup.options.concurrency, setup.options.max_jobs);
  roles_.emplace(*this, loop_);
  const loop_end at_the_end(*this);
  std::exception_ptr thrown;
  try {
    listen_for_stop(true);
    co_await start_unless_stopped();
    if (phase_ == phase::serving) co_await serve();
  } catch (...) {
    thrown = std::current_exception();
    hurry_ = true;
  }
  // Also when run() was cancelled: what it holds must be handed back.
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  co_await shut_down();
  if (thrown) std::rethrow_exception(thrown);
  if (roles_->group.failure()) std::rethrow_exception(roles_->group.failure());
}

void worker_impl::open_broker() {
  const auto& o = setup.options;
  std::optional<milliseconds> timeout;  // otherwise it waits for the broker for as long as it takes
  if (o.burst) timeout = o.burst_timeout;
  broker_ = environment_.open_broker(o.broker, loop_, timeout);
  const auto cancelled = [weak = weak_from_this()] {
    if (const auto self = weak.lock(); self && self->roles_) self->roles_->progress.set();
  };
  connection_ = std::make_shared<clients::worker_connection>(o.broker, broker_, loop_, cancelled);
  model::context_access::set_connection(context_, connection_);
}

void worker_impl::choose_log() {
  if (setup.options.log_lines == log_format::json) {
    log_ = &json_format();
    return;
  }
  log_ = broker_->about().log;
  if (!log_) log_ = &quarq_format();
  if (owns_process) base::set_log_pattern(log_->line_pattern());
}

// A worker may wait long for its broker, and must hear of a stop meanwhile.
awaitable<void> worker_impl::start_unless_stopped() {
  // stop() may have been called before there was a loop to hear of it.
  if (stop_requests_ > 0) on_stop();
  std::vector<awaitable<void>> both;
  both.push_back(start());
  both.push_back(watch_for_early_stop());
  try {
    co_await detail::run_all(std::move(both));
  } catch (const stopped_early&) {
    base::log().info("stopped before it served");
  }
}

awaitable<void> worker_impl::start() {
  begin_metrics();
  begin_watch();
  make_pools(*roles_);
  std::vector<std::string> warnings;
  std::string server;
  const auto ask = [&]() -> awaitable<void> {
    auto known = co_await broker_->warnings();
    warnings = std::move(known);
    auto said = co_await broker_->about_server();
    server = std::move(said);
  };
  co_await once_there_is_room(ask);
  for (const auto& w : warnings) base::log().warn("{}", w);
  const auto queues = queue_names(setup);
  const auto tasks = tasks_crons_last(setup);
  log_->starting(logged(queues, tasks), server);
  if (setup.on_startup) co_await run_hook(setup.on_startup, "on_startup");
  const auto open = [&] { return roles_->renewer.open(); };
  co_await once_there_is_room(open);
  log_->serving(logged(queues, tasks));
  spawn_roles();
  phase_ = phase::serving;
  if (on_serving) on_serving();
  roles_->progress.set();
}

// Repeats it while the store is full. Other errors can't get better: a broker waits by itself until it can be
// reached.
template <class F>
awaitable<void> worker_impl::once_there_is_room(const F& ask) {
  log_limiter complaints;
  const auto began = clock_.now();
  while (true) {
    try {
      co_await ask();
      co_return;
    } catch (const broker_error& e) {
      if (e.why() != broker_error::reason::full || is_overdue(began)) throw;
      if (complaints.may_log(clock_.now())) base::log().warn("waiting for the store: {}", e.what());
    }
    co_await sleep_for(clock_, settler::pause_after_error);
  }
}

// Whether a burst has had no answer for too long.
bool worker_impl::is_overdue(clock::time_point since) const {
  const auto& o = setup.options;
  return o.burst && clock_.now() - since >= o.burst_timeout;
}

// What it started may never get through, and its end would be waited for in vain: a burst must end.
awaitable<void> worker_impl::watch_contact() {
  auto& r = *roles_;
  const auto& o = setup.options;
  while (true) {
    auto last = clock_.now();
    for (const auto& l : r.leases) last = std::min(last, l.sure_until - o.lease);
    if (is_overdue(last)) {
      hurry_ = true;  // running jobs could not tell how they end
      throw broker_error(fmt::format("{}: no answer for {}: a burst gives up",
                                     broker::without_password(o.broker),
                                     base::human_duration(o.burst_timeout)));
    }
    co_await sleep_for(clock_, std::min(o.burst_timeout, contact_check_interval));
  }
}

void worker_impl::spawn_roles() {
  auto& r = *roles_;
  // Before a run is claimed: cron_gate asks for its queue, and a burst waits for the first plans.
  const bool plans = r.planner.assign_queues(setup.options.queues);
  r.group.spawn(r.claims.run());
  r.group.spawn(r.runner.watch_deadlines());
  if (plans) r.group.spawn(r.planner.run());
  if (setup.options.burst) r.group.spawn(watch_contact());
  r.group.spawn(r.renewer.run());
  r.group.spawn(report_counts());
  r.group.spawn(send_notes());
  for (auto& l : r.leases) r.group.spawn(r.settlements.run(l));
}

// With the rhythm of renewals, but beside them: a store that is slow with this must not cost the lease.
awaitable<void> worker_impl::report_counts() {
  auto& r = *roles_;
  while (true) {
    co_await r.renewed.wait();
    co_await r.counters.report(*broker_);
  }
}

// What a job says that ends within the interval goes with its end alone.
awaitable<void> worker_impl::send_notes() {
  auto& r = *roles_;
  while (true) {
    co_await r.runner.wait_for_notes();
    co_await sleep_for(clock_, notes_interval);
    auto all = r.runner.take_notes();
    for (auto& some : all) {
      try {
        co_await broker_->keep_notes(some.under, std::move(some.notes));
      } catch (const broker_error&) {
        // They come with the end of the job; a store without room for them may still have room for jobs.
      }
    }
  }
}

// From the start on: what waits for its broker is alive, and not ready.
void worker_impl::begin_metrics() {
  if (setup.options.metrics.empty()) return;
  observed_worker shown;
  shown.name = name_;
  shown.jobs = &roles_->counters;
  shown.state = [this] { return state_now(); };
  std::shared_ptr<metrics_endpoint> endpoint = make_endpoint(setup.options.metrics, std::move(shown));
  roles_->group.spawn(serve_metrics(std::move(endpoint)));
}

worker_state worker_impl::state_now() const {
  worker_state now;
  now.not_ready = why_not_ready();
  now.running = roles_->runner.running();
  now.waiting = roles_->runner.waiting_count();
  now.concurrency = setup.options.concurrency;
  now.leases_lost = leases_lost_;
  now.unrecorded = roles_->settlements.unrecorded();
  if (const auto* by = traces_.by()) now.spans = by->options().exporter->counts();
  auto left = setup.options.lease;
  for (const auto& l : roles_->leases) {
    const auto sure = l.is_held() ? l.sure_until - clock_.now() : clock::time_point::duration(0);
    left = std::min(left, std::chrono::duration_cast<milliseconds>(sure));
  }
  now.lease_left = std::max(left, milliseconds{0});
  return now;
}

std::string worker_impl::why_not_ready() const {
  if (phase_ == phase::starting) return "the worker is starting";
  if (phase_ != phase::serving || roles_->claims.is_stopped()) return "the worker is stopping";
  for (const auto& l : roles_->leases) {
    if (!l.is_sure(clock_.now()))
      return fmt::format("queue {}: the broker has not confirmed the lease in time", l.served.name);
  }
  return {};
}

void worker_impl::begin_watch() {
  auto& r = *roles_;
  const auto& o = setup.options;
  if (!environment_.has_watchdog || o.blocked_after == milliseconds{0}) return;
  r.watch.emplace(watchdog::params{
      loop_,
      {o.blocked_after, o.lease},
      [&r] { return r.renewer.last_renewed(); },
      [open = environment_.open_broker, url = o.broker,
       timeout = o.lease](const asio::any_io_executor& loop) { return open(url, loop, timeout); },
      [&r](clock::time_point kept_until) {
        for (auto& l : r.leases) l.sure_until = std::max(l.sure_until, kept_until);
      }});
}

// A hook that blocks the loop is named in the log as a job would be.
awaitable<void> worker_impl::run_hook(const worker::hook& what, const char* hook_name) {
  auto& watch = roles_->watch;
  const watchdog::running_hook running(watch ? &*watch : nullptr, hook_name);
  co_await what(context_);
}

awaitable<void> worker_impl::watch_for_early_stop() {
  while (phase_ == phase::starting && !roles_->claims.is_stopped()) co_await roles_->progress.wait();
  if (phase_ == phase::starting) throw stopped_early();
}

awaitable<void> worker_impl::serve() {
  auto& r = *roles_;
  while (!r.claims.is_stopped() && !r.group.failure()) co_await r.progress.wait();
}

awaitable<void> worker_impl::shut_down() {
  roles_->claims.stop();
  phase_ = phase::draining;
  if (on_draining) on_draining();
  co_await drain();
  phase_ = phase::handing_back;
  co_await hand_back();
  co_await end_roles();
  // The lease is closed: what still runs here counts for nothing, but its memory is ours.
  while (!roles_->runner.empty() && !owns_process) co_await roles_->progress.wait();
  left_running_ = !roles_->runner.empty();
  if (setup.on_shutdown) {
    try {
      co_await run_hook(setup.on_shutdown, "on_shutdown");
    } catch (const std::exception& e) {
      base::log().error("on_shutdown threw: {}: {}", base::type_name(typeid(e)), e.what());
    }
  }
  co_await traces_.end();
  roles_->watch.reset();
  listen_for_stop(false);
  phase_ = phase::stopped;
  log_->stopped(logged_stop_now());
}

awaitable<void> worker_impl::wait_progress(clock::time_point until) {
  return clock_.wait_until(roles_->progress, until);
}

// Without a limit, unless somebody asked for the end.
awaitable<void> worker_impl::drain() {
  auto& runner = roles_->runner;
  log_->stopping(logged_stop_now());
  while (!runner.empty() && !hurry_ && stop_requests_ == 0) co_await roles_->progress.wait();
  const auto& o = setup.options;
  const bool may_end = !hurry_ && o.shutdown_timeout > milliseconds{0};
  if (may_end) {
    if (stop_requests_ > 0) runner.return_waiting();
    const auto end = clock_.now() + o.shutdown_timeout;
    while (!runner.empty() && !hurry_ && clock_.now() < end) co_await wait_progress(end);
    log_->stop_timed_out(logged_stop_now());
  }
  runner.stop_all(model::stop_reason::shutdown);
  const auto end = clock_.now() + unwind_timeout;
  while (!runner.empty() && clock_.now() < end) co_await wait_progress(end);
  runner.abandon();
}

awaitable<void> worker_impl::hand_back() {
  auto& r = *roles_;
  const auto end = clock_.now() + hand_back_timeout;
  const auto is_done = [&] { return r.settlements.is_idle() && connection_->is_idle(); };
  while (!is_done() && clock_.now() < end) co_await wait_progress(end);
  co_await report_last_counts(end);
  co_await close_lease();
}

awaitable<void> worker_impl::report_last_counts(clock::time_point end) {
  const auto left = std::chrono::ceil<milliseconds>(end - clock_.now());
  if (left <= milliseconds{0}) co_return;
  try {
    co_await with_timeout(roles_->counters.report(*broker_), left);
  } catch (const error&) {
    // Operators miss the last second's counts; the jobs are what matters.
  }
}

awaitable<void> worker_impl::close_lease() {
  try {
    co_await with_timeout(roles_->renewer.close(), hand_back_timeout);
  } catch (const error& e) {
    base::log().warn("could not hand back the lease, it will run out by itself: {}", e.what());
  }
}

awaitable<void> worker_impl::end_roles() {
  auto& r = *roles_;
  r.group.close();
  r.settlements.abandon();
  while (!r.group.empty()) co_await r.progress.wait();
}

// Nothing runs here or is left to do: a burst may end.
bool worker_impl::is_idle() const {
  return roles_->runner.empty() && roles_->settlements.is_idle() && !roles_->planner.is_beginning();
}

// ---- being asked to stop

void worker_impl::stop(const char* asked_by) {
  stop_asked_by_ = asked_by;
  ++stop_requests_;
  // Without a loop to tell, start_unless_stopped() will see the count.
  const std::lock_guard lock(stop_mutex_);
  if (!stop_loop_) return;
  asio::post(*stop_loop_, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self && self->roles_) self->on_stop();
  });
}

void worker_impl::listen_for_stop(bool on) {
  const std::lock_guard lock(stop_mutex_);
  stop_loop_.reset();
  if (on) stop_loop_ = loop_;
}

void worker_impl::on_stop() {
  hurry_ = hurry_ || stop_requests_ > 1;
  roles_->claims.stop();
  roles_->progress.set();
}

// ---- what is said of it

broker::logged_worker worker_impl::logged(const std::vector<std::string>& queues,
                                          const std::vector<std::string>& tasks) const {
  return {name_, broker::without_password(setup.options.broker), queues, tasks, setup.options.concurrency};
}

broker::logged_stop worker_impl::logged_stop_now() const {
  broker::logged_stop l;
  l.name = name_;
  if (const char* who = stop_asked_by_) l.asked_by = who;
  l.ended = counts_.ended;
  l.done = counts_.done;
  l.running = roles_->runner.running();
  l.immediately = hurry_;
  l.timeout = setup.options.shutdown_timeout;
  return l;
}

std::string worker_impl::worker_info() const {
  std::string out;
  encoder e(out);
  e.map(6);
  e.text("worker");
  e.text(name_);
  e.text("running");
  e.unsigned_integer(roles_->runner.running());
  e.text("done");
  e.unsigned_integer(counts_.done);
  e.text("concurrency");
  e.unsigned_integer(setup.options.concurrency);
  e.text("waiting");
  e.unsigned_integer(roles_->runner.waiting_count());
  const auto waits = roles_->runner.first_waiting(max_waits_shown);
  e.text("waits");
  e.array(waits.size());
  for (const auto& w : waits) {
    e.array(3);
    e.text(w.id);
    e.text(w.awaited);
    e.unsigned_integer(w.more);
  }
  return out;
}

}  // namespace quarq::workers

namespace quarq {

worker::worker(worker_options options) : impl_(std::make_shared<workers::worker_impl>(std::move(options))) {}
worker::worker(std::shared_ptr<workers::worker_impl> impl) : impl_(std::move(impl)) {}
worker::~worker() = default;

worker_options& worker::options() noexcept {
  return impl_->setup.options;
}

// Programs add handlers in main(), where an exception would end them with a core dump: run() throws the first
// mistake.
void worker::add_handler(std::string task, detail::handler h) {
  auto& setup = impl_->setup;
  if (setup.mistake) return;
  try {
    workers::check(task, h);
    const auto [place, fresh] = setup.handlers.try_emplace(task, std::move(h));
    if (!fresh) throw usage_error("task \"" + task + "\" has a handler already");
    setup.tasks.push_back(std::move(task));
  } catch (const error& e) {
    setup.mistake = e.what();
  }
}

void worker::put_state(const std::type_info& type, std::shared_ptr<void> object) {
  impl_->setup.state.put(type, std::move(object));
}

worker& worker::handle(const handlers& those) {
  for (const auto& one : detail::handlers_access::all(those)) add_handler(one.task, one.call);
  return *this;
}

std::string_view worker::add_cron(const std::string& name, cron_options options) {
  auto& setup = impl_->setup;
  try {
    impl_->add_cron(name, std::move(options));
  } catch (const error& e) {
    if (!setup.mistake) setup.mistake = e.what();
    return {};
  }
  return setup.crons.find(std::string(cron::cron_prefix) + name)->first;
}

worker& worker::on_startup(hook f) {
  impl_->setup.on_startup = std::move(f);
  return *this;
}

worker& worker::on_shutdown(hook f) {
  impl_->setup.on_shutdown = std::move(f);
  return *this;
}

worker& worker::before_job(hook f) {
  impl_->setup.before_job = std::move(f);
  return *this;
}

worker& worker::after_job(end_hook f) {
  impl_->setup.after_job = std::move(f);
  return *this;
}

worker& worker::after_commit(end_hook f) {
  impl_->setup.after_commit = std::move(f);
  return *this;
}

awaitable<void> worker::run() {
  return impl_->run();
}
void worker::stop() {
  impl_->stop();
}
std::size_t worker::jobs_done() const noexcept {
  return impl_->jobs_done();
}

}  // namespace quarq
