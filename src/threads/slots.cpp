#include "threads/slots.hpp"

#include <functional>
#include <utility>

#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include <quarq/errors.hpp>

#include "base/assert.hpp"

namespace quarq::threads {

namespace asio = boost::asio;

bool slots::try_acquire() {
  const std::lock_guard lock(mutex_);
  if (closed_) return true;
  if (free_ == 0 || !waiting_.empty()) return false;
  --free_;
  return true;
}

void slots::append(waiter& one) {
  waiting_.push_back(one);
  one.waits = true;
}

// False if it was not there.
bool slots::remove(waiter& one) {
  if (!std::exchange(one.waits, false)) return false;
  waiting_.remove(one);
  return true;
}

void slots::acquire() {
  std::unique_lock lock(mutex_);
  if (closed_) return;
  if (free_ > 0 && waiting_.empty()) {
    --free_;
    return;
  }
  waiter me;
  append(me);
  changed_.wait(lock, [&] { return me.has_slot || me.is_closed; });
}

// A waiting coroutine's. If it is destroyed before the coroutine resumes, the slot goes to the next waiter.
struct slots::wait_ticket {
  explicit wait_ticket(slots& all) : from(all) {}
  wait_ticket(const wait_ticket&) = delete;
  wait_ticket& operator=(const wait_ticket&) = delete;
  ~wait_ticket() {
    {
      const std::lock_guard lock(from.mutex_);
      from.remove(me);
      if (!me.has_slot || taken) return;
    }
    from.release();
  }

  // If it has a slot already, its completion is on its way.
  void cancel() {
    {
      const std::lock_guard lock(from.mutex_);
      if (!from.remove(me)) return;
    }
    me.completion->complete();
  }

  slots& from;
  waiter me;
  bool taken = false;
};

awaitable<void> slots::async_acquire() {
  const auto loop = co_await asio::this_coro::executor;
  wait_ticket ticket(*this);
  ticket.me.completion = std::make_shared<async::completion>(loop);
  {
    const std::lock_guard lock(mutex_);
    if (closed_) throw cancelled("the thread pool has ended");
    if (free_ > 0 && waiting_.empty()) {
      --free_;
      co_return;
    }
    append(ticket.me);
  }
  std::function<void()> on_cancel = [one = &ticket] { one->cancel(); };
  const bool was_cancelled = co_await async::completion::wait(ticket.me.completion, std::move(on_cancel));
  if (was_cancelled) throw boost::system::system_error(asio::error::operation_aborted);
  if (ticket.me.is_closed) throw cancelled("the thread pool ended before there was place in its queue");
  ticket.taken = true;
}

void slots::release() {
  const std::lock_guard lock(mutex_);
  if (waiting_.empty()) {
    ++free_;
    QUARQ_ASSERT(closed_ || free_ <= count_);
    return;
  }
  QUARQ_ASSERT(free_ == 0);
  waiter& next = waiting_.front();
  remove(next);
  next.has_slot = true;
  if (next.completion) {
    next.completion->complete();
  } else {
    changed_.notify_all();
  }
}

void slots::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  while (!waiting_.empty()) {
    waiter& one = waiting_.front();
    remove(one);
    one.is_closed = true;
    if (one.completion) one.completion->complete();
  }
  changed_.notify_all();
}

}  // namespace quarq::threads
