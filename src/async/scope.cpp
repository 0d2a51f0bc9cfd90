#include "async/scope.hpp"

#include <utility>

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include "async/stack_depth.hpp"
#include "base/assert.hpp"

namespace quarq::async {

namespace asio = boost::asio;

namespace {

bool is_abort(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const boost::system::system_error& e) {
    return e.code() == asio::error::operation_aborted;
  } catch (...) {
    return false;
  }
}

}  // namespace

struct scope::child {
  asio::cancellation_signal cancel;
  child* previous = nullptr;
  child* next = nullptr;
  bool is_body = false;
};

// The completion handler of a child. If it is destroyed uncalled, the child was destroyed.
class scope::child_handler {
 public:
  using cancellation_slot_type = asio::cancellation_slot;

  child_handler(std::shared_ptr<scope> of, std::unique_ptr<child> one) noexcept
      : of_(std::move(of)), one_(std::move(one)) {}
  child_handler(child_handler&&) noexcept = default;
  ~child_handler() {
    if (!one_) return;
    const auto of = std::move(of_);
    of->child_gone(std::move(one_));
  }

  cancellation_slot_type get_cancellation_slot() const noexcept { return one_->cancel.slot(); }

  void operator()(const std::exception_ptr& failure) {
    const auto of = std::move(of_);
    of->child_ended(std::move(one_), failure);
  }

 private:
  std::shared_ptr<scope> of_;
  std::unique_ptr<child> one_;
};

// Starts children on the next loop iteration, or is destroyed with the loop.
class scope::deferred_start {
 public:
  explicit deferred_start(std::shared_ptr<scope> of) noexcept : of_(std::move(of)) {}
  deferred_start(deferred_start&&) noexcept = default;
  ~deferred_start() {
    if (!of_) return;
    // Moved out of the scope first: destroying a coroutine may call the scope.
    const auto of = std::move(of_);
    const auto unstarted = std::exchange(of->later_, {});
    of->left_ -= unstarted.size();
    if (of->left_ == 0 && of->parent_) of->parent_.drop();
  }
  void operator()() {
    const auto of = std::move(of_);
    of->start_all_later();
  }

 private:
  std::shared_ptr<scope> of_;
};

// Begins the wait of the parent.
class scope::parent_wait {
 public:
  parent_wait(std::shared_ptr<scope> of, cancellation how) noexcept : of_(std::move(of)), how_(how) {}

  template <class Handler>
  void operator()(Handler&& handler) {
    auto slot = asio::get_associated_cancellation_slot(handler);
    if (slot.is_connected() && how_ == cancellation::passed_on) slot.assign(canceller(of_));
    of_->parent_.keep(std::forward<Handler>(handler));
  }

 private:
  class canceller {
   public:
    explicit canceller(const std::shared_ptr<scope>& of) noexcept : of_(of) {}
    void operator()(asio::cancellation_type type) const {
      const auto of = of_.lock();
      if (of && type != asio::cancellation_type::none) of->cancel_by_parent();
    }

   private:
    std::weak_ptr<scope> of_;
  };

  std::shared_ptr<scope> of_;
  cancellation how_;
};

scope::scope(asio::any_io_executor loop) : loop_(std::move(loop)), group_(*this) {}

scope::~scope() = default;

void scope::link(child& one) noexcept {
  one.next = first_;
  if (first_) first_->previous = &one;
  first_ = &one;
  ++left_;
  if (one.is_body) body_runs_ = true;
}

void scope::unlink(child& one) noexcept {
  if (next_to_cancel_ == &one) next_to_cancel_ = one.next;
  if (being_started_ == &one) being_started_ = nullptr;
  (one.previous ? one.previous->next : first_) = one.next;
  if (one.next) one.next->previous = one.previous;
  QUARQ_ASSERT(left_ > 0);
  --left_;
  if (one.is_body) body_runs_ = false;
}

void scope::start(awaitable<void> work, bool is_body) {
  starting_ = true;
  try {
    auto one = std::make_unique<child>();
    one->is_body = is_body;
    link(*one);
    being_started_ = one.get();
    asio::co_spawn(loop_, std::move(work), child_handler(shared_from_this(), std::move(one)));
  } catch (...) {
    // Running out of memory for a child counts as its failure.
    record(std::current_exception());
  }
  starting_ = false;
  auto* const started = std::exchange(being_started_, nullptr);
  if (started && cancelled_) emit(*started);
}

void scope::start_later(awaitable<void> work) {
  if (cancelled_) return;
  later_.push_back(std::move(work));
  ++left_;
  if (later_.size() == 1) asio::post(loop_, deferred_start(shared_from_this()));
}

void scope::start_all_later() {
  auto work = std::exchange(later_, {});
  for (auto& one : work) {
    // It was counted while it was deferred. The one before may have cancelled the scope.
    --left_;
    if (cancelled_) {
      const auto unstarted = std::move(one);
    } else {
      start(std::move(one), false);
    }
  }
  wake_parent();
}

void scope::cancel() {
  if (std::exchange(cancelled_, true)) return;
  const auto self = shared_from_this();
  next_to_cancel_ = first_;
  while (next_to_cancel_) {
    auto& one = *next_to_cancel_;
    next_to_cancel_ = one.next;
    // Asio's co_spawn loses a coroutine that is cancelled before its first wait and never waits: start()
    // cancels it later.
    if (&one != being_started_) emit(one);
  }
}

void scope::emit(child& to) {
  being_cancelled_ = &to;
  to.cancel.emit(asio::cancellation_type::terminal);
  being_cancelled_ = nullptr;
  ended_meanwhile_.reset();
}

void scope::cancel_by_parent() {
  parent_cancelled_ = true;
  if (!stack_is_deep()) return cancel();
  asio::post(loop_, [self = weak_from_this()] {
    if (const auto still = self.lock()) still->cancel();
  });
}

// A cancellation signal must not be destroyed while it is emitted.
void scope::destroy(std::unique_ptr<child> one) noexcept {
  unlink(*one);
  if (one.get() == being_cancelled_) ended_meanwhile_ = std::move(one);
}

void scope::child_ended(std::unique_ptr<child> one, const std::exception_ptr& failure) {
  destroy(std::move(one));
  if (failure) record(failure);
  wake_parent();
}

void scope::wake_parent() {
  if (left_ > 0 || starting_ || !parent_) return;
  // Posted during a cancellation, which the parent itself may have begun.
  if (being_cancelled_ || stack_is_deep()) {
    parent_.post();
  } else {
    parent_.resume();
  }
}

void scope::child_gone(std::unique_ptr<child> one) noexcept {
  destroy(std::move(one));
  if (left_ == 0 && !starting_ && parent_) parent_.drop();
}

void scope::record(const std::exception_ptr& failure) {
  if (failure_) return;
  if (cancelled_ && is_abort(failure)) {
    aborted_ = failure;
  } else {
    failure_ = failure;
    cancel();
  }
}

void scope::throw_failure() const {
  if (failure_) std::rethrow_exception(failure_);
  if (parent_cancelled_ && aborted_) std::rethrow_exception(aborted_);
}

awaitable<std::shared_ptr<scope>> scope::run(std::function<void(scope&)> begin, cancellation how) {
  const auto loop = co_await asio::this_coro::executor;
  const auto all = std::make_shared<scope>(loop);
  // A child may cause the cancellation of its parent before that waits: the parent must wait nevertheless.
  const bool throws = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);
  const bool deep = stack_is_deep();
  if (deep) co_await asio::post(loop, asio::use_awaitable);
  begin(*all);
  const auto state = co_await asio::this_coro::cancellation_state;
  if (state.cancelled() != asio::cancellation_type::none && how == cancellation::passed_on)
    all->cancel_by_parent();
  if (all->left_ > 0) {
    auto waiting = suspend(parent_wait(all, how));
    co_await std::move(waiting);
  }
  QUARQ_ASSERT(all->left_ == 0);
  co_await asio::this_coro::throw_if_cancelled(throws);
  co_return all;
}

}  // namespace quarq::async
