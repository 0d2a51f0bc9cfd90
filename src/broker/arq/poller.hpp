// Looks for jobs and aborts of Python's clients, which notify nobody.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "broker/broker.hpp"
#include "redis/connection.hpp"

namespace quarq::broker::arq {

/// Of one lease. It asks only while there is something to hear of: for ready jobs while the worker waits for
/// some, every few milliseconds at first, then less and less often; for aborts while it runs jobs.
class poller : public std::enable_shared_from_this<poller> {
 public:
  struct callbacks {
    std::function<void()> work_ready;
    std::function<void(std::string)> abort_requested;
  };

  poller(boost::asio::any_io_executor loop, quarq::redis::connection& connection, lease of,
         milliseconds max_pause, callbacks events);

  void start();
  /// A claim has brought `got` jobs; it brought fewer than asked: `waiting_for_jobs`.
  void claimed(std::size_t got, bool waiting_for_jobs);
  /// The worker has been told of work by somebody else.
  void woken() { waiting_for_jobs_ = false; }
  /// How many jobs the worker runs now.
  void runs(std::size_t count);
  /// The lease is over, or the connection about to go.
  void close();

 private:
  using steady = std::chrono::steady_clock;

  static awaitable<void> run(std::shared_ptr<poller> self);
  awaitable<void> poll(bool for_work, bool for_aborts);
  steady::time_point next_poll() const;
  void plan();

  boost::asio::any_io_executor loop_;
  quarq::redis::connection* connection_;
  const lease of_;
  const milliseconds max_pause_;
  const callbacks events_;
  bool waiting_for_jobs_ = false, busy_ = false;
  milliseconds pause_;
  steady::time_point active_until_{}, poll_for_work_{}, poll_for_aborts_{};
  boost::asio::steady_timer* timer_ = nullptr;  // run()'s, while it runs
};

}  // namespace quarq::broker::arq
