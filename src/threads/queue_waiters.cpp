#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <stdexcept>
#include <utility>

#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include <quarq/detail/queue_waiters.hpp>
#include <quarq/errors.hpp>

#include "async/completion.hpp"
#include "base/assert.hpp"

namespace quarq::detail {

namespace asio = boost::asio;

// A thread, or a coroutine if it has a completion.
struct queue_waiters::waiter {
  std::shared_ptr<async::completion> completion;
  std::condition_variable woken_up;
  bool woken = false;
  waiter* previous = nullptr;
  waiter* next = nullptr;

  void wake() {
    woken = true;
    if (completion) {
      completion->complete();
    } else {
      woken_up.notify_one();
    }
  }
};

// ---- lists of waiters

void queue_waiters::append(waiter& one, role as) noexcept {
  auto& all = waiting_[as];
  one.woken = false;
  one.next = nullptr;
  one.previous = all.last;
  (all.last ? all.last->next : all.first) = &one;
  all.last = &one;
}

void queue_waiters::remove(waiter& one, role as) noexcept {
  auto& all = waiting_[as];
  (one.previous ? one.previous->next : all.first) = one.next;
  (one.next ? one.next->previous : all.last) = one.previous;
}

void queue_waiters::wake_next(role as) {
  auto* const next = waiting_[as].first;
  if (!next) return;
  QUARQ_ASSERT(!next->woken);
  remove(*next, as);
  next->wake();
}

void queue_waiters::wake_all(role as) {
  while (waiting_[as].first) wake_next(as);
}

// ---- items

bool queue_waiters::has_room() const {
  if (closed_) throw closed_error("the queue is closed: nothing can be pushed");
  return capacity_ == 0 || count_ < capacity_;
}

bool queue_waiters::is_ready(role as) const noexcept {
  switch (as) {
    case pushers:
      return closed_ || capacity_ == 0 || count_ < capacity_;
    case poppers:
      return closed_ || count_ > 0;
    case joiners:
      return unfinished_ == 0 || ended_;
  }
  return true;
}

void queue_waiters::pushed() {
  ++count_;
  ++unfinished_;
  QUARQ_ASSERT(capacity_ == 0 || count_ <= capacity_);
  wake_next(poppers);
}

void queue_waiters::popped() {
  QUARQ_ASSERT(count_ > 0);
  --count_;
  wake_next(pushers);
}

void queue_waiters::close() noexcept {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  wake_all(pushers);
  wake_all(poppers);
}

void queue_waiters::end() noexcept {
  close();
  const std::lock_guard lock(mutex_);
  ended_ = true;
  wake_all(joiners);
}

void queue_waiters::task_done() {
  const std::lock_guard lock(mutex_);
  if (unfinished_ == 0)
    throw std::logic_error("blocking_queue::task_done called more often than items were pushed");
  if (--unfinished_ == 0) wake_all(joiners);
}

// ---- threads

void queue_waiters::wait(std::unique_lock<std::mutex>& lock, role as) {
  // Another thread may have been quicker between the wake-up and this thread's turn.
  waiter me;
  while (!is_ready(as)) {
    append(me, as);
    me.woken_up.wait(lock, [&] { return me.woken; });
  }
}

void queue_waiters::wait(std::unique_lock<std::mutex>& lock, role as,
                         std::chrono::steady_clock::time_point until) {
  waiter me;
  while (!is_ready(as)) {
    append(me, as);
    const bool woken = me.woken_up.wait_until(lock, until, [&] { return me.woken; });
    if (!woken) {
      remove(me, as);
      return;
    }
  }
}

void queue_waiters::wait_for_room(std::unique_lock<std::mutex>& lock) {
  wait(lock, pushers);
  has_room();
}

bool queue_waiters::wait_for_room(std::unique_lock<std::mutex>& lock,
                                  std::chrono::steady_clock::time_point until) {
  wait(lock, pushers, until);
  return has_room();
}

void queue_waiters::wait_for_item(std::unique_lock<std::mutex>& lock) {
  wait(lock, poppers);
}

void queue_waiters::wait_for_item(std::unique_lock<std::mutex>& lock,
                                  std::chrono::steady_clock::time_point until) {
  wait(lock, poppers, until);
}

void queue_waiters::wait_for_all_done(std::unique_lock<std::mutex>& lock) {
  wait(lock, joiners);
}

// ---- coroutines

// A waiting coroutine. If it is woken and then destroyed before its turn, the next waiter is woken instead.
struct queue_waiters::async_waiter {
  async_waiter(queue_waiters& waiters, role role_here) : all(waiters), as(role_here) {}
  async_waiter(const async_waiter&) = delete;
  async_waiter& operator=(const async_waiter&) = delete;
  ~async_waiter() {
    if (!waits) return;
    const std::lock_guard lock(all.mutex_);
    if (!me.woken) {
      all.remove(me, as);
    } else if (as != joiners && all.is_ready(as)) {
      all.wake_next(as);
    }
  }
  // Called on the loop.
  void cancel() {
    {
      const std::lock_guard lock(all.mutex_);
      if (me.woken) return;
      all.remove(me, as);
    }
    waits = false;
    me.completion->complete();
  }

  queue_waiters& all;
  const role as;
  waiter me;
  bool waits = false;
};

awaitable<void> async_wait(queue_waiters& waiters, queue_waiters::role as) {
  const auto loop = co_await asio::this_coro::executor;
  queue_waiters::async_waiter waiting(waiters, as);
  waiting.me.completion = std::make_shared<async::completion>(loop);
  {
    const std::lock_guard lock(waiters.mutex_);
    const bool ready = waiters.is_ready(as);
    if (ready) co_return;
    waiters.append(waiting.me, as);
    waiting.waits = true;
  }
  std::function<void()> on_cancel = [one = &waiting] { one->cancel(); };
  const bool was_cancelled = co_await async::completion::wait(waiting.me.completion, std::move(on_cancel));
  if (was_cancelled) throw boost::system::system_error(asio::error::operation_aborted);
  waiting.waits = false;
  const std::lock_guard lock(waiters.mutex_);
  const bool was_left = as == queue_waiters::joiners && waiters.unfinished_ > 0;
  if (was_left)
    throw closed_error("the queue was destroyed before task_done() was called for all of its items");
}

}  // namespace quarq::detail
