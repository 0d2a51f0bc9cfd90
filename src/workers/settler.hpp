// Tells the broker how attempts ended. What ends while one batch is under way goes with the next. An end that
// the store refuses for itself, too long for example, does not hold up the others.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "broker/broker.hpp"
#include "workers/clock.hpp"
#include "workers/log_limiter.hpp"
#include "workers/queue_lease.hpp"
#include "workers/refused_end.hpp"

namespace quarq::workers {

class settler {
 public:
  static constexpr std::size_t max_batch = 512;
  /// Before the broker is asked again, after an error.
  static constexpr milliseconds pause_after_error{500};
  /// An end that is refused so often is replaced by a short one, as failed.
  static constexpr int max_refusals = 5;

  struct params {
    broker::broker& broker;
    queue_leases& leases;
    clock& time;
    boost::asio::any_io_executor loop;
    std::function<void()> answered;  ///< a batch is off our hands
  };
  explicit settler(params p);

  /// Returns the settlement's number.
  std::uint64_t settle(const queue_lease& of, broker::settlement s);
  /// Gives the job back to its queue, uncounted.
  void hand_back(const queue_lease& of, std::string id);
  /// Tells the broker that the job has begun, and waits for the answer: false if it is not ours any more, or was settled
  /// before that was sent. Cancelling the await gives up the wait, and where it can, the message; then the job is to be settled.
  awaitable<bool> begin(const queue_lease& of, std::string id);

  /// One role for each queue: sends what is to be sent, until it is cancelled.
  awaitable<void> run(queue_lease& of);

  /// Waits until the broker has answered to the settlement of this number, which must have been handed over in
  /// the same turn of the loop. False: this end was not recorded, because the job was no longer ours, the
  /// store refused it, or the worker ends without an answer.
  awaitable<bool> wait_answered(const queue_lease& of, std::uint64_t number);

  /// The lease is lost: what was not sent yet counts for nothing.
  void lease_lost(const queue_lease& of);
  /// The worker ends: ends all waits.
  void abandon();

  /// Whether every settlement has been answered.
  bool is_idle() const noexcept { return unrecorded() == 0; }
  /// How many have not been answered.
  std::size_t unrecorded() const noexcept;
  /// Appends the ids of the jobs whose settlements have not been answered.
  void append_ids(const queue_lease& of, std::vector<std::string>& ids) const;

 private:
  /// What wait_answered waits for.
  struct waiter {
    explicit waiter(const boost::asio::any_io_executor& loop) : answered(loop) {}
    async::auto_reset_event answered;
    bool held = false;
  };
  /// By the settlement's number.
  using waiters = std::unordered_map<std::uint64_t, std::shared_ptr<waiter>>;
  struct outbox {
    explicit outbox(const boost::asio::any_io_executor& loop) : ready(loop) {}
    std::vector<numbered_settlement> unsent;
    std::vector<numbered_settlement> in_flight;
    std::vector<refused_end> refused;  ///< in the order in which they are sent again
    async::auto_reset_event ready;
    std::size_t unsent_begins = 0;  ///< settlements of this kind in `unsent`
    waiters for_begins, for_ends;
    log_limiter complaints;
  };
  /// A part of what is in flight.
  struct part {
    std::size_t first = 0, count = 0;
  };
  struct answer {
    std::vector<bool> held;
    std::optional<std::string> refusal;  ///< what the store said against these settlements
  };

  awaitable<void> wait_for_work(outbox& box);
  void take_batch(outbox& box);
  awaitable<void> send_batch(const queue_lease& of);
  awaitable<void> send_refused(const queue_lease& of);
  awaitable<bool> send_short_end(const queue_lease& of, const broker::lease& under,
                                 const refused_end& refused);
  awaitable<answer> send(const queue_lease& of, const broker::lease& under, part p);
  void complain(const queue_lease& of, std::size_t count, const char* why);
  void accept(const queue_lease& of, part p, const std::vector<bool>& held);
  void retry_alone(const queue_lease& of, const broker::lease& under, refused_end refused);
  std::shared_ptr<waiter> wait_in(waiters& those, std::uint64_t number);
  static void forget_begin(outbox& box, const std::string& id);
  static void wake_waiter(outbox& box, const numbered_settlement& s, bool held);
  outbox& box_of(const queue_lease& l) { return outboxes_[l.index]; }

  params its_;
  std::uint64_t last_number_ = 0;
  std::deque<outbox> outboxes_;  // one for each queue
};

}  // namespace quarq::workers
