#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <stdexcept>
#include <utility>

#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include <quarq/detail_queue_gate.hpp>
#include <quarq/errors.hpp>

#include "async/handoff.hpp"

namespace quarq::detail {

namespace asio = boost::asio;

// A thread, or a coroutine if it has an event.
struct queue_gate::waiter {
  std::shared_ptr<async::handoff> event;
  std::condition_variable woken;
  bool called = false;
  waiter* previous = nullptr;
  waiter* next = nullptr;

  void call() {
    called = true;
    if (event) {
      event->complete();
    } else {
      woken.notify_one();
    }
  }
};

// ---- lines

void queue_gate::stand(waiter& one, line which) noexcept {
  auto& all = lines_[which];
  one.called = false;
  one.next = nullptr;
  one.previous = all.last;
  (all.last ? all.last->next : all.first) = &one;
  all.last = &one;
}

void queue_gate::leave(waiter& one, line which) noexcept {
  auto& all = lines_[which];
  (one.previous ? one.previous->next : all.first) = one.next;
  (one.next ? one.next->previous : all.last) = one.previous;
}

void queue_gate::call_next(line which) {
  auto* const next = lines_[which].first;
  if (!next) return;
  leave(*next, which);
  next->call();
}

void queue_gate::call_all(line which) {
  while (lines_[which].first) call_next(which);
}

// ---- items

bool queue_gate::has_room() const {
  if (closed_) throw closed("the queue is closed: nothing can be put into it");
  return capacity_ == 0 || count_ < capacity_;
}

bool queue_gate::is_ready(line which) const noexcept {
  switch (which) {
    case putters:
      return closed_ || capacity_ == 0 || count_ < capacity_;
    case getters:
      return closed_ || count_ > 0;
    case joiners:
      return unfinished_ == 0 || ended_;
  }
  return true;
}

void queue_gate::added() {
  ++count_;
  ++unfinished_;
  call_next(getters);
}

void queue_gate::taken() {
  --count_;
  call_next(putters);
}

void queue_gate::close() noexcept {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  call_all(putters);
  call_all(getters);
}

void queue_gate::end() noexcept {
  close();
  const std::lock_guard lock(mutex_);
  ended_ = true;
  call_all(joiners);
}

void queue_gate::task_done() {
  const std::lock_guard lock(mutex_);
  if (unfinished_ == 0) throw std::logic_error("blocking_queue::task_done called more often than put");
  if (--unfinished_ == 0) call_all(joiners);
}

// ---- threads

void queue_gate::wait(std::unique_lock<std::mutex>& lock, line which) {
  // Between the call and the turn another may have been quicker.
  waiter me;
  while (!is_ready(which)) {
    stand(me, which);
    me.woken.wait(lock, [&] { return me.called; });
  }
}

void queue_gate::wait_for_room(std::unique_lock<std::mutex>& lock) {
  wait(lock, putters);
  has_room();
}

void queue_gate::wait_for_item(std::unique_lock<std::mutex>& lock) {
  wait(lock, getters);
}

void queue_gate::wait_for_item(std::unique_lock<std::mutex>& lock, std::chrono::nanoseconds max) {
  // What can't be added to a time is as good as for ever.
  constexpr auto longest = std::chrono::hours(24 * 365);
  const auto until = std::chrono::steady_clock::now() + std::min<std::chrono::nanoseconds>(max, longest);
  waiter me;
  while (!is_ready(getters)) {
    stand(me, getters);
    const bool called = me.woken.wait_until(lock, until, [&] { return me.called; });
    if (!called) {
      leave(me, getters);
      return;
    }
  }
}

void queue_gate::wait_for_all_done(std::unique_lock<std::mutex>& lock) {
  wait(lock, joiners);
}

// ---- coroutines

// A coroutine in line. If it is called and then gone before its turn, the next is called instead.
struct queue_gate::in_line {
  in_line(queue_gate& all, line to_wait_in) : gate(all), which(to_wait_in) {}
  in_line(const in_line&) = delete;
  in_line& operator=(const in_line&) = delete;
  ~in_line() {
    if (!stands) return;
    const std::lock_guard lock(gate.mutex_);
    if (!me.called) {
      gate.leave(me, which);
    } else if (which != joiners && gate.is_ready(which)) {
      gate.call_next(which);
    }
  }
  // Called on the loop.
  void cancel() {
    {
      const std::lock_guard lock(gate.mutex_);
      if (me.called) return;
      gate.leave(me, which);
    }
    stands = false;
    me.event->complete();
  }

  queue_gate& gate;
  const line which;
  waiter me;
  bool stands = false;
};

awaitable<void> wait_in_line(queue_gate& gate, queue_gate::line which) {
  const auto loop = co_await asio::this_coro::executor;
  queue_gate::in_line line(gate, which);
  line.me.event = std::make_shared<async::handoff>(loop);
  {
    const std::lock_guard lock(gate.mutex_);
    const bool ready = gate.is_ready(which);
    if (ready) co_return;
    gate.stand(line.me, which);
    line.stands = true;
  }
  std::function<void()> on_cancel = [one = &line] { one->cancel(); };
  const bool was_cancelled = co_await async::handoff::wait(line.me.event, std::move(on_cancel));
  if (was_cancelled) throw boost::system::system_error(asio::error::operation_aborted);
  line.stands = false;
  const std::lock_guard lock(gate.mutex_);
  const bool was_left = which == queue_gate::joiners && gate.unfinished_ > 0;
  if (was_left) throw closed("the queue was destroyed before all of its items had been dealt with");
}

}  // namespace quarq::detail
