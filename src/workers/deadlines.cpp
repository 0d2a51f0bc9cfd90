#include "workers/deadlines.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace quarq::workers {

namespace asio = boost::asio;

void deadlines::set(running_job& job, clock::time_point when) {
  clear(job);
  job.deadline = when;
  job.fresh_deadline = fresh_.size();
  fresh_.push_back(&job);
  if (fresh_.size() == 1) changed_.set();
}

void deadlines::clear(running_job& job) {
  if (!job.deadline) return;
  if (const auto place = std::exchange(job.fresh_deadline, std::nullopt)) {
    auto* const last = fresh_.back();
    fresh_.pop_back();
    if (last != &job) {
      fresh_[*place] = last;
      last->fresh_deadline = *place;
    }
  } else {
    set_.erase({*job.deadline, &job});
  }
  job.deadline.reset();
}

void deadlines::put_fresh_in_order() {
  for (auto* const job : fresh_) {
    set_.emplace(*job->deadline, job);
    job->fresh_deadline.reset();
  }
  fresh_.clear();
}

awaitable<void> deadlines::run(std::function<void(running_job&)> passed) {
  const auto loop = co_await asio::this_coro::executor;
  while (true) {
    // Jobs that began in this turn of the loop, and do not wait for anything, end before this goes on.
    co_await asio::post(loop, asio::use_awaitable);
    put_fresh_in_order();
    while (!set_.empty() && set_.begin()->first <= clock_.now()) {
      auto& job = *set_.begin()->second;
      clear(job);
      passed(job);
      put_fresh_in_order();
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
