// The waits of a running job for other jobs.
#pragma once

#include <string>
#include <utility>

#include "base/linked_list.hpp"

namespace quarq::model {

/// A wait for the end of a job, in the frame of the coroutine that waits.
struct job_wait : base::linked<job_wait> {
  job_wait(std::string its_queue, std::string its_id) : queue(std::move(its_queue)), id(std::move(its_id)) {}

  const std::string queue, id;  ///< of the job that is awaited
  bool lends_slot = false;      ///< for the one that is told of it
};

/// A running job, which is told of the waits of its coroutines.
class waiting_job {
 public:
  virtual void wait_began(job_wait& one) = 0;
  virtual void wait_ended(job_wait& one) noexcept = 0;

 protected:
  ~waiting_job() = default;
};

}  // namespace quarq::model
