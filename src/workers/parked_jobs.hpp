// Jobs that this worker has claimed and does not run now: they stay under its lease, take no slot, and are
// handed back later, uncounted.
#pragma once

#include <cstddef>
#include <list>
#include <string>
#include <vector>

#include "broker/broker.hpp"
#include "workers/clock.hpp"
#include "workers/queue_lease.hpp"
#include "workers/role_group.hpp"
#include "workers/settler.hpp"

namespace quarq::workers {

class fetcher;
struct running_job;

class parked_jobs {
 public:
  /// How long a job is kept that other workers know better...
  static constexpr milliseconds keep_for{1'000};
  /// ...and how long they are left to take it before this worker asks for jobs again: python-arq's workers ask
  /// every half second.
  static constexpr milliseconds reclaim_delay{600};
  /// More are not kept: further ones are handed back at once, and the queue is left to others for as long.
  static constexpr std::size_t max_kept = 1'000;
  /// A burst worker would only claim it again. It hands everything back when it ends.
  static constexpr milliseconds keep_in_burst = std::chrono::hours(1);

  struct params {
    broker::broker& broker;
    settler& settlements;
    fetcher& claims;
    role_group& roles;
    clock& time;
    bool burst = false;
  };
  explicit parked_jobs(params p) : its_(p) {}

  /// Until the job with the id `until_ended` has ended; where that is empty, for a while.
  void park(const running_job& job, std::string until_ended);

  /// The broker ends it as cancelled when it is handed back.
  void cancel_requested(queue_lease& of, const std::string& id);
  /// Hands back what is kept: the worker is to hold nothing but one job.
  void hand_back_all();
  void append_ids(const queue_lease& of, std::vector<std::string>& ids) const;
  void clear() noexcept { parked_.clear(); }

 private:
  struct parked_job {
    queue_lease& from;
    std::string token, id;
    std::string until_ended;
    bool handed_back = false;
  };
  using place = std::list<parked_job>::iterator;

  awaitable<void> keep(place job);
  awaitable<void> wait_ended(parked_job& job);
  void hand_back(parked_job& job);

  params its_;
  std::list<parked_job> parked_;
};

}  // namespace quarq::workers
