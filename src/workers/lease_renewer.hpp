// Keeps the lease of a queue, hears which jobs are to be cancelled, and makes a new lease when one was lost.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "broker/broker.hpp"
#include "workers/clock.hpp"
#include "workers/log_limiter.hpp"
#include "workers/queue_lease.hpp"

namespace quarq::workers {

class lease_renewer {
 public:
  struct params {
    broker::broker& broker;
    queue_leases& leases;
    clock& time;
    boost::asio::any_io_executor loop;
    milliseconds duration{0};  ///< of a lease
    /// What the worker says of itself at each renewal, as broker::lease_options::worker_info.
    std::function<std::string()> worker_info;
    /// What a lease with this token is to be told.
    std::function<broker::worker_events(queue_lease&, const std::string& token)> events;
    std::function<void(queue_lease&)> work_ready;
    std::function<void(queue_lease&, const std::string& id)> cancel_requested;
    /// The lease is lost, and its token still known. Returns how many running jobs went with it.
    std::function<std::size_t(queue_lease&)> lease_lost;
  };
  explicit lease_renewer(params p);

  /// Makes a lease for the queue, which has none.
  awaitable<void> open(queue_lease& l);
  /// One role for each queue: renews its lease until it is cancelled.
  awaitable<void> run(queue_lease& l);
  /// Renews at once: something suggests that the lease is lost.
  void renew_now(const queue_lease& l) { hurry_[l.index].set(); }
  /// Hands back all that is held.
  awaitable<void> close(const queue_lease& l);

  /// Often enough that two renewals can be lost, and that lost workers are found soon after their lease has
  /// run out.
  static milliseconds interval(milliseconds duration);

 private:
  awaitable<void> renew(queue_lease& l);
  awaitable<void> replace(queue_lease& l);
  broker::lease_options terms() const { return {its_.duration, its_.worker_info()}; }

  params its_;
  std::deque<async::auto_reset_event> hurry_;  // one for each queue
  std::vector<log_limiter> complaints_;        // likewise
};

}  // namespace quarq::workers
