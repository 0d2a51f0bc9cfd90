// The completion handler of a suspended coroutine, stored without an allocation.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/post.hpp>

#include "async/activity.hpp"

namespace quarq::async {

/// Stores a completion handler, which owns the frames of the suspended coroutine. Needs no memory beside its
/// own, so it may be part of one of those frames. resume(), post() and drop() leave it empty before they act:
/// they may destroy it.
class stored_handler {
 public:
  stored_handler() = default;
  stored_handler(const stored_handler&) = delete;
  stored_handler& operator=(const stored_handler&) = delete;
  ~stored_handler() {
    if (act_) drop();
  }

  template <class Handler>
  void keep(Handler handler) {
    static_assert(sizeof(Handler) <= sizeof(storage_) && alignof(Handler) <= alignof(void*));
    ::new (static_cast<void*>(storage_)) Handler(std::move(handler));
    act_ = &perform<Handler>;
  }
  explicit operator bool() const noexcept { return act_ != nullptr; }

  /// Resumes the coroutine, within this call.
  void resume() { act_(*this, how::resume); }
  /// Resumes the coroutine on a later iteration of its loop.
  void post() { act_(*this, how::post); }
  /// Destroys the coroutine: at once, or when its loop does.
  void drop() { act_(*this, how::drop); }

 private:
  enum class how { resume, post, drop };

  template <class Handler>
  class deliver {
   public:
    explicit deliver(Handler handler) : handler_(std::move(handler)) {}
    void operator()() { std::move(handler_)(); }

   private:
    Handler handler_;
  };

  template <class Handler>
  static void perform(stored_handler& self, how action) {
    auto* const kept = std::launder(reinterpret_cast<Handler*>(self.storage_));
    Handler handler(std::move(*kept));
    kept->~Handler();
    self.act_ = nullptr;
    if (action == how::resume) complete_in_activity(std::move(handler));
    if (action == how::post) post_it(std::move(handler));
  }

  template <class Handler>
  static void post_it(Handler handler) {
    namespace asio = boost::asio;
    const asio::any_io_executor loop = asio::get_associated_executor(handler);
    // The usual executors are posted to without type erasure.
    if (const auto* const plain = loop.template target<loop_executor>()) {
      asio::post(*plain, deliver<Handler>(std::move(handler)));
    } else if (const auto* const within = loop.template target<activity_executor<loop_executor>>()) {
      asio::post(*within, deliver<Handler>(std::move(handler)));
    } else {
      asio::post(loop, deliver<Handler>(std::move(handler)));
    }
  }

  void (*act_)(stored_handler&, how) = nullptr;
  alignas(void*) std::byte storage_[2 * sizeof(void*)];
};

/// Awaiting the result suspends the coroutine and calls begin(handler), which may store the handler. Costs no
/// coroutine frame of its own, unlike use_awaitable.
template <class Begin>
auto suspend(Begin begin) {
  namespace asio = boost::asio;
  return asio::async_initiate<const asio::deferred_t, void()>(std::move(begin), asio::deferred);
}

}  // namespace quarq::async
