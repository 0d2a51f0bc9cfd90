#include "clients/shared_loop.hpp"

#include <algorithm>
#include <iterator>
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
  waiting_call me;
  run(me, std::move(work));
}

void shared_loop::run(const reporting_work& work, const detail::progress_function& hear) {
  waiting_call me;
  me.hear = &hear;
  run(me, work([this, &me](const job_progress& how_far) { say(me, how_far); }));
}

void shared_loop::run(waiting_call& me, awaitable<void> work) {
  if (async::is_in_run())
    throw std::logic_error("a quarq::client was called from a coroutine: co_await a quarq::queue instead");
  lock held(mutex_);
  if (closed_) throw closed_error("the client was closed");
  begin(me, std::move(work));
  while (!me.is_done() || me.said) {
    if (me.said) {
      hear(me, held);
    } else if (is_run_) {
      me.wake.wait(held);
    } else {
      run_for(me, held);
    }
  }
  calls_.remove(&me);
  last_used_ = clock::now();
  pass_on();
  if (calls_.empty() && closed_) all_left_.notify_all();
  held.unlock();
  if (me.thrown) std::rethrow_exception(me.thrown);
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

void shared_loop::run_for(waiting_call& me, lock& held) {
  is_run_ = true;
  held.unlock();
  while (!me.is_done() && !me.said) run_one();
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
    each->ended = true;
    each->wake.notify_one();
  }
  ending_.clear();
}

// Some thread that needs the loop must run it.
shared_loop::waiting_call* shared_loop::next_to_run() const noexcept {
  const auto needs_it = [](const waiting_call* one) { return !one->heard_by && !one->is_done(); };
  const auto found = std::find_if(calls_.begin(), calls_.end(), needs_it);
  return found == calls_.end() ? nullptr : *found;
}

void shared_loop::pass_on() {
  if (is_run_) return;
  if (auto* const next = next_to_run()) {
    next->wake.notify_one();
  } else if (thread_sleeps_) {
    thread_wake_.notify_one();
  }
}

// ---- progress

// On the loop.
void shared_loop::say(waiting_call& to, const job_progress& how_far) {
  const std::lock_guard held(mutex_);
  if (to.thrown) return;
  to.said = how_far;
  to.wake.notify_one();
}

void shared_loop::hear(waiting_call& me, lock& held) {
  const auto how_far = *std::exchange(me.said, std::nullopt);
  if (closed_) return;
  me.heard_by = std::this_thread::get_id();
  last_used_ = clock::now();
  pass_on();
  held.unlock();
  std::exception_ptr thrown;
  try {
    (*me.hear)(how_far);
  } catch (...) {
    thrown = std::current_exception();
  }
  held.lock();
  me.heard_by.reset();
  if (!thrown) return;
  me.thrown = std::move(thrown);
  me.said.reset();
  stop(me);
}

void shared_loop::stop(waiting_call& me) {
  me.is_being_stopped = true;
  asio::post(*loop_, [this, &me] {
    cancel(me);
    const std::lock_guard held(mutex_);
    me.is_being_stopped = false;
    me.wake.notify_one();
  });
}

// ---- between calls

void shared_loop::run_when_idle() {
  lock held(mutex_);
  while (!closed_) {
    if (is_run_ || next_to_run() != nullptr) {
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

// On the loop.
void shared_loop::cancel(waiting_call& one) {
  if (one.ended || std::exchange(one.cancelled, true)) return;
  one.cancel.emit(asio::cancellation_type::terminal);
}

void shared_loop::cancel_all() {
  std::vector<waiting_call*> all;
  {
    const std::lock_guard held(mutex_);
    // Only on the loop do they end: they stay while this runs.
    const auto runs = [](const waiting_call* one) { return !one->ended; };
    std::copy_if(calls_.begin(), calls_.end(), std::back_inserter(all), runs);
  }
  for (auto* each : all) cancel(*each);
}

void shared_loop::close() {
  lock held(mutex_);
  const auto is_heard_here = [here = std::this_thread::get_id()](const waiting_call* one) {
    return one->heard_by == here;
  };
  if (std::any_of(calls_.begin(), calls_.end(), is_heard_here))
    throw std::logic_error("a quarq::client can't be closed by the progress callback of its own call");
  if (!std::exchange(closed_, true)) {
    if (thread_runs_it_) thread_must_leave_ = true;
    thread_wake_.notify_one();
    asio::post(*loop_, [this] { cancel_all(); });
  }
  all_left_.wait(held, [this] { return calls_.empty(); });
  if (!thread_.joinable()) return;
  auto thread = std::move(thread_);
  held.unlock();
  thread.join();
  open_.reset();
  loop_.reset();
}

}  // namespace quarq::clients
