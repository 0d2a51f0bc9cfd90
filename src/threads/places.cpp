#include "threads/places.hpp"

#include <utility>

#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include <quarq/errors.hpp>

namespace quarq::threads {

namespace asio = boost::asio;

bool places::try_take() {
  const std::lock_guard lock(mutex_);
  if (closed_) return true;
  if (free_ == 0 || !waiting_.empty()) return false;
  --free_;
  return true;
}

void places::take() {
  std::unique_lock lock(mutex_);
  if (closed_) return;
  if (free_ > 0 && waiting_.empty()) {
    --free_;
    return;
  }
  const auto me = std::make_shared<waiter>();
  waiting_.push_back(me);
  changed_.wait(lock, [&] { return me->has_place || me->is_closed; });
}

// A coroutine that waits, until it takes its place away with it.
struct places::in_line {
  in_line(places& all, std::shared_ptr<waiter> one) : from(all), me(std::move(one)) {}
  in_line(const in_line&) = delete;
  in_line& operator=(const in_line&) = delete;
  ~in_line() { leave(); }

  void leave() noexcept {
    if (!std::exchange(waits, false)) return;
    {
      const std::lock_guard lock(from.mutex_);
      if (!me->has_place) {
        from.waiting_.remove(me);
        return;
      }
    }
    from.give_back();
  }

  places& from;
  std::shared_ptr<waiter> me;
  bool waits = true;
};

awaitable<void> places::async_take() {
  const auto loop = co_await asio::this_coro::executor;
  const auto me = std::make_shared<waiter>();
  me->event = std::make_shared<async::handoff>(loop);
  {
    const std::lock_guard lock(mutex_);
    if (closed_) throw cancelled("the thread pool has ended");
    if (free_ > 0 && waiting_.empty()) {
      --free_;
      co_return;
    }
    waiting_.push_back(me);
  }
  in_line line(*this, me);
  std::function<void()> on_cancel = [this, one = me.get()] {
    // Either it has its place, and the event is under way, or it gets none.
    {
      const std::lock_guard lock(mutex_);
      if (one->has_place || one->is_closed) return;
      waiting_.remove_if([&](const auto& other) { return other.get() == one; });
    }
    one->event->complete();
  };
  const bool was_cancelled = co_await async::handoff::wait(me->event, std::move(on_cancel));
  if (was_cancelled) throw boost::system::system_error(asio::error::operation_aborted);
  if (me->is_closed) throw cancelled("the thread pool ended before there was place in its queue");
  line.waits = false;
}

void places::give_back() {
  const std::lock_guard lock(mutex_);
  if (waiting_.empty()) {
    ++free_;
    return;
  }
  const auto next = std::move(waiting_.front());
  waiting_.pop_front();
  next->has_place = true;
  if (next->event) {
    next->event->complete();
  } else {
    changed_.notify_all();
  }
}

void places::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  for (const auto& one : std::exchange(waiting_, {})) {
    one->is_closed = true;
    if (one->event) one->event->complete();
  }
  changed_.notify_all();
}

}  // namespace quarq::threads
