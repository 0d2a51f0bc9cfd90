// Renews a worker's lease from another thread than the worker's, over a connection of its own.
#pragma once

#include <functional>
#include <memory>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "broker/broker.hpp"
#include "workers/clock.hpp"
#include "workers/lease_renewer.hpp"

namespace quarq::workers {

/// Has a loop of its own, which runs in run_until() only. Thread safety: stop() may be called by any thread.
class backup_renewer {
 public:
  using opener = std::function<std::shared_ptr<broker::broker>(const boost::asio::any_io_executor& loop)>;

  /// Opens the connection; throws what `open` throws. `kept` is called with each renewal that succeeds, in run_until():
  /// until that moment, by this machine's clock, nobody else is given the jobs under the lease.
  backup_renewer(const opener& open, std::function<void(clock::time_point until)> kept);
  backup_renewer(const backup_renewer&) = delete;
  backup_renewer& operator=(const backup_renewer&) = delete;
  ~backup_renewer();

  /// Begins to renew, unless that is under way. What the answer says is left for the loop, which will ask for
  /// itself. An error is logged, the first time.
  void renew(renewed_lease what);
  /// Returns at `when`, or when stop() was called.
  void run_until(std::chrono::steady_clock::time_point when);
  void stop() { loop_.stop(); }

 private:
  awaitable<void> ask(std::shared_ptr<broker::broker> by, renewed_lease what);

  boost::asio::io_context loop_{1};
  const boost::asio::executor_work_guard<boost::asio::io_context::executor_type> open_{loop_.get_executor()};
  std::shared_ptr<broker::broker> broker_;
  const std::function<void(clock::time_point until)> kept_;
  boost::asio::cancellation_signal cancel_;  ///< of the renewal under way
  bool is_asking_ = false, has_complained_ = false;
};

}  // namespace quarq::workers
