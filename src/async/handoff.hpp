// One event, from any thread to one coroutine on its loop.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include <boost/asio/any_io_executor.hpp>

#include <quarq/awaitable.hpp>

namespace quarq::async {

class handoff;

/// The way into a loop for other threads, which may be held for longer than the loop lives: what arrives
/// after its end is dropped. What arrives together wakes the loop once.
class loop_port : public std::enable_shared_from_this<loop_port> {
 public:
  /// The one of this loop.
  static std::shared_ptr<loop_port> of(const boost::asio::any_io_executor& loop);

  explicit loop_port(boost::asio::any_io_executor context) : context_(std::move(context)) {}
  /// The loop ends: coroutines that wait are destroyed, and nothing is posted to it any more.
  void close() noexcept;

 private:
  friend class handoff;
  static void drain(const std::shared_ptr<loop_port>& port);
  void deliver(std::shared_ptr<handoff> one);
  void link(handoff& one);
  void unlink(handoff& one) noexcept;

  std::mutex mutex_;
  boost::asio::any_io_executor context_;
  bool open_ = true;
  handoff* all_ = nullptr;  ///< those that have not arrived, so that close() finds them
  std::vector<std::shared_ptr<handoff>> arrived_;
};

/// Made on its loop by the coroutine that will wait. Whoever works elsewhere holds it as well, and calls
/// complete() once; the coroutine, or its whole loop, may be gone by then.
class handoff : public std::enable_shared_from_this<handoff> {
 public:
  explicit handoff(const boost::asio::any_io_executor& loop);
  ~handoff();
  handoff(const handoff&) = delete;
  handoff& operator=(const handoff&) = delete;

  /// The event has happened: wait() ends. Once. Thread-safe.
  void complete();

  /// Waits for complete(), once. Does not end before it, also when the waiting coroutine is cancelled: then
  /// `on_cancel` is called on the loop, once, to bring complete() about. Returns whether that was so. Throws
  /// operation_aborted only if the coroutine had been cancelled before it began to wait.
  static awaitable<bool> wait(std::shared_ptr<handoff> event, std::function<void()> on_cancel);

 private:
  friend class loop_port;
  class waiter;
  template <class Handler>
  class handler_waiter;
  class starter;
  void arrive();
  void cancel();

  std::shared_ptr<loop_port> port_;
  // Guarded by the port's mutex.
  boost::asio::any_io_executor loop_;
  handoff* previous_ = nullptr;
  handoff* next_ = nullptr;
  bool linked_ = false;
  // On the loop only.
  std::unique_ptr<waiter> waiter_;
  std::function<void()> on_cancel_;
  bool happened_ = false;
  bool cancelled_ = false;
};

}  // namespace quarq::async
