// The job for which coroutines of a loop run.
#pragma once

#include <atomic>
#include <chrono>

#include <quarq/context.hpp>

#include "async/activity.hpp"
#include "model/job_wait.hpp"

namespace quarq::model {

/// A job whose coroutines, its handler's or its hooks', run on a loop. It stays where it is while the attempt
/// lasts.
struct current_job {
  static constexpr auto no_limit = std::chrono::steady_clock::time_point::max();

  explicit current_job(const context& c, waiting_job* w = nullptr) noexcept : ctx(c), waiting(w) {}

  const context& ctx;    ///< its id, task and so on
  waiting_job* waiting;  ///< to be told of its waits for other jobs; may be null
  /// When it has timed out and had its time to stop. Read by other threads.
  std::atomic<std::chrono::steady_clock::time_point> must_end_by{no_limit};
};

/// That of this activity; null: it is none of a job, or the job has ended.
inline const current_job* find_job(const async::activity& what) noexcept {
  return static_cast<const current_job*>(what.subject());
}

}  // namespace quarq::model
