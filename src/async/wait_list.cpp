#include <mutex>
#include <stdexcept>
#include <utility>

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include <quarq/wait_list.hpp>

#include "async/suspended.hpp"

namespace quarq::detail {

namespace asio = boost::asio;

// ---- waiter: one wait, in the frame of the coroutine that waits

class waiter {
 public:
  enum class state { waiting, handed, ended, aborted };

  waiter(wait_list& list, void* with) : list_(&list), with_(with) {}
  ~waiter() { leave(); }
  waiter(const waiter&) = delete;
  waiter& operator=(const waiter&) = delete;

  template <class Handler>
  void begin(Handler&& handler) {
    auto slot = asio::get_associated_cancellation_slot(handler);
    if (slot.is_connected()) slot.assign(canceller(*this));
    standing_.keep(std::forward<Handler>(handler));
    list_->waiting_.append(*this);
    linked_ = true;
  }

  void hand() {
    leave();
    state_ = state::handed;
    list_->handed_.append(*this);
    ++list_->handed_count_;
    linked_ = true;
    standing_.post();
  }

  void end(state as, bool result) {
    leave();
    state_ = as;
    result_ = result;
    // One that was handed something is on its way already.
    if (standing_) standing_.post();
  }

  // The loop ends, and the coroutine with it.
  void drop() {
    leave();
    standing_.drop();
  }

  bool take() {
    leave();
    if (state_ == state::aborted) throw boost::system::system_error(asio::error::operation_aborted);
    return result_;
  }

 private:
  friend class wait_list;
  friend struct wait_list::chain;

  class canceller {
   public:
    explicit canceller(waiter& whom) : whom_(whom) {}
    void operator()(asio::cancellation_type type) const {
      if (type != asio::cancellation_type::none) whom_.cancel();
    }

   private:
    waiter& whom_;
  };

  void cancel() {
    // What has been ended for good is no longer to be cancelled: it has happened.
    if (!linked_) return;
    const bool was_handed = state_ == state::handed;
    auto& list = *list_;
    end(state::aborted, false);
    if (was_handed) list.hand_one();
  }

  void leave() noexcept {
    if (!std::exchange(linked_, false)) return;
    if (state_ == state::handed) {
      list_->handed_.remove(*this);
      --list_->handed_count_;
    } else {
      list_->waiting_.remove(*this);
    }
  }

  wait_list* list_;
  void* with_;
  waiter* previous_ = nullptr;
  waiter* next_ = nullptr;
  bool linked_ = false;
  state state_ = state::waiting;
  bool result_ = true;
  async::suspended standing_;
};

namespace {

class begin_waiting {
 public:
  explicit begin_waiting(waiter& self) : self_(self) {}
  template <class Handler>
  void operator()(Handler&& handler) {
    self_.begin(std::forward<Handler>(handler));
  }

 private:
  waiter& self_;
};

}  // namespace

// ---- loop_lists: where a loop finds at its end who waits

class loop_lists {
 public:
  static std::shared_ptr<loop_lists> of(asio::execution_context& context);

  explicit loop_lists(asio::execution_context& context) : context_(context) {}

  bool belongs_to(const asio::execution_context& context) const noexcept { return &context_ == &context; }

  void link(wait_list& list) {
    const std::lock_guard lock(mutex_);
    list.next_ = all_;
    list.previous_ = nullptr;
    if (all_) all_->previous_ = &list;
    all_ = &list;
  }

  void unlink(wait_list& list) noexcept {
    const std::lock_guard lock(mutex_);
    (list.previous_ ? list.previous_->next_ : all_) = list.next_;
    if (list.next_) list.next_->previous_ = list.previous_;
  }

  // Destroying one coroutine may destroy others, and lists: one at a time, and looked up anew.
  void close() noexcept {
    while (all_) {
      auto& list = *all_;
      if (list.empty()) {
        unlink(list);
        list.home_.reset();
      } else {
        list.waiting_.first->drop();
      }
    }
  }

 private:
  asio::execution_context& context_;
  // Strands of one loop are several threads.
  std::mutex mutex_;
  wait_list* all_ = nullptr;
};

namespace {

class lists_service : public asio::execution_context::service {
 public:
  using key_type = lists_service;
  static inline asio::execution_context::id id;

  explicit lists_service(asio::execution_context& context)
      : service(context), lists(std::make_shared<loop_lists>(context)) {}

  const std::shared_ptr<loop_lists> lists;

 private:
  void shutdown() noexcept override { lists->close(); }
};

}  // namespace

std::shared_ptr<loop_lists> loop_lists::of(asio::execution_context& context) {
  return asio::use_service<lists_service>(context).lists;
}

// ---- wait_list

void wait_list::chain::append(waiter& one) noexcept {
  one.previous_ = last;
  one.next_ = nullptr;
  (last ? last->next_ : first) = &one;
  last = &one;
}

void wait_list::chain::remove(waiter& one) noexcept {
  (one.previous_ ? one.previous_->next_ : first) = one.next_;
  (one.next_ ? one.next_->previous_ : last) = one.previous_;
}

wait_list::~wait_list() {
  abort_all();
  if (home_) home_->unlink(*this);
}

awaitable<bool> wait_list::wait(void* with) {
  const auto loop = co_await asio::this_coro::executor;
  auto& context = asio::query(loop, asio::execution::context);
  if (home_ && !home_->belongs_to(context)) {
    if (!empty() || handed_count_ > 0) throw std::logic_error("quarq: waited for from two loops at once");
    home_->unlink(*this);
    home_.reset();
  }
  if (!home_) {
    home_ = loop_lists::of(context);
    home_->link(*this);
  }
  waiter self(*this, with);
  auto standing = async::suspend(begin_waiting(self));
  co_await std::move(standing);
  // From here on the list may be gone.
  co_return self.take();
}

void* wait_list::first() const noexcept {
  return waiting_.first->with_;
}

void wait_list::hand_one() {
  if (waiting_.first) waiting_.first->hand();
}

void wait_list::end_one(bool result) {
  if (waiting_.first) waiting_.first->end(waiter::state::ended, result);
}

void wait_list::end_all(bool result) {
  while (waiting_.first) end_one(result);
}

void wait_list::abort_all() {
  while (handed_.first) handed_.first->end(waiter::state::aborted, false);
  while (waiting_.first) waiting_.first->end(waiter::state::aborted, false);
}

}  // namespace quarq::detail
