// One timer for all jobs under way: when a job's time is over.
#pragma once

#include <functional>
#include <set>
#include <utility>
#include <vector>

#include "workers/clock.hpp"
#include "workers/running_job.hpp"

namespace quarq::workers {

class deadlines {
 public:
  deadlines(clock& by, boost::asio::any_io_executor loop) : clock_(by), changed_(std::move(loop)) {}

  /// Replaces the job's deadline, if it has one. Costs little where it is cleared within the same turn of the loop.
  void set(running_job& job, clock::time_point when);
  void set(running_job& job, milliseconds from_now) { set(job, clock_.now() + from_now); }
  void clear(running_job& job);

  /// Calls `passed` for each job whose deadline has come, after clearing it. Until it is cancelled.
  awaitable<void> run(std::function<void(running_job&)> passed);

 private:
  void put_fresh_in_order();

  clock& clock_;
  async::auto_reset_event changed_;  // something is fresh
  std::vector<running_job*> fresh_;  // not in set_ yet: most jobs have ended before the next turn of the loop
  std::set<std::pair<clock::time_point, running_job*>> set_;
};

}  // namespace quarq::workers
