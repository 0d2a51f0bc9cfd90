#include "clients/shared_loop.hpp"

#include <stdexcept>
#include <utility>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include <quarq/errors.hpp>

#include "async/idle_work_source.hpp"
#include "base/signals.hpp"

namespace quarq::clients {

namespace asio = boost::asio;

shared_loop::shared_loop() {
  loop_.emplace(1);
  open_.emplace(loop_->get_executor());
  thread_ = base::start_thread_without_signals([this] { run_when_idle(); });
}

shared_loop::~shared_loop() {
  close();
}

// ---- calls

void shared_loop::run(awaitable<void> work) {
  if (async::is_in_run())
    throw std::logic_error("a quarq::client was called from a coroutine: co_await a quarq::queue instead");
  waiting_call me;
  lock held(mutex_);
  if (closed_) throw closed_error("the client was closed");
  ++inside_;
  begin(me, std::move(work));
  while (!me.ended) {
    if (is_run_) {
      me.wake.wait(held);
    } else {
      run_until_ended(me, held);
    }
  }
  last_used_ = clock::now();
  pass_on();
  if (--inside_ == 0 && closed_) all_left_.notify_all();
  held.unlock();
  if (me.failure && me.cancelled) throw closed_error("the client was closed");
  if (me.failure) std::rethrow_exception(me.failure);
}

void shared_loop::begin(waiting_call& me, awaitable<void> work) {
  calls_.push_back(&me);
  const auto end = [this, &me](std::exception_ptr failure) {
    me.failure = std::move(failure);
    ending_.push_back(&me);
  };
  if (thread_runs_it_) thread_must_leave_ = true;
  asio::co_spawn(*loop_, std::move(work), asio::bind_cancellation_slot(me.cancel.slot(), end));
}

void shared_loop::run_until_ended(waiting_call& me, lock& held) {
  is_run_ = true;
  held.unlock();
  while (!me.ended) run_one();
  held.lock();
  is_run_ = false;
}

// Its thread may destroy a call as soon as it can see its end: by then, the frames of its coroutine must be gone, and
// the condition be notified.
void shared_loop::run_one() {
  loop_->run_one();
  if (ending_.empty()) return;
  const std::lock_guard held(mutex_);
  for (auto* each : ending_) {
    calls_.remove(each);
    each->ended = true;
    each->wake.notify_one();
  }
  ending_.clear();
}

// Somebody must run the loop while there are calls.
void shared_loop::pass_on() {
  if (is_run_) return;
  if (!calls_.empty()) {
    calls_.front()->wake.notify_one();
  } else if (thread_sleeps_) {
    thread_wake_.notify_one();
  }
}

// ---- between calls

void shared_loop::run_when_idle() {
  lock held(mutex_);
  while (!closed_) {
    if (is_run_ || !calls_.empty()) {
      thread_sleeps_ = true;
      thread_wake_.wait(held);
      thread_sleeps_ = false;
    } else if (const auto idle_at = last_used_ + warm; clock::now() < idle_at) {
      thread_wake_.wait_until(held, idle_at);
    } else {
      is_run_ = thread_runs_it_ = true;
      held.unlock();
      while (!thread_must_leave_) run_one();
      held.lock();
      is_run_ = thread_runs_it_ = thread_must_leave_ = false;
      last_used_ = clock::now();
      pass_on();
    }
  }
}

// ---- the end

void shared_loop::cancel_all() {
  std::vector<waiting_call*> all;
  {
    const std::lock_guard held(mutex_);
    all.assign(calls_.begin(), calls_.end());
  }
  for (auto* each : all) {
    each->cancelled = true;
    each->cancel.emit(asio::cancellation_type::terminal);
  }
}

void shared_loop::close() {
  lock held(mutex_);
  if (!std::exchange(closed_, true)) {
    if (thread_runs_it_) thread_must_leave_ = true;
    thread_wake_.notify_one();
    asio::post(*loop_, [this] { cancel_all(); });
  }
  all_left_.wait(held, [this] { return inside_ == 0; });
  if (!thread_.joinable()) return;
  auto thread = std::move(thread_);
  held.unlock();
  thread.join();
  open_.reset();
  loop_.reset();
}

}  // namespace quarq::clients
