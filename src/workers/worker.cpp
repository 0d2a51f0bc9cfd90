// A worker from its start to its end: hooks, leases, roles, and the orderly way out.
#include <algorithm>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <quarq/gather.hpp>
#include <quarq/msgpack.hpp>
#include <quarq/time.hpp>
#include <quarq/worker.hpp>

#include "base/log.hpp"
#include "base/text.hpp"
#include "clients/queue_core.hpp"
#include "workers/worker_core.hpp"

namespace quarq {
namespace detail {

namespace asio = boost::asio;

namespace {

// After running jobs were asked to stop: time for coroutines to unwind and for ends to be recorded.
constexpr milliseconds last_moments{500};
// For what still has to reach the broker when the worker ends.
constexpr milliseconds farewell{3'000};

std::string host_and_pid() {
  char host[256] = "?";
  ::gethostname(host, sizeof host - 1);
  return fmt::format("{}:{}", host, ::getpid());
}

// Ends the start of a worker that is asked to stop.
struct stopped_early {};

std::vector<std::string> queue_names(const std::vector<served_queue>& queues) {
  std::vector<std::string> names;
  for (const auto& q : queues) names.push_back(q.name);
  return names;
}

std::vector<std::string> crons_last(const std::vector<std::string>& tasks) {
  std::vector<std::string> sorted;
  for (const bool crons : {false, true}) {
    for (const auto& task : tasks) {
      if (task.starts_with(cron::cron_prefix) == crons) sorted.push_back(task);
    }
  }
  return sorted;
}

}  // namespace

awaitable<void> worker_core::run() {
  check();
  has_run = true;
  loop = co_await asio::this_coro::executor;
  name = host_and_pid();
  broker::open_options patient;
  patient.patience.reset();
  broker = broker::open(options.broker, loop, patient);
  log = workers::make_worker_log(broker->worker_log_style());
  if (is_the_program) base::set_log_pattern(log->line_pattern());
  wake.emplace(loop);
  const loop_end at_the_end(*this);
  std::exception_ptr thrown;
  try {
    listen_for_stop(true);
    co_await start_unless_stopped();
    if (up) co_await serve();
  } catch (...) {
    thrown = std::current_exception();
    stop_now = true;
  }
  // Also when run() was cancelled: what it holds must be handed back.
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  co_await shut_down();
  if (thrown) std::rethrow_exception(thrown);
  if (failure) std::rethrow_exception(failure);
}

// The worker may outlive the loop, and what belongs to the loop may not.
worker_core::loop_end::~loop_end() {
  if (core.left_running) return;
  // Where run() did not come to its end, functions may still run on threads, and use their jobs.
  for (auto& job : core.running) job.ctx.stop_source().request_stop();
  core.threads.reset();
  core.processes.reset();
  core.listen_for_stop(false);
  core.deadlines.clear();
  core.role_cancels.clear();
  core.running.clear();
  core.asides.clear();
  core.lanes.clear();
  core.wake.reset();
  core.broker.reset();
}

void worker_core::check() const {
  if (has_run) throw std::logic_error("this quarq::worker has run already");
  if (handlers.empty())
    throw invalid_argument("a worker needs at least one handler: worker.handle(task, function)");
  if (options.queues.empty()) throw invalid_argument("a worker needs at least one queue");
  for (const auto& q : options.queues) {
    check_queue_name(q.name);
    if (q.weight < 1)
      throw invalid_argument(fmt::format("queue {}: weight: expected at least 1, got {}", q.name, q.weight));
  }
  if (options.concurrency == 0) throw invalid_argument("option concurrency: expected at least 1, got 0");
  if (options.lease < milliseconds{1'000}) {
    throw invalid_argument(
        fmt::format("option lease: expected at least 1000 ms, got {}", options.lease.count()));
  }
}

awaitable<void> worker_core::start() {
  make_places();
  for (const auto& q : options.queues) lanes.emplace_back(q, loop);
  const auto warnings = co_await broker->warnings();
  for (const auto& w : warnings) base::log().warn("{}", w);
  const auto names = queue_names(options.queues);
  const auto known = crons_last(tasks);
  const auto server = co_await broker->about_server();
  log->starting(logged(names, known), server);
  if (on_startup) co_await on_startup(own_context);
  for (auto& l : lanes) co_await open(l);
  log->serving(logged(names, known));
  spawn(fetch());
  spawn(watch_deadlines());
  begin_crons();
  for (auto& l : lanes) {
    spawn(renew(l));
    spawn(send_settlements(l));
  }
  up = true;
  wake->ended.set();
}

void worker_core::make_places() {
  const auto any = [this](auto handler::* kind) {
    return std::any_of(handlers.begin(), handlers.end(), [&](const auto& h) { return !!(h.second.*kind); });
  };
  if (any(&handler::on_loop)) on_loop.max = options.concurrency;
  if (any(&handler::on_thread)) {
    thread_pool_options like;
    like.size = options.threads;
    like.name = "worker";
    threads.emplace(like);
    // One waits for each that runs, so that threads don't wait for the broker.
    on_threads.max = 2 * threads->size();
  }
  if (any(&handler::in_process)) {
    process_pool_options like;
    like.size = options.processes;
    processes.emplace(like);
    in_processes.max = processes->size();
  }
}

// A worker may wait long for its broker, and must hear of a stop meanwhile.
awaitable<void> worker_core::start_unless_stopped() {
  // stop() may have been called before there was a loop to hear of it.
  if (stop_requests > 0) on_stop();
  std::vector<awaitable<void>> both;
  both.push_back(start());
  both.push_back(watch_for_early_stop());
  try {
    co_await run_all(std::move(both));
  } catch (const stopped_early&) {
    base::log().info("stopped before it served");
  }
}

awaitable<void> worker_core::watch_for_early_stop() {
  while (!up && !stopping) co_await wake->ended.wait();
  if (!up) throw stopped_early();
}

awaitable<void> worker_core::serve() {
  while (!stopping && !failure) co_await wake->ended.wait();
}

awaitable<void> worker_core::shut_down() {
  stopping = true;
  wake->fetch.set();
  co_await finish_running();
  co_await hand_back();
  co_await end_roles();
  // Their leases are closed: what still runs here counts for nothing, but its memory is ours.
  while (!running.empty() && !is_the_program) co_await wake->ended.wait();
  left_running = !running.empty();
  if (on_shutdown) {
    try {
      co_await on_shutdown(own_context);
    } catch (const std::exception& e) {
      base::log().error("on_shutdown threw: {}: {}", base::type_name(typeid(e)), e.what());
    }
  }
  listen_for_stop(false);
  log->stopped(logged_stop());
}

awaitable<void> worker_core::finish_running() {
  const auto wait_until = [this](steady::time_point end) -> awaitable<void> {
    return wake->ended.wait_for(
        std::max(std::chrono::ceil<milliseconds>(end - steady::now()), milliseconds{1}));
  };
  log->stopping(logged_stop());
  const bool may_end = !stop_now && options.grace > milliseconds{0};
  if (may_end) {
    const auto end = steady::now() + options.grace;
    while (!running.empty() && !stop_now && steady::now() < end) co_await wait_until(end);
    log->grace_over(logged_stop());
  }
  for (auto& job : running) stop_job(job, model::stop_reason::shutdown);
  const auto end = steady::now() + last_moments;
  while (!running.empty() && steady::now() < end) co_await wait_until(end);
  // Whatever is left is handed back with its lease; its own end must not be recorded after that.
  for (auto& job : running) {
    if (job.settled) continue;
    log->left_running(logged(job));
    job.settled = true;
  }
}

awaitable<void> worker_core::hand_back() {
  const auto end = steady::now() + farewell;
  while (!settled() && steady::now() < end) {
    const auto left = std::max(std::chrono::ceil<milliseconds>(end - steady::now()), milliseconds{1});
    co_await wake->ended.wait_for(left);
  }
  for (auto& l : lanes) {
    if (l.lease.token.empty()) continue;
    try {
      co_await with_timeout(broker->close_lease(l.lease), farewell);
    } catch (const error& e) {
      base::log().warn("queue {}: could not hand back the lease, it will run out by itself: {}",
                       l.served.name, e.what());
    }
  }
}

awaitable<void> worker_core::end_roles() {
  closing = true;
  for (auto& cancel : role_cancels) cancel.emit(asio::cancellation_type::terminal);
  for (auto& a : asides) a.cancel.emit(asio::cancellation_type::terminal);
  for (auto& l : lanes) {
    for (auto& [id, waiting] : l.unrecorded) waiting->answered.set();
    l.unrecorded.clear();
  }
  while (roles > 0) co_await wake->ended.wait();
}

void worker_core::spawn(awaitable<void> role) {
  ++roles;
  auto& cancel = role_cancels.emplace_back();
  asio::co_spawn(
      loop, std::move(role),
      asio::bind_cancellation_slot(cancel.slot(), [self = shared_from_this()](std::exception_ptr e) {
        --self->roles;
        if (e && !self->closing) self->failure = e;
        self->wake->ended.set();
      }));
}

void worker_core::stop(const char* asked_by) {
  stop_asked_by = asked_by;
  ++stop_requests;
  // Without a loop to tell, serve() will see the count.
  const std::lock_guard lock(stop_mutex);
  if (!stop_loop) return;
  asio::post(*stop_loop, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->on_stop();
  });
}

void worker_core::listen_for_stop(bool on) {
  const std::lock_guard lock(stop_mutex);
  stop_loop.reset();
  if (on) stop_loop = loop;
}

void worker_core::on_stop() {
  stopping = true;
  stop_now = stop_requests > 1;
  wake->fetch.set();
  wake->ended.set();
}

bool worker_core::settled() const noexcept {
  return std::all_of(lanes.begin(), lanes.end(),
                     [](const lane& l) { return l.outbox.empty() && l.in_flight.empty(); });
}

workers::logged_worker worker_core::logged(const std::vector<std::string>& queues,
                                           const std::vector<std::string>& known) const {
  return {name, broker::without_password(options.broker), queues, known, options.concurrency};
}

workers::logged_stop worker_core::logged_stop() const {
  workers::logged_stop l;
  l.name = name;
  if (const char* who = stop_asked_by) l.asked_by = who;
  l.ended = tries_ended;
  l.done = done;
  l.running = running.size();
  l.at_once = stop_now;
  l.grace = options.grace;
  return l;
}

std::string worker_core::card() const {
  std::string out;
  encoder e(out);
  e.map(4);
  e.text("worker");
  e.text(name);
  e.text("running");
  e.unsigned_integer(running.size());
  e.text("done");
  e.unsigned_integer(done);
  e.text("concurrency");
  e.unsigned_integer(options.concurrency);
  return out;
}

}  // namespace detail

std::string_view to_string(level where) noexcept {
  switch (where) {
    case level::loop:
      return "loop";
    case level::thread:
      return "thread";
    case level::process:
      return "process";
  }
  return "?";
}

void detail::check_options(std::string_view task, const handler_options& options) {
  if (!options.memory_limit || options.on == level::process) return;
  throw invalid_argument(fmt::format(
      "task \"{}\": option memory_limit: it limits a process of its own, which needs on = level::process",
      task));
}

worker::worker(worker_options options) : core_(std::make_shared<detail::worker_core>(std::move(options))) {}
worker::~worker() = default;

worker_options& worker::options() noexcept {
  return core_->options;
}

void worker::add_handler(std::string task, detail::handler h) {
  detail::check_options(task, h.options);
  const auto [place, fresh] = core_->handlers.try_emplace(task, std::move(h));
  if (!fresh) throw invalid_argument("task \"" + task + "\" has a handler already");
  core_->tasks.push_back(std::move(task));
}

std::string_view worker::add_cron(const std::string& name, cron_options options) {
  core_->add_cron(name, std::move(options));
  return core_->crons.find(std::string(cron::cron_prefix) + name)->first;
}

worker& worker::on_startup(hook f) {
  core_->on_startup = std::move(f);
  return *this;
}

worker& worker::on_shutdown(hook f) {
  core_->on_shutdown = std::move(f);
  return *this;
}

worker& worker::before_job(hook f) {
  core_->before_job = std::move(f);
  return *this;
}

worker& worker::after_recorded(end_hook f) {
  core_->after_recorded = std::move(f);
  return *this;
}

worker& worker::after_job(end_hook f) {
  core_->after_job = std::move(f);
  return *this;
}

awaitable<void> worker::run() {
  return core_->run();
}
void worker::stop() {
  core_->stop();
}
std::size_t worker::jobs_done() const noexcept {
  return core_->done;
}

}  // namespace quarq
