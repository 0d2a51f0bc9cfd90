// Looks for jobs and aborts of Python's clients, which notify nobody.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "broker/broker.hpp"
#include "redis/connection.hpp"

namespace quarq::broker::arq {

/// Of one worker's lease, over all its queues: one call looks at all of them whose turn it is, so that what the looks
/// cost hardly depends on how many queues there are. It asks only while there is something to hear of: for ready jobs
/// of a queue while the worker waits for some, every few milliseconds at first, then less and less often; for aborts
/// while it runs jobs.
class poller : public std::enable_shared_from_this<poller> {
 public:
  /// Each names a queue by its key.
  struct callbacks {
    std::function<void(const std::string& queue)> work_ready;
    std::function<void(const std::string& queue, std::string id)> abort_requested;
  };

  poller(boost::asio::any_io_executor loop, quarq::redis::connection& connection, std::string token,
         milliseconds max_pause, callbacks events);

  void start();
  /// A claim in this queue has brought `got` jobs; it brought fewer than asked: `waiting_for_jobs`.
  void claimed(const std::string& queue, std::size_t got, bool waiting_for_jobs);
  /// The worker has been told of work in this queue by somebody else.
  void woken(const std::string& queue);
  /// How many jobs of this queue the worker runs now.
  void runs(const std::string& queue, std::size_t count);
  /// The lease is over, or the connection about to go.
  void close();

 private:
  using steady = std::chrono::steady_clock;
  struct one_queue {
    bool waiting_for_jobs = false, busy = false;
    milliseconds pause{0};
    steady::time_point active_until{}, poll_at{};
  };

  static awaitable<void> run(std::shared_ptr<poller> self);
  awaitable<void> poll(std::vector<std::string> for_work, bool for_aborts);
  std::vector<std::string> queues_due(steady::time_point now) const;
  bool aborts_due(steady::time_point now) const { return busy_queues_ > 0 && poll_for_aborts_ <= now; }
  void plan_next(const std::vector<std::string>& looked_at, bool failed);
  void report_work(const std::vector<std::string>& looked_at, std::string_view ready);
  steady::time_point next_poll() const;
  one_queue& of(const std::string& queue);
  void plan(steady::time_point at);

  boost::asio::any_io_executor loop_;
  quarq::redis::connection* connection_;
  const std::string token_;
  const milliseconds max_pause_;
  const callbacks events_;
  std::map<std::string, one_queue, std::less<>> queues_;  // by key
  std::size_t busy_queues_ = 0;
  steady::time_point poll_for_aborts_{};
  boost::asio::steady_timer* timer_ = nullptr;  // run()'s, while it runs
};

}  // namespace quarq::broker::arq
