#include "async/handoff.hpp"

#include <utility>

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace quarq::async {

namespace asio = boost::asio;

namespace {

// Lives in a loop and tells its port of its end.
class port_service : public asio::execution_context::service {
 public:
  using key_type = port_service;
  static inline asio::execution_context::id id;

  explicit port_service(asio::execution_context& context)
      : service(context),
        port(std::make_shared<loop_port>(static_cast<asio::io_context&>(context).get_executor())) {}

  std::shared_ptr<loop_port> port;

 private:
  void shutdown() noexcept override { port->close(); }
};

// A strand, or anything else than the loop itself, decides by itself where what it is given runs.
bool is_loop_itself(const asio::any_io_executor& executor) {
  return executor.target<asio::io_context::executor_type>() != nullptr;
}

}  // namespace

// ---- loop_port

std::shared_ptr<loop_port> loop_port::of(const asio::any_io_executor& loop) {
  return asio::use_service<port_service>(asio::query(loop, asio::execution::context)).port;
}

void loop_port::link(handoff& one) {
  const std::lock_guard lock(mutex_);
  one.next_ = all_;
  if (all_) all_->previous_ = &one;
  all_ = &one;
  one.linked_ = true;
}

void loop_port::unlink(handoff& one) noexcept {
  const std::lock_guard lock(mutex_);
  if (!one.linked_) return;
  (one.previous_ ? one.previous_->next_ : all_) = one.next_;
  if (one.next_) one.next_->previous_ = one.previous_;
  one.linked_ = false;
}

void loop_port::deliver(std::shared_ptr<handoff> one) {
  const std::lock_guard lock(mutex_);
  if (!open_) return;
  if (!is_loop_itself(one->loop_)) {
    const auto to = one->loop_;
    asio::post(to, [one = std::move(one)] { one->arrive(); });
    return;
  }
  arrived_.push_back(std::move(one));
  if (arrived_.size() == 1) {
    asio::post(context_, [port = shared_from_this()] { drain(port); });
  }
}

void loop_port::drain(const std::shared_ptr<loop_port>& port) {
  std::vector<std::shared_ptr<handoff>> batch;
  {
    const std::lock_guard lock(port->mutex_);
    batch.swap(port->arrived_);
  }
  // An exception leaves io_context::run() and must not take the others along.
  struct rest {
    ~rest() {
      for (; next < all.size(); ++next) port->deliver(std::move(all[next]));
    }
    const std::shared_ptr<loop_port>& port;
    std::vector<std::shared_ptr<handoff>>& all;
    std::size_t next = 0;
  } left{port, batch};
  while (left.next < batch.size()) {
    const auto one = std::move(batch[left.next++]);
    one->arrive();
  }
}

void loop_port::close() noexcept {
  std::vector<std::shared_ptr<handoff>> arrived;
  {
    const std::lock_guard lock(mutex_);
    open_ = false;
    arrived.swap(arrived_);
    context_ = {};
  }
  // Destroying one waiting coroutine may destroy others: one at a time.
  while (true) {
    std::unique_ptr<handoff::waiter> waiting;
    asio::any_io_executor loop;
    {
      const std::lock_guard lock(mutex_);
      if (!all_) return;
      auto& one = *all_;
      all_ = one.next_;
      if (all_) all_->previous_ = nullptr;
      one.linked_ = false;
      waiting = std::move(one.waiter_);
      loop = std::exchange(one.loop_, {});
    }
  }
}

// ---- handoff

class handoff::waiter {
 public:
  virtual ~waiter() = default;
  virtual void end() = 0;
};

template <class Handler>
class handoff::handler_waiter final : public waiter {
 public:
  handler_waiter(Handler handler, const asio::any_io_executor& loop)
      : handler_(std::move(handler)), work_(asio::prefer(loop, asio::execution::outstanding_work.tracked)) {}
  void end() override { std::move(handler_)(); }

 private:
  Handler handler_;
  // The loop does not run out of work while somebody waits.
  asio::any_io_executor work_;
};

class handoff::starter {
 public:
  explicit starter(std::shared_ptr<handoff> event) : event_(std::move(event)) {}
  template <class Handler>
  void operator()(Handler&& handler) {
    auto slot = asio::get_associated_cancellation_slot(handler);
    if (slot.is_connected()) {
      slot.assign([weak = std::weak_ptr(event_)](asio::cancellation_type) {
        if (const auto event = weak.lock()) event->cancel();
      });
    }
    event_->waiter_ = std::make_unique<handler_waiter<std::decay_t<Handler>>>(std::forward<Handler>(handler),
                                                                              event_->loop_);
  }

 private:
  std::shared_ptr<handoff> event_;
};

handoff::handoff(const asio::any_io_executor& loop) : port_(loop_port::of(loop)), loop_(loop) {
  port_->link(*this);
}

handoff::~handoff() {
  port_->unlink(*this);
}

void handoff::complete() {
  port_->deliver(shared_from_this());
}

awaitable<bool> handoff::wait(std::shared_ptr<handoff> event, std::function<void()> on_cancel) {
  if (event->happened_) co_return false;
  event->on_cancel_ = std::move(on_cancel);
  starter begin(event);
  co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(std::move(begin), asio::use_awaitable);
  co_return event->cancelled_;
}

void handoff::arrive() {
  port_->unlink(*this);
  happened_ = true;
  on_cancel_ = nullptr;
  if (const auto waiting = std::move(waiter_)) waiting->end();
}

void handoff::cancel() {
  if (happened_ || std::exchange(cancelled_, true)) return;
  if (const auto tell = std::exchange(on_cancel_, nullptr)) tell();
}

}  // namespace quarq::async
