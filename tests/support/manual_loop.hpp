// Coroutines on a loop that the test turns by hand, each with a cancellation of its own.
#pragma once

#include <chrono>
#include <exception>
#include <memory>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/system_error.hpp>

#include <quarq/awaitable.hpp>

#include "support/default_timeout.hpp"

namespace quarq::test {

/// One coroutine and what became of it.
class spawned {
 public:
  void cancel() { signal_.emit(boost::asio::cancellation_type::terminal); }
  bool ended() const noexcept { return ended_; }
  std::exception_ptr failure() const noexcept { return failure_; }
  bool aborted() const {
    if (!failure_) return false;
    try {
      std::rethrow_exception(failure_);
    } catch (const boost::system::system_error& e) {
      return e.code() == boost::asio::error::operation_aborted;
    } catch (...) {
      return false;
    }
  }

 private:
  friend class manual_loop;
  boost::asio::cancellation_signal signal_;
  bool ended_ = false;
  std::exception_ptr failure_;
};

class manual_loop {
 public:
  boost::asio::any_io_executor executor() { return loop_->get_executor(); }

  /// Starts it, up to where it first waits.
  std::shared_ptr<spawned> start(awaitable<void> work) {
    auto one = std::make_shared<spawned>();
    all_.push_back(one);
    boost::asio::co_spawn(*loop_, std::move(work), ending(one));
    run_ready();
    return one;
  }

  /// Until nothing can go on.
  void run_ready() {
    loop_->restart();
    loop_->poll();
  }

  /// Until all have ended, within the timeout.
  void finish() {
    loop_->restart();
    loop_->run_for(default_timeout);
  }

  /// The loop ends, whatever waits.
  void end_loop() { loop_.reset(); }

 private:
  // With a slot but no executor of its own: so that a cancellation is heard at once, not at the next turn.
  class ending {
   public:
    using cancellation_slot_type = boost::asio::cancellation_slot;
    explicit ending(std::shared_ptr<spawned> of) : of_(std::move(of)) {}
    cancellation_slot_type get_cancellation_slot() const noexcept { return of_->signal_.slot(); }
    void operator()(std::exception_ptr failure) {
      of_->failure_ = std::move(failure);
      of_->ended_ = true;
    }

   private:
    std::shared_ptr<spawned> of_;
  };

  // A signal outlives the coroutines that it may cancel.
  std::vector<std::shared_ptr<spawned>> all_;
  std::unique_ptr<boost::asio::io_context> loop_ = std::make_unique<boost::asio::io_context>(1);
};

}  // namespace quarq::test
