#include "processes/process_pool_impl.hpp"

#include <algorithm>
#include <thread>
#include <utility>

#include <quarq/errors.hpp>

#include "base/assert.hpp"
#include "processes/child_entry.hpp"
#include "processes/function_id.hpp"

namespace quarq::processes {

namespace {

// After so many children in a row that never got ready, waiting calls fail.
constexpr int max_failed_starts = 3;
// A child that dies idle, unused and younger than this is not replaced until it is needed: its successors
// might die in the same way, without end.
constexpr std::chrono::seconds min_child_lifetime(1);

using events = std::vector<std::shared_ptr<async::completion>>;

void complete_all(const events& completions) {
  for (const auto& event : completions) event->complete();
}

}  // namespace

// ---- wait_ticket

process_pool_impl::wait_ticket::wait_ticket(std::shared_ptr<process_pool_impl> pool,
                                            const boost::asio::any_io_executor& loop)
    : pool_(std::move(pool)), event_(std::make_shared<async::completion>(loop)) {
  events completions;
  {
    const lock held(pool_->mutex_);
    pool_->waiting_.push_back(*this);
    ++pool_->waiting_count_;
    if (pool_->closed_) {
      pool_->fail_waiting({}, completions);
    } else {
      // A child may have become idle since try_take().
      if (!pool_->idle_.empty()) {
        const auto one = std::move(pool_->idle_.back());
        pool_->idle_.pop_back();
        pool_->offer(one, completions);
      }
      const auto waiting = pool_->waiting_count_;
      const auto needed = waiting > pool_->starting_ ? waiting - pool_->starting_ : 0;
      pool_->wanted_ = std::max(pool_->wanted_, std::min(pool_->options_.size, pool_->living_ + needed));
      pool_->start_missing();
      pool_->fail_if_alone(completions);
    }
  }
  complete_all(completions);
}

process_pool_impl::wait_ticket::~wait_ticket() {
  if (!pool_->owner_.is_this_one()) return;
  std::shared_ptr<pool_child> unused;
  {
    const lock held(pool_->mutex_);
    if (queued_) pool_->leave_queue(*this);
    unused = std::move(assigned_);
  }
  // A child was assigned, but its call is gone.
  if (!unused) return;
  events completions;
  {
    const lock held(pool_->mutex_);
    if (unused->now == state::busy) pool_->offer(unused, completions);
  }
  complete_all(completions);
}

void process_pool_impl::wait_ticket::leave() noexcept {
  if (pool_->owner_.is_this_one()) {
    const lock held(pool_->mutex_);
    if (!queued_) return;
    pool_->leave_queue(*this);
  }
  event_->complete();
}

std::shared_ptr<pool_child> process_pool_impl::wait_ticket::take() {
  const lock held(pool_->mutex_);
  if (failure_) std::rethrow_exception(failure_);
  return std::move(assigned_);
}

// ---- process_pool_impl

namespace {

process_pool_options checked(process_pool_options options) {
  check_entry();
  if (options.size == 0) options.size = std::max(1u, std::thread::hardware_concurrency());
  return options;
}

}  // namespace

process_pool_impl::process_pool_impl(process_pool_options options) : options_(checked(std::move(options))) {}

void process_pool_impl::require_owner() const {
  if (owner_.is_this_one()) return;
  throw error("the process pool \"" + options_.name +
              "\" can't be used in a copy of its process that fork() made: make another one there");
}

std::vector<int> process_pool_impl::pids() const {
  require_owner();
  const lock held(mutex_);
  std::vector<int> result;
  for (const auto& one : children_) {
    const bool in_service = one->now != state::retired && one->now != state::ended;
    if (one->process && in_service) result.push_back(one->process->pid());
  }
  return result;
}

bool process_pool_impl::is_closed() const {
  const lock held(mutex_);
  return closed_;
}

// Every child that can serve, now or soon, is either starting, idle or busy.
bool process_pool_impl::is_consistent() const {
  std::size_t starting = 0, idle = 0, busy = 0;
  for (const auto& one : children_) {
    starting += one->now == state::starting;
    idle += one->now == state::idle;
    busy += one->now == state::busy;
  }
  return idle + busy + starting == living_ && starting == starting_ && (closed_ || idle == idle_.size());
}

std::shared_ptr<pool_child> process_pool_impl::try_take() {
  const lock held(mutex_);
  if (closed_ || idle_.empty()) return nullptr;
  auto one = std::move(idle_.back());
  idle_.pop_back();
  one->now = state::busy;
  QUARQ_ASSERT(is_consistent());
  return one;
}

void process_pool_impl::offer(const child_ptr& one, events& completions) {
  if (waiting_.empty()) {
    one->now = state::idle;
    idle_.push_back(one);
    return;
  }
  one->now = state::busy;
  wait_ticket& first = waiting_.front();
  leave_queue(first);
  first.assigned_ = one;
  completions.push_back(first.event_);
}

void process_pool_impl::leave_queue(wait_ticket& one) noexcept {
  QUARQ_ASSERT(one.queued_ && waiting_count_ > 0);
  waiting_.remove(one);
  --waiting_count_;
  one.queued_ = false;
}

void process_pool_impl::fail_waiting(const std::string& why, events& completions) {
  const auto failure =
      closed_ ? std::make_exception_ptr(cancelled("the process pool \"" + options_.name + "\" was destroyed"))
              : std::make_exception_ptr(worker_lost("the process pool \"" + options_.name + "\": " + why));
  while (!waiting_.empty()) {
    wait_ticket& one = waiting_.front();
    leave_queue(one);
    one.failure_ = failure;
    completions.push_back(one.event_);
  }
}

// Without a living child, nothing would ever wake the waiting calls.
void process_pool_impl::fail_if_alone(events& completions) {
  if (living_ == 0 && !waiting_.empty())
    fail_waiting("no process can be started: " + last_failure_, completions);
}

void process_pool_impl::remove_from_service(const child_ptr& one) {
  if (one->now == state::retired || one->now == state::ended) return;
  if (one->now == state::starting) --starting_;
  if (one->now == state::idle) std::erase(idle_, one);
  one->now = state::retired;
  --living_;
}

void process_pool_impl::give_back(const child_ptr& one, bool retire) noexcept {
  if (!owner_.is_this_one()) return;
  events completions;
  {
    const lock held(mutex_);
    ++one->calls;
    if (one->now != state::busy) return;
    if (retire || (options_.max_calls > 0 && one->calls >= options_.max_calls)) {
      remove_from_service(one);
      // The child ends by itself when its socket is closed.
      one->connection.close();
      start_missing();
    } else {
      offer(one, completions);
    }
    QUARQ_ASSERT(is_consistent());
  }
  complete_all(completions);
}

void process_pool_impl::discard(const child_ptr& one) noexcept {
  if (!owner_.is_this_one()) return;
  const lock held(mutex_);
  if (one->now != state::ended) {
    end_one(*one);
  }
  remove_from_service(one);
  start_missing();
  QUARQ_ASSERT(is_consistent());
}

bool process_pool_impl::notify_at_end(const child_ptr& one, std::shared_ptr<async::completion> event) {
  const lock held(mutex_);
  if (one->end) return false;
  one->end_waiters.push_back(std::move(event));
  return true;
}

void process_pool_impl::kill_silent(const child_ptr& one) noexcept {
  if (!owner_.is_this_one()) return;
  events completions;
  {
    const lock held(mutex_);
    if (one->end) return;
    one->may_be_killed = one->process->kill();
    one->was_killed = one->may_be_killed;
    if (!one->may_be_killed) completions.swap(one->end_waiters);
  }
  complete_all(completions);
}

std::string process_pool_impl::end_of(const child_ptr& one) const {
  const lock held(mutex_);
  if (!one->may_be_killed) return "closed its connection, and may not be killed by this user,";
  if (one->was_killed) return "closed its connection, and was killed";
  return to_text(one->end.value_or(process_end{}));
}

// REQUIRES: it has not ended. An idle child ends when it is hung up on, a busy one that may not be killed when
// its call does.
void process_pool_impl::end_one(pool_child& one) noexcept {
  const bool was_killed = !one.process || one.process->kill();
  if (!was_killed && one.now == state::busy) one.runs_unkilled = true;
  one.connection.hang_up();
}

void process_pool_impl::close() noexcept {
  if (!owner_.is_this_one()) return;
  events completions;
  {
    const lock held(mutex_);
    closed_ = true;
    idle_.clear();
    // Those that are being started are killed when they have started.
    for (const auto& one : children_) end_one(*one);
    fail_waiting({}, completions);
  }
  complete_all(completions);
  {
    lock held(mutex_);
    if (!was_used_) return;
    const auto may_be_left = [](const auto& one) { return one->runs_unkilled; };
    gone_.wait(held, [&] { return std::all_of(children_.begin(), children_.end(), may_be_left); });
  }
  drain_supervisor();
}

// ---- starting and ending

void process_pool_impl::start_missing() noexcept {
  try {
    while (!closed_ && living_ < wanted_) start_one();
  } catch (const std::exception& e) {
    // Out of descriptors or memory: the next call that needs a child tries again.
    wanted_ = living_;
    last_failure_ = e.what();
  }
}

void process_pool_impl::start_one() {
  auto [ours, theirs] = make_socket_pair();
  const auto one = std::make_shared<pool_child>(std::move(ours));
  const auto self = shared_from_this();
  spawn_options options;
  options.name = options_.name;
  options.socket = std::move(theirs);
  options.on_start = [self, one](std::shared_ptr<child_process> process) {
    self->on_start(one, std::move(process));
  };
  options.on_failure = [self, one](const std::string& why) { self->on_end(one, std::nullopt, why); };
  options.on_end = [self, one](process_end end) { self->on_end(one, end, {}); };
  spawn_async(std::move(options));
  children_.push_back(one);
  was_used_ = true;
  ++living_;
  ++starting_;
}

void process_pool_impl::on_start(const child_ptr& one, std::shared_ptr<child_process> process) {
  {
    const lock held(mutex_);
    one->process = std::move(process);
    if (closed_) one->process->kill();
  }
  watch_once(one->connection.socket(), [self = shared_from_this(), one] { self->on_readable(one); });
}

void process_pool_impl::on_readable(const child_ptr& one) {
  events completions;
  try {
    message hello;
    const auto got = one->connection.receive(hello, false);
    if (got == ipc_channel::progress::blocked)
      return watch_once(one->connection.socket(),
                        [self = shared_from_this(), one] { self->on_readable(one); });
    if (got == ipc_channel::progress::broken) return;  // on_end reports why
    if (hello.header.kind != frame_kind::hello) throw decode_error("process frame: no hello came first");
    check_hello(hello.body, program_build_id());
    const lock held(mutex_);
    if (closed_ || one->now != state::starting) return;
    --starting_;
    failed_starts_ = 0;
    one->ready_at = std::chrono::steady_clock::now();
    offer(one, completions);
    QUARQ_ASSERT(is_consistent());
  } catch (const std::exception&) {
    one->process->kill();
  }
  complete_all(completions);
}

void process_pool_impl::on_end(const child_ptr& one, std::optional<process_end> end, const std::string& why) {
  events completions;
  {
    const lock held(mutex_);
    const state before = one->now;
    remove_from_service(one);
    one->now = state::ended;
    one->end = end.value_or(process_end{});
    // A process forked by the child may hold its end of the socket open.
    one->connection.hang_up();
    completions.swap(one->end_waiters);
    std::erase(children_, one);
    const bool never_used = before == state::idle && one->calls == 0 &&
                            std::chrono::steady_clock::now() - one->ready_at < min_child_lifetime;
    if (never_used && wanted_ > 0) --wanted_;
    if (before == state::starting && ++failed_starts_ >= max_failed_starts) {
      failed_starts_ = 0;
      wanted_ = living_;
      const std::string reason = end ? "it " + to_text(*end) + " before it was ready" : why;
      // Otherwise calls wait for the children that are ready.
      if (living_ == starting_) fail_waiting("its processes can't be started: " + reason, completions);
    } else if (!waiting_.empty()) {
      // The waiting calls need a child, even if the last few died idle.
      wanted_ = std::max(wanted_, std::min(options_.size, living_ + 1));
    }
    start_missing();
    fail_if_alone(completions);
    QUARQ_ASSERT(is_consistent());
    gone_.notify_all();
  }
  complete_all(completions);
}

}  // namespace quarq::processes
