// One-shot signal from any thread to a coroutine on its loop.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution_context.hpp>

#include <quarq/awaitable.hpp>

#include "async/loop_lifetime.hpp"

namespace quarq::async {

class completion;

/// Delivers completions to one loop. May be held for longer than the loop exists: what arrives afterwards is
/// dropped. Completions that arrive together wake the loop once.
class loop_mailbox final : public loop_guest, public std::enable_shared_from_this<loop_mailbox> {
 public:
  /// That of this loop.
  static std::shared_ptr<loop_mailbox> of(const boost::asio::any_io_executor& loop);

  explicit loop_mailbox(boost::asio::execution_context& loop);

  /// Destroys the coroutines that wait, and delivers nothing any more.
  void loop_destroyed() noexcept override;

 private:
  friend class completion;
  static void drain(const std::shared_ptr<loop_mailbox>& mailbox);
  void deliver(std::shared_ptr<completion> one);
  void link(completion& one);
  void unlink(completion& one) noexcept;

  std::mutex mutex_;
  bool open_ = true;
  completion* pending_ = nullptr;  ///< those that have not arrived, so that loop_destroyed() finds them
  std::vector<std::shared_ptr<completion>> arrived_;
};

/// Created on its loop by the coroutine that will wait. Who does the work elsewhere holds it as well, and
/// calls complete() once; the coroutine, or its whole loop, may be gone by then.
class completion : public std::enable_shared_from_this<completion> {
 public:
  explicit completion(const boost::asio::any_io_executor& loop);
  ~completion();
  completion(const completion&) = delete;
  completion& operator=(const completion&) = delete;

  /// Ends wait(). Must be called once. Thread safety: may be called by any thread.
  void complete();

  /// Waits for complete(); to be called once. Cancelling the waiting coroutine does not end the wait:
  /// `on_cancel` is called instead, on the loop, once, to bring complete() about. Returns whether that
  /// happened. Throws operation_aborted only if the coroutine was cancelled before it began to wait.
  static awaitable<bool> wait(std::shared_ptr<completion> one, std::function<void()> on_cancel);

 private:
  friend class loop_mailbox;
  class waiter;
  template <class Handler>
  class handler_waiter;
  class initiation;
  void arrive();
  void cancel();

  std::shared_ptr<loop_mailbox> mailbox_;
  // Guarded by the mailbox's mutex.
  boost::asio::any_io_executor loop_;
  completion* previous_ = nullptr;
  completion* next_ = nullptr;
  bool linked_ = false;
  // Used on the loop only.
  std::unique_ptr<waiter> waiter_;
  std::function<void()> on_cancel_;
  bool completed_ = false;
  bool cancelled_ = false;
};

}  // namespace quarq::async
