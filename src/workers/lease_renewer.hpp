// Keeps the worker's lease, hears which jobs are to be cancelled, and makes a new lease when one was lost.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "broker/broker.hpp"
#include "workers/clock.hpp"
#include "workers/log_limiter.hpp"
#include "workers/queue_lease.hpp"

namespace quarq::workers {

/// A worker's lease, and what was said of it when it was renewed.
struct renewed_lease {
  broker::worker_lease held;
  broker::lease_options terms;
};

class lease_renewer {
 public:
  struct params {
    broker::broker& broker;
    queue_leases& leases;  ///< one for each queue, all under the token of the worker's one lease
    clock& time;
    boost::asio::any_io_executor loop;
    milliseconds duration{0};  ///< of a lease
    /// What the worker says of itself at each renewal, as broker::lease_options::worker_info.
    std::function<std::string()> worker_info;
    std::string announcement;  ///< as in broker::lease_options
    /// What a lease with this token is to be told.
    std::function<broker::worker_events(const std::string& token)> events;
    std::function<void(queue_lease&)> work_ready;
    std::function<void(queue_lease&, const std::string& id)> cancel_requested;
    /// The lease is lost, and its token still known. Returns how many running jobs of this queue went with it.
    std::function<std::size_t(queue_lease&)> lease_lost;
    /// What kept the worker from renewing lately, as the end of a sentence; empty: nothing that is known.
    std::function<std::string()> why_silent = [] { return std::string(); };
    /// Jobs are ready in this queue, which is paused.
    std::function<void(queue_lease&)> queue_paused = [](queue_lease&) {};
    std::optional<int> says_begin_from = std::nullopt;  ///< as in broker::lease_options
    /// The store has answered: it may be told other things.
    std::function<void()> renewed = [] {};
  };
  explicit lease_renewer(params p);

  /// Makes a lease over all queues. REQUIRES: there is none.
  awaitable<void> open();
  /// Renews it until it is cancelled.
  awaitable<void> run();
  /// Renews at once: something suggests that the lease is lost.
  void renew_now() { hurry_.set(); }
  /// The lease as it was renewed last; nothing: none is held. Thread-safe.
  std::optional<renewed_lease> last_renewed() const;
  /// Hands back all that is held, also under a lease whose opening was cancelled.
  awaitable<void> close();

  /// Often enough that two renewals can be lost, and that lost workers are found soon after their lease has
  /// run out. Of more than 500 workers each renews less often, so that all together cost the store no more; but
  /// within two seconds, or its silence would be taken for an outage (shared_silence.lua).
  static milliseconds interval(milliseconds duration, std::size_t workers = 0);

 private:
  awaitable<void> renew();
  awaitable<void> replace();
  bool is_held() const noexcept { return !held_.token.empty(); }
  void work_may_be_ready();
  void note_renewed(std::string worker_info);
  void note_released();

  params its_;
  broker::worker_lease held_;  ///< its token is empty while none is held
  std::size_t workers_ = 0;    ///< of the store, as of the last renewal
  std::string opening_;        ///< the token of a lease that may be open: no answer has come
  mutable std::mutex mutex_;   ///< guards renewed_
  std::optional<renewed_lease> renewed_;
  async::auto_reset_event hurry_;
  log_limiter complaints_;
};

}  // namespace quarq::workers
