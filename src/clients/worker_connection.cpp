#include "clients/worker_connection.hpp"

#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <fmt/format.h>

#include <quarq/errors.hpp>

#include "base/log.hpp"
#include "clients/cancel.hpp"
#include "codecs/utf8.hpp"

namespace quarq::clients {

namespace asio = boost::asio;

worker_connection::worker_connection(std::string url, std::shared_ptr<broker::broker> broker,
                                     asio::any_io_executor loop, std::function<void()> cancelled)
    : url_(std::move(url)),
      broker_(std::move(broker)),
      loop_(std::move(loop)),
      cancelled_(std::move(cancelled)) {}

std::shared_ptr<queue_impl> worker_connection::queue(std::string_view name) {
  const std::lock_guard lock(mutex_);
  if (!broker_) throw usage_error(worker_has_ended(name));
  const auto known = queues_.find(name);
  if (known != queues_.end()) return known->second;
  if (queues_.size() >= max_unused) forget_unused();
  auto made = std::make_shared<queue_impl>(url_, std::string(name));
  made->borrow(broker_, loop_);
  queues_.emplace(name, made);
  return made;
}

void worker_connection::forget_unused() {
  std::erase_if(queues_, [](const auto& one) { return one.second.use_count() == 1; });
}

void worker_connection::cancel(std::vector<child_job> jobs) {
  if (jobs.empty() || !broker_) return;
  ++cancelling_;
  const auto done = [self = shared_from_this()](std::exception_ptr) {
    --self->cancelling_;
    if (self->cancelled_) self->cancelled_();
  };
  asio::co_spawn(loop_, cancel_all(std::move(jobs)), done);
}

awaitable<void> worker_connection::cancel_all(std::vector<child_job> jobs) {
  const auto broker = broker_;
  std::map<std::string, std::vector<std::string>> by_queue;
  for (auto& job : jobs) by_queue[job.queue->name()].push_back(std::move(job.id));
  for (auto& [queue, ids] : by_queue) {
    const auto first = ids.front();
    const auto count = ids.size();
    try {
      co_await clients::cancel(broker, queue, std::move(ids));
    } catch (const std::exception& e) {
      base::log().warn(
          "{} jobs of queue {} (id={} ...) could not be cancelled with the job that enqueued them: {}", count,
          queue, codecs::printable(first, 80), e.what());
    }
  }
}

void worker_connection::close() noexcept {
  const std::lock_guard lock(mutex_);
  for (const auto& [name, queue] : queues_) queue->end_loan();
  queues_.clear();
  broker_.reset();
  cancelled_ = nullptr;
}

void child_jobs::add(std::vector<child_job> jobs) {
  if (!fate_) {
    jobs_.insert(jobs_.end(), std::move_iterator(jobs.begin()), std::move_iterator(jobs.end()));
  } else if (*fate_ == fate::cancelled) {
    cancel(std::move(jobs));
  }
}

void child_jobs::end(fate of_all) {
  if (fate_) return;
  fate_ = of_all;
  if (of_all == fate::cancelled) cancel(std::move(jobs_));
  jobs_.clear();
}

void child_jobs::cancel(std::vector<child_job> jobs) {
  if (const auto by = by_.lock()) by->cancel(std::move(jobs));
}

}  // namespace quarq::clients
