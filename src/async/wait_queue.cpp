#include <mutex>
#include <stdexcept>
#include <utility>

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include <quarq/detail/wait_queue.hpp>

#include "async/loop_lifetime.hpp"
#include "async/stored_handler.hpp"
#include "base/assert.hpp"

namespace quarq::detail {

namespace asio = boost::asio;

// ---- waiter: one wait, in the frame of the coroutine that waits

class wait_queue::waiter {
 public:
  enum class state { waiting, handed, ended, aborted };

  waiter(wait_queue& queue, void* with) : queue_(&queue), with_(with) {}
  ~waiter() { unlink(); }
  waiter(const waiter&) = delete;
  waiter& operator=(const waiter&) = delete;

  template <class Handler>
  void begin(Handler&& handler) {
    auto slot = asio::get_associated_cancellation_slot(handler);
    if (slot.is_connected()) slot.assign(canceller(*this));
    coroutine_.keep(std::forward<Handler>(handler));
    queue_->waiting_.append(*this);
    linked_ = true;
  }

  void hand() {
    QUARQ_ASSERT(linked_ && state_ == state::waiting);
    unlink();
    state_ = state::handed;
    queue_->handed_.append(*this);
    ++queue_->handed_count_;
    linked_ = true;
    coroutine_.post();
  }

  void end(state as, bool result) {
    unlink();
    state_ = as;
    result_ = result;
    // A coroutine that was handed something has been posted already.
    if (coroutine_) coroutine_.post();
  }

  // The loop is destroyed, and the coroutine with it.
  void drop() {
    unlink();
    coroutine_.drop();
  }

  bool take() {
    unlink();
    if (state_ == state::aborted) throw boost::system::system_error(asio::error::operation_aborted);
    return result_;
  }

 private:
  friend class wait_queue;
  friend struct wait_queue::chain;

  class canceller {
   public:
    explicit canceller(waiter& one) : one_(one) {}
    void operator()(asio::cancellation_type type) const {
      if (type != asio::cancellation_type::none) one_.cancel();
    }

   private:
    waiter& one_;
  };

  void cancel() {
    // A wait that has been ended can no longer be cancelled.
    if (!linked_) return;
    const bool was_handed = state_ == state::handed;
    auto& queue = *queue_;
    end(state::aborted, false);
    if (was_handed) queue.hand_one();
  }

  void unlink() noexcept {
    if (!std::exchange(linked_, false)) return;
    if (state_ == state::handed) {
      queue_->handed_.remove(*this);
      QUARQ_ASSERT(queue_->handed_count_ > 0);
      --queue_->handed_count_;
    } else {
      queue_->waiting_.remove(*this);
    }
  }

  wait_queue* queue_;
  void* with_;
  waiter* previous_ = nullptr;
  waiter* next_ = nullptr;
  bool linked_ = false;
  state state_ = state::waiting;
  bool result_ = true;
  async::stored_handler coroutine_;
};

// ---- wait_queue_registry: the wait queues of one loop

class wait_queue_registry final : public async::loop_guest {
 public:
  explicit wait_queue_registry(asio::execution_context& loop) : loop_(loop) {}

  bool belongs_to(const asio::execution_context& loop) const noexcept { return &loop_ == &loop; }

  void link(wait_queue& queue) {
    const std::lock_guard lock(mutex_);
    queue.next_ = first_;
    queue.previous_ = nullptr;
    if (first_) first_->previous_ = &queue;
    first_ = &queue;
  }

  void unlink(wait_queue& queue) noexcept {
    const std::lock_guard lock(mutex_);
    (queue.previous_ ? queue.previous_->next_ : first_) = queue.next_;
    if (queue.next_) queue.next_->previous_ = queue.previous_;
  }

  // Destroying one coroutine may destroy others, and wait queues: one at a time, and looked up anew.
  void loop_destroyed() noexcept override {
    while (first_) {
      auto& queue = *first_;
      if (queue.empty()) {
        unlink(queue);
        queue.registry_.reset();
      } else {
        drop_first(queue);
      }
    }
  }

 private:
  static void drop_first(wait_queue& queue) noexcept { queue.waiting_.first->drop(); }

  asio::execution_context& loop_;
  // Strands of one loop run on several threads.
  std::mutex mutex_;
  wait_queue* first_ = nullptr;
};

// ---- wait_queue

void wait_queue::chain::append(waiter& one) noexcept {
  one.previous_ = last;
  one.next_ = nullptr;
  (last ? last->next_ : first) = &one;
  last = &one;
}

void wait_queue::chain::remove(waiter& one) noexcept {
  (one.previous_ ? one.previous_->next_ : first) = one.next_;
  (one.next_ ? one.next_->previous_ : last) = one.previous_;
}

wait_queue::~wait_queue() {
  abort_all();
  if (registry_) registry_->unlink(*this);
}

awaitable<bool> wait_queue::wait(void* with) {
  const auto loop = co_await asio::this_coro::executor;
  auto& context = asio::query(loop, asio::execution::context);
  if (registry_ && !registry_->belongs_to(context)) {
    if (!empty() || handed_count_ > 0) throw std::logic_error("quarq: waited for from two loops at once");
    registry_->unlink(*this);
    registry_.reset();
  }
  if (!registry_) {
    registry_ = async::loop_lifetime::of(context)->shared_guest<wait_queue_registry>();
    registry_->link(*this);
  }
  waiter self(*this, with);
  const auto begin = [&self](auto&& handler) { self.begin(std::forward<decltype(handler)>(handler)); };
  auto suspended = async::suspend(begin);
  co_await std::move(suspended);
  // From here on this wait queue may be gone.
  co_return self.take();
}

void* wait_queue::first() const noexcept {
  QUARQ_ASSERT(waiting_.first);
  return waiting_.first->with_;
}

void wait_queue::hand_one() {
  if (waiting_.first) waiting_.first->hand();
}

void wait_queue::end_one(bool result) {
  if (waiting_.first) waiting_.first->end(waiter::state::ended, result);
}

void wait_queue::end_all(bool result) {
  while (waiting_.first) end_one(result);
}

void wait_queue::abort_all() {
  while (handed_.first) handed_.first->end(waiter::state::aborted, false);
  while (waiting_.first) waiting_.first->end(waiter::state::aborted, false);
}

}  // namespace quarq::detail
