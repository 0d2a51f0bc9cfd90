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

void slots::acquire() {
  std::unique_lock lock(mutex_);
  if (closed_) return;
  if (free_ > 0 && waiting_.empty()) {
    --free_;
    return;
  }
  const auto me = std::make_shared<waiter>();
  waiting_.push_back(me);
  changed_.wait(lock, [&] { return me->has_slot || me->is_closed; });
}

// A waiting coroutine's. If it is destroyed before the coroutine resumes, the slot goes to the next waiter.
struct slots::wait_ticket {
  wait_ticket(slots& all, std::shared_ptr<waiter> one) : from(all), me(std::move(one)) {}
  wait_ticket(const wait_ticket&) = delete;
  wait_ticket& operator=(const wait_ticket&) = delete;
  ~wait_ticket() {
    if (!waits) return;
    {
      const std::lock_guard lock(from.mutex_);
      if (!me->has_slot) {
        from.waiting_.remove(me);
        return;
      }
    }
    from.release();
  }

  slots& from;
  std::shared_ptr<waiter> me;
  bool waits = true;
};

awaitable<void> slots::async_acquire() {
  const auto loop = co_await asio::this_coro::executor;
  const auto me = std::make_shared<waiter>();
  me->completion = std::make_shared<async::completion>(loop);
  {
    const std::lock_guard lock(mutex_);
    if (closed_) throw cancelled("the thread pool has ended");
    if (free_ > 0 && waiting_.empty()) {
      --free_;
      co_return;
    }
    waiting_.push_back(me);
  }
  wait_ticket ticket(*this, me);
  std::function<void()> on_cancel = [this, one = me.get()] {
    // If it has a slot already, its completion is on its way.
    {
      const std::lock_guard lock(mutex_);
      if (one->has_slot || one->is_closed) return;
      waiting_.remove_if([&](const auto& other) { return other.get() == one; });
    }
    one->completion->complete();
  };
  const bool was_cancelled = co_await async::completion::wait(me->completion, std::move(on_cancel));
  if (was_cancelled) throw boost::system::system_error(asio::error::operation_aborted);
  if (me->is_closed) throw cancelled("the thread pool ended before there was place in its queue");
  ticket.waits = false;
}

void slots::release() {
  const std::lock_guard lock(mutex_);
  if (waiting_.empty()) {
    ++free_;
    QUARQ_ASSERT(closed_ || free_ <= count_);
    return;
  }
  QUARQ_ASSERT(free_ == 0);
  const auto next = std::move(waiting_.front());
  waiting_.pop_front();
  next->has_slot = true;
  if (next->completion) {
    next->completion->complete();
  } else {
    changed_.notify_all();
  }
}

void slots::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  for (const auto& one : std::exchange(waiting_, {})) {
    one->is_closed = true;
    if (one->completion) one->completion->complete();
  }
  changed_.notify_all();
}

}  // namespace quarq::threads
