// Tells a running job that one of its coroutines waits for another job.
#pragma once

#include <optional>
#include <string>

#include <boost/asio/any_io_executor.hpp>

#include "async/activity.hpp"
#include "model/current_job.hpp"
#include "model/job_wait.hpp"

namespace quarq::clients {

/// It stands in the frame of the coroutine that waits. Outside of jobs it does nothing.
class wait_in_job {
 public:
  /// `executor`: the coroutine's, which says whether it runs for a job.
  wait_in_job(const boost::asio::any_io_executor& executor, const std::string& queue, const std::string& id)
      : for_(async::activity_of(executor)) {
    auto* const job = waiting();
    if (job != nullptr) job->wait_began(wait_.emplace(queue, id));
  }
  wait_in_job(const wait_in_job&) = delete;
  wait_in_job& operator=(const wait_in_job&) = delete;
  ~wait_in_job() {
    if (auto* const job = waiting()) job->wait_ended(*wait_);
  }

 private:
  // Null, too, when the job has ended and left this coroutine behind.
  model::waiting_job* waiting() const noexcept {
    const auto* const job = model::find_job(for_);
    return job != nullptr ? job->waiting : nullptr;
  }

  const async::activity for_;
  std::optional<model::job_wait> wait_;  ///< of a job
};

}  // namespace quarq::clients
