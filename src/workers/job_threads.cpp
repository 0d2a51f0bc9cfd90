#include "workers/job_threads.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/assert.hpp"

namespace quarq::workers {

namespace asio = boost::asio;

void job_threads::use(const thread_pool& pool) {
  pool_ = &pool;
}

// ---- the loop's side

void job_threads::add(running_job& job, clock::time_point start_by) {
  QUARQ_ASSERT(pool_ != nullptr);
  job.thread = {};
  job.thread.start_by = start_by;
  fresh_.push_back(&job);
  ++out_;
  if (!std::exchange(delivers_, true)) {
    const auto ended = [self = shared_from_this(), owner = its_.owner.lock()](std::exception_ptr e) {
      if (e) std::rethrow_exception(e);
    };
    asio::co_spawn(its_.loop, deliver(), ended);
  }
  if (fresh_.size() >= pushed_together) {
    push_fresh();
  } else if (!std::exchange(push_is_posted_, true)) {
    asio::post(its_.loop, [self = shared_from_this()] {
      self->push_is_posted_ = false;
      self->push_fresh();
    });
  }
}

void job_threads::push_fresh() {
  if (fresh_.empty()) return;
  std::size_t to_start = 0;
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.empty()) moved_at_ = its_.time.now();
    waiting_.insert(waiting_.end(), fresh_.begin(), fresh_.end());
    to_start = std::min(pool_->size() - working_, waiting_.size());
    working_ += to_start;
  }
  fresh_.clear();
  for (; to_start > 0; --to_start) pool_->post([self = shared_from_this()] { self->work(); });
}

bool job_threads::withdraw(running_job& job) {
  const auto remove_from = [&job](auto& jobs) {
    const auto at = std::find(jobs.begin(), jobs.end(), &job);
    if (at == jobs.end()) return false;
    jobs.erase(at);
    return true;
  };
  std::shared_ptr<async::completion> waits;
  {
    const std::lock_guard lock(mutex_);
    if (!remove_from(fresh_) && !remove_from(waiting_)) return false;
    back_.push_back(&job);
    waits = std::move(loop_waits_);
  }
  if (waits) waits->complete();
  return true;
}

void job_threads::close() {
  fresh_.clear();
  const std::lock_guard lock(mutex_);
  waiting_.clear();
}

clock::time_point job_threads::moved_at() {
  const std::lock_guard lock(mutex_);
  return moved_at_;
}

// While any job is out.
awaitable<void> job_threads::deliver() {
  while (out_ > 0) {
    co_await wait_for_news();
    deliver_news();
  }
  delivers_ = false;
}

awaitable<void> job_threads::wait_for_news() {
  std::shared_ptr<async::completion> news;
  {
    const std::lock_guard lock(mutex_);
    if (began_.empty() && back_.empty()) {
      news = std::make_shared<async::completion>(its_.loop);
      loop_waits_ = news;
    }
  }
  if (news) {
    std::function<void()> nothing;
    [[maybe_unused]] const bool was_cancelled = co_await async::completion::wait(news, std::move(nothing));
  } else {
    co_await asio::post(its_.loop, asio::use_awaitable);  // the loop has other things to do as well
  }
}

void job_threads::deliver_news() {
  {
    const std::lock_guard lock(mutex_);
    began_now_.swap(began_);
    back_now_.swap(back_);
  }
  for (auto* job : back_now_) job->thread.is_back = true;
  for (auto* job : began_now_) its_.began(*job);
  began_now_.clear();
  for (auto* job : back_now_) {
    const auto& its = job->thread;
    if (its.has_begun) average_ += (its.ended - its.began - average_) / 4;
    --out_;
    its_.back(*job);
  }
  back_now_.clear();
}

std::size_t job_threads::ahead() const noexcept {
  if (average_ >= quick || pool_ == nullptr) return 0;
  const auto of_each = static_cast<std::size_t>(quick / std::max(average_, std::chrono::nanoseconds(1)));
  return std::min(of_each * pool_->size(), max_ahead);
}

// ---- on threads

void job_threads::work() {
  for (auto* job = exchange_jobs(nullptr); job != nullptr; job = exchange_jobs(job)) {
    try {
      job->thread.result = job->how->on_thread(job->ctx, job->record.arguments);
    } catch (...) {
      job->thread.thrown = std::current_exception();
    }
  }
}

// Gives back the job that is done, if any, and takes the next. Null: none waits, and this thread leaves.
running_job* job_threads::exchange_jobs(running_job* done) {
  const auto now = its_.time.now();
  running_job* taken = nullptr;
  std::shared_ptr<async::completion> waits;
  {
    const std::lock_guard lock(mutex_);
    if (done != nullptr) {
      done->thread.ended = now;
      back_.push_back(done);
    }
    while (taken == nullptr && !waiting_.empty()) {
      auto* const first = waiting_.front();
      waiting_.pop_front();
      if (now <= first->thread.start_by) {
        taken = first;
      } else {
        back_.push_back(first);
      }
    }
    if (taken != nullptr) {
      moved_at_ = now;
      taken->thread.has_begun = true;
      taken->thread.began = now;
      began_.push_back(taken);
    } else {
      --working_;
    }
    if (!began_.empty() || !back_.empty()) waits = std::move(loop_waits_);
  }
  if (waits) waits->complete();
  return taken;
}

}  // namespace quarq::workers
