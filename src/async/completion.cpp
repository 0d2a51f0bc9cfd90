#include "async/completion.hpp"

#include <utility>

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "async/activity.hpp"
#include "base/assert.hpp"

namespace quarq::async {

namespace asio = boost::asio;

// ---- loop_mailbox

std::shared_ptr<loop_mailbox> loop_mailbox::of(const asio::any_io_executor& loop) {
  auto& context = asio::query(loop, asio::execution::context);
  return loop_lifetime::of(context)->shared_guest<loop_mailbox>();
}

loop_mailbox::loop_mailbox(asio::execution_context&) {}

void loop_mailbox::link(completion& one) {
  const std::lock_guard lock(mutex_);
  one.next_ = pending_;
  if (pending_) pending_->previous_ = &one;
  pending_ = &one;
  one.linked_ = true;
}

void loop_mailbox::unlink(completion& one) noexcept {
  const std::lock_guard lock(mutex_);
  if (!one.linked_) return;
  (one.previous_ ? one.previous_->next_ : pending_) = one.next_;
  if (one.next_) one.next_->previous_ = one.previous_;
  one.linked_ = false;
}

void loop_mailbox::deliver(std::shared_ptr<completion> one) {
  const std::lock_guard lock(mutex_);
  if (!open_) return;
  const auto to = one->loop_;
  const auto* const loop = loop_itself(to);
  if (loop == nullptr) {
    asio::post(to, [one = std::move(one)] { one->arrive(); });
    return;
  }
  arrived_.push_back(std::move(one));
  if (arrived_.size() == 1) {
    asio::post(*loop, [mailbox = shared_from_this()] { drain(mailbox); });
  }
}

void loop_mailbox::drain(const std::shared_ptr<loop_mailbox>& mailbox) {
  std::vector<std::shared_ptr<completion>> batch;
  {
    const std::lock_guard lock(mailbox->mutex_);
    batch.swap(mailbox->arrived_);
  }
  // An exception leaves io_context::run(); those behind it must be delivered nevertheless.
  struct undelivered {
    ~undelivered() {
      for (; next < all.size(); ++next) mailbox->deliver(std::move(all[next]));
    }
    const std::shared_ptr<loop_mailbox>& mailbox;
    std::vector<std::shared_ptr<completion>>& all;
    std::size_t next = 0;
  } rest{mailbox, batch};
  while (rest.next < batch.size()) {
    const auto one = std::move(batch[rest.next++]);
    one->arrive();
  }
}

void loop_mailbox::loop_destroyed() noexcept {
  std::vector<std::shared_ptr<completion>> arrived;
  {
    const std::lock_guard lock(mutex_);
    open_ = false;
    arrived.swap(arrived_);
  }
  // Destroying one waiting coroutine may destroy others: one at a time.
  while (true) {
    std::unique_ptr<completion::waiter> waiter;
    asio::any_io_executor loop;
    {
      const std::lock_guard lock(mutex_);
      if (!pending_) return;
      auto& one = *pending_;
      QUARQ_ASSERT(one.linked_);
      pending_ = one.next_;
      if (pending_) pending_->previous_ = nullptr;
      one.linked_ = false;
      waiter = std::move(one.waiter_);
      loop = std::exchange(one.loop_, {});
    }
  }
}

// ---- completion

class completion::waiter {
 public:
  virtual ~waiter() = default;
  virtual void resume() = 0;
};

template <class Handler>
class completion::handler_waiter final : public waiter {
 public:
  handler_waiter(Handler handler, const asio::any_io_executor& loop)
      : handler_(std::move(handler)), work_(asio::prefer(loop, asio::execution::outstanding_work.tracked)) {}
  void resume() override { complete_in_activity(std::move(handler_)); }

 private:
  Handler handler_;
  // Keeps the loop from running out of work while a coroutine waits.
  asio::any_io_executor work_;
};

class completion::initiation {
 public:
  explicit initiation(std::shared_ptr<completion> one) : one_(std::move(one)) {}
  template <class Handler>
  void operator()(Handler&& handler) {
    auto slot = asio::get_associated_cancellation_slot(handler);
    if (slot.is_connected()) {
      slot.assign([weak = std::weak_ptr(one_)](asio::cancellation_type) {
        if (const auto one = weak.lock()) one->cancel();
      });
    }
    one_->waiter_ =
        std::make_unique<handler_waiter<std::decay_t<Handler>>>(std::forward<Handler>(handler), one_->loop_);
  }

 private:
  std::shared_ptr<completion> one_;
};

completion::completion(const asio::any_io_executor& loop) : mailbox_(loop_mailbox::of(loop)), loop_(loop) {
  mailbox_->link(*this);
}

completion::~completion() {
  mailbox_->unlink(*this);
}

void completion::complete() {
  mailbox_->deliver(shared_from_this());
}

awaitable<bool> completion::wait(std::shared_ptr<completion> one, std::function<void()> on_cancel) {
  if (one->completed_) co_return false;
  one->on_cancel_ = std::move(on_cancel);
  initiation begin(one);
  co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(std::move(begin), asio::use_awaitable);
  co_return one->cancelled_;
}

void completion::arrive() {
  QUARQ_ASSERT(!completed_);
  mailbox_->unlink(*this);
  completed_ = true;
  on_cancel_ = nullptr;
  if (const auto waiting = std::move(waiter_)) waiting->resume();
}

void completion::cancel() {
  if (completed_ || std::exchange(cancelled_, true)) return;
  if (const auto callback = std::exchange(on_cancel_, nullptr)) callback();
}

}  // namespace quarq::async
