#include "workers/deadlines.hpp"

namespace quarq::workers {

void deadlines::set(running_job& job, clock::time_point when) {
  clear(job);
  job.deadline = when;
  const auto place = set_.emplace(when, &job).first;
  if (place == set_.begin()) changed_.set();
}

void deadlines::clear(running_job& job) {
  if (job.deadline) set_.erase({*job.deadline, &job});
  job.deadline.reset();
}

awaitable<void> deadlines::run(std::function<void(running_job&)> passed) {
  while (true) {
    while (!set_.empty() && set_.begin()->first <= clock_.now()) {
      auto& job = *set_.begin()->second;
      clear(job);
      passed(job);
    }
    if (set_.empty()) {
      co_await changed_.wait();
    } else {
      const auto next = set_.begin()->first;
      co_await clock_.wait_until(changed_, next);
    }
  }
}

}  // namespace quarq::workers
