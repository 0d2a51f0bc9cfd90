// What brokers have counted minute by minute, as the pages plot it.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include <quarq/queue_stats.hpp>

#include "dashboard/views.hpp"

namespace quarq::dashboard {

/// Adds up minutes, of several queues, in steps: so long that there are about a hundred of them.
class stats_sum {
 public:
  using minutes = std::chrono::minutes;
  using time_point = task_minute::time_point;

  /// The `last` minutes before the end of the minute `now`; a minute at least, and as many as brokers keep at most.
  stats_sum(time_point now, minutes last);

  time_point from() const noexcept { return from_; }
  time_point until() const noexcept { return until_; }
  minutes step() const noexcept { return step_; }

  void add(const std::vector<task_minute>& some);
  /// With a step for each time in which nothing happened.
  stats_view view() const;

 private:
  minutes step_;
  time_point from_, until_;
  std::map<time_point, task_stats> steps_;
  std::map<std::string, task_stats> tasks_;
};

}  // namespace quarq::dashboard
