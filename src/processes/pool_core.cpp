#include "processes/pool_core.hpp"

#include <algorithm>
#include <utility>

#include <quarq/errors.hpp>

#include "processes/entry.hpp"
#include "processes/function_place.hpp"

namespace quarq::processes {

namespace {

// A child that never gets ready so often in a row will not.
constexpr int max_failed_starts = 3;
// One that dies idle, unused and younger than this is not replaced before it is needed: the next might do the
// same, and so on.
constexpr std::chrono::seconds childhood(1);

using events = std::vector<std::shared_ptr<async::handoff>>;

void tell(const events& happened) {
  for (const auto& event : happened) event->complete();
}

}  // namespace

// ---- place

pool_core::place::place(std::shared_ptr<pool_core> pool, const boost::asio::any_io_executor& loop)
    : pool_(std::move(pool)), event_(std::make_shared<async::handoff>(loop)) {
  events happened;
  {
    const lock held(pool_->mutex_);
    pool_->waiting_.push_back(this);
    if (pool_->closed_) {
      pool_->fail_waiting({}, happened);
    } else {
      // A child may have become idle since try_take.
      if (!pool_->idle_.empty()) {
        const auto one = std::move(pool_->idle_.back());
        pool_->idle_.pop_back();
        pool_->offer(one, happened);
      }
      const auto waiting = pool_->waiting_.size();
      const auto needed = waiting > pool_->starting_ ? waiting - pool_->starting_ : 0;
      pool_->wanted_ = std::max(pool_->wanted_, std::min(pool_->options_.size, pool_->living_ + needed));
      pool_->start_missing();
      pool_->fail_if_alone(happened);
    }
  }
  tell(happened);
}

pool_core::place::~place() {
  std::shared_ptr<pool_child> given;
  {
    const lock held(pool_->mutex_);
    if (queued_) std::erase(pool_->waiting_, this);
    queued_ = false;
    given = std::move(given_);
  }
  // It got one and could not use it.
  if (!given) return;
  events happened;
  {
    const lock held(pool_->mutex_);
    if (given->now == state::busy) pool_->offer(given, happened);
  }
  tell(happened);
}

void pool_core::place::leave() noexcept {
  {
    const lock held(pool_->mutex_);
    if (!std::exchange(queued_, false)) return;
    std::erase(pool_->waiting_, this);
  }
  event_->complete();
}

std::shared_ptr<pool_child> pool_core::place::take() {
  const lock held(pool_->mutex_);
  if (failure_) std::rethrow_exception(failure_);
  return std::move(given_);
}

// ---- pool_core

pool_core::pool_core(process_pool_options options) : options_(std::move(options)) {}

std::vector<int> pool_core::pids() const {
  const lock held(mutex_);
  std::vector<int> result;
  for (const auto& one : children_) {
    const bool in_service = one->now != state::retired && one->now != state::ended;
    if (one->process && in_service) result.push_back(one->process->pid());
  }
  return result;
}

bool pool_core::is_closed() const {
  const lock held(mutex_);
  return closed_;
}

std::shared_ptr<pool_child> pool_core::try_take() {
  const lock held(mutex_);
  if (closed_ || idle_.empty() || !keeper_is_ours()) return nullptr;
  auto one = std::move(idle_.back());
  idle_.pop_back();
  one->now = state::busy;
  return one;
}

void pool_core::offer(const child_ptr& one, events& happened) {
  if (waiting_.empty()) {
    one->now = state::idle;
    idle_.push_back(one);
    return;
  }
  one->now = state::busy;
  place* const first = waiting_.front();
  waiting_.pop_front();
  first->queued_ = false;
  first->given_ = one;
  happened.push_back(first->event_);
}

void pool_core::fail_waiting(const std::string& why, events& happened) {
  const auto failure =
      closed_ ? std::make_exception_ptr(cancelled("the process pool \"" + options_.name + "\" was destroyed"))
              : std::make_exception_ptr(worker_lost("the process pool \"" + options_.name + "\": " + why));
  for (place* const one : waiting_) {
    one->queued_ = false;
    one->failure_ = failure;
    happened.push_back(one->event_);
  }
  waiting_.clear();
}

// Nobody would ever come.
void pool_core::fail_if_alone(events& happened) {
  if (living_ == 0 && !waiting_.empty())
    fail_waiting("no process can be started: " + last_failure_, happened);
}

void pool_core::remove_from_service(const child_ptr& one) {
  if (one->now == state::retired || one->now == state::ended) return;
  if (one->now == state::starting) --starting_;
  if (one->now == state::idle) std::erase(idle_, one);
  one->now = state::retired;
  --living_;
}

void pool_core::give_back(const child_ptr& one, bool retire) noexcept {
  events happened;
  {
    const lock held(mutex_);
    ++one->calls;
    if (one->now != state::busy) return;
    if (retire || (options_.max_calls > 0 && one->calls >= options_.max_calls)) {
      remove_from_service(one);
      // It ends by itself when nobody can call it any more.
      one->connection.close();
      start_missing();
    } else {
      offer(one, happened);
    }
  }
  tell(happened);
}

void pool_core::discard(const child_ptr& one) noexcept {
  const lock held(mutex_);
  if (one->process && one->now != state::ended) one->process->kill();
  remove_from_service(one);
  start_missing();
}

bool pool_core::tell_end(const child_ptr& one, std::shared_ptr<async::handoff> event) {
  const lock held(mutex_);
  if (one->end) return false;
  one->to_tell.push_back(std::move(event));
  return true;
}

process_end pool_core::end_of(const child_ptr& one) const {
  const lock held(mutex_);
  return one->end.value_or(process_end{});
}

void pool_core::close() noexcept {
  if (!keeper_is_ours()) return;
  events happened;
  {
    const lock held(mutex_);
    closed_ = true;
    idle_.clear();
    for (const auto& one : children_) {
      if (one->process) one->process->kill();
    }
    fail_waiting({}, happened);
  }
  tell(happened);
  {
    lock held(mutex_);
    if (!was_used_) return;
    gone_.wait(held, [&] { return children_.empty(); });
  }
  wait_for_keeper();
}

// ---- starting and ending

void pool_core::start_missing() noexcept {
  try {
    while (!closed_ && living_ < wanted_) start_one();
  } catch (const std::exception& e) {
    // Out of descriptors or memory: with the next call that needs one.
    wanted_ = living_;
    last_failure_ = e.what();
  }
}

void pool_core::start_one() {
  auto [ours, childs] = make_socket_pair();
  const auto one = std::make_shared<pool_child>(std::move(ours));
  const auto self = shared_from_this();
  spawn_options options;
  options.name = options_.name;
  options.socket = std::move(childs);
  options.on_start = [self, one](std::shared_ptr<child> process) { self->on_start(one, std::move(process)); };
  options.on_failure = [self, one](const std::string& why) { self->on_end(one, std::nullopt, why); };
  options.on_end = [self, one](process_end end) { self->on_end(one, end, {}); };
  spawn_async(std::move(options));
  children_.push_back(one);
  was_used_ = true;
  ++living_;
  ++starting_;
}

void pool_core::on_start(const child_ptr& one, std::shared_ptr<child> process) {
  {
    const lock held(mutex_);
    one->process = std::move(process);
    if (closed_) one->process->kill();
  }
  watch_once(one->connection.socket(), [self = shared_from_this(), one] { self->on_readable(one); });
}

void pool_core::on_readable(const child_ptr& one) {
  events happened;
  try {
    message hello;
    const auto got = one->connection.receive(hello, false);
    if (got == link::progress::blocked)
      return watch_once(one->connection.socket(),
                        [self = shared_from_this(), one] { self->on_readable(one); });
    if (got == link::progress::broken) return;  // on_end tells why
    if (hello.header.kind != frame_kind::hello) throw decode_error("process frame: no hello came first");
    check_hello(hello.body, program_build_id());
    const lock held(mutex_);
    if (closed_ || one->now != state::starting) return;
    --starting_;
    failed_starts_ = 0;
    one->ready_at = std::chrono::steady_clock::now();
    offer(one, happened);
  } catch (const std::exception&) {
    one->process->kill();
  }
  tell(happened);
}

void pool_core::on_end(const child_ptr& one, std::optional<process_end> end, const std::string& why) {
  events happened;
  {
    const lock held(mutex_);
    const state before = one->now;
    remove_from_service(one);
    one->now = state::ended;
    one->end = end.value_or(process_end{});
    // What the child has forked may hold its side of the socket open.
    one->connection.hang_up();
    happened.swap(one->to_tell);
    std::erase(children_, one);
    const bool never_used = before == state::idle && one->calls == 0 &&
                            std::chrono::steady_clock::now() - one->ready_at < childhood;
    if (never_used && wanted_ > 0) --wanted_;
    if (before == state::starting && ++failed_starts_ >= max_failed_starts) {
      failed_starts_ = 0;
      wanted_ = living_;
      const std::string reason = end ? "it " + to_text(*end) + " before it was ready" : why;
      // Calls can wait for those that serve.
      if (living_ == starting_) fail_waiting("its processes can't be started: " + reason, happened);
    } else if (!waiting_.empty()) {
      // Whoever waits needs one, even if the last few died idle.
      wanted_ = std::max(wanted_, std::min(options_.size, living_ + 1));
    }
    start_missing();
    fail_if_alone(happened);
    gone_.notify_all();
  }
  tell(happened);
}

}  // namespace quarq::processes
