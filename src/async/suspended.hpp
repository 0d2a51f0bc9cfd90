// A coroutine that stands still until somebody moves it.
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
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

namespace quarq::async {

/// Keeps a completion handler, which owns the frames of the coroutine that waits, without memory of its own:
/// so it may stand in one of these frames. Whatever it is asked to do, it is empty afterwards and is not
/// touched any more.
class suspended {
 public:
  suspended() = default;
  suspended(const suspended&) = delete;
  suspended& operator=(const suspended&) = delete;
  ~suspended() {
    if (act_) drop();
  }

  template <class Handler>
  void keep(Handler handler) {
    static_assert(sizeof(Handler) <= sizeof(place_) && alignof(Handler) <= alignof(void*));
    ::new (static_cast<void*>(place_)) Handler(std::move(handler));
    act_ = &perform<Handler>;
  }
  explicit operator bool() const noexcept { return act_ != nullptr; }

  /// Goes on, in here.
  void resume() { act_(*this, how::resume); }
  /// Goes on at a later turn of its loop.
  void post() { act_(*this, how::post); }
  /// Is destroyed: at once, or by its loop.
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
  static void perform(suspended& self, how what) {
    auto* const kept = std::launder(reinterpret_cast<Handler*>(self.place_));
    Handler handler(std::move(*kept));
    kept->~Handler();
    self.act_ = nullptr;
    if (what == how::resume) std::move(handler)();
    if (what == how::post) post_it(std::move(handler));
  }

  template <class Handler>
  static void post_it(Handler handler) {
    namespace asio = boost::asio;
    const asio::any_io_executor loop = asio::get_associated_executor(handler);
    // The usual one, without the detours of a type-erased executor.
    const auto* const plain = loop.template target<asio::io_context::executor_type>();
    if (plain) {
      asio::post(*plain, deliver<Handler>(std::move(handler)));
    } else {
      asio::post(loop, deliver<Handler>(std::move(handler)));
    }
  }

  void (*act_)(suspended&, how) = nullptr;
  alignas(void*) std::byte place_[2 * sizeof(void*)];
};

/// To be awaited: suspends the coroutine and calls begin(handler), whose handler may be kept. Costs no frame
/// of its own, as use_awaitable does.
template <class Begin>
auto suspend(Begin begin) {
  namespace asio = boost::asio;
  return asio::async_initiate<const asio::deferred_t, void()>(std::move(begin), asio::deferred);
}

}  // namespace quarq::async
