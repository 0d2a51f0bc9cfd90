// What queues do without the types of calls.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include <quarq/awaitable.hpp>
#include <quarq/detail/call_data.hpp>
#include <quarq/job_filter.hpp>
#include <quarq/job_info.hpp>
#include <quarq/job_list.hpp>
#include <quarq/queue_stats.hpp>

namespace quarq {

class queue;
namespace clients {
class queue_impl;
class child_jobs;
}  // namespace clients

namespace detail {

struct enqueued {
  std::string id;
  bool accepted;  ///< false: the id was taken
};

/// Sends the calls together; the answers are in their order.
awaitable<std::vector<enqueued>> enqueue(std::shared_ptr<clients::queue_impl> queue,
                                         std::vector<call_data> calls);

/// The same for jobs that are children of another; `parents`: null for none.
awaitable<std::vector<enqueued>> enqueue(std::shared_ptr<clients::queue_impl> queue,
                                         std::vector<call_data> calls,
                                         std::shared_ptr<clients::child_jobs> parents);

/// Cancels the jobs, many at a time; the answers are in their order.
awaitable<std::vector<cancel_outcome>> cancel(std::shared_ptr<clients::queue_impl> queue,
                                              std::vector<std::string> ids);

/// Cancels, sends again, or forgets all jobs that the filter means.
awaitable<cancelled_jobs> cancel(std::shared_ptr<clients::queue_impl> queue, const job_filter& which);
awaitable<std::size_t> requeue(std::shared_ptr<clients::queue_impl> queue, const job_filter& which);
awaitable<std::size_t> purge(std::shared_ptr<clients::queue_impl> queue, const job_filter& which);

/// See queue::list, queue::count and queue::stats.
awaitable<job_list> list(std::shared_ptr<clients::queue_impl> queue, const job_filter& which,
                         const list_options& how);
awaitable<job_count> count(std::shared_ptr<clients::queue_impl> queue, const job_filter& which,
                           const list_options& how);
awaitable<std::vector<task_minute>> stats(std::shared_ptr<clients::queue_impl> queue,
                                          std::chrono::system_clock::time_point from,
                                          std::chrono::system_clock::time_point until,
                                          std::chrono::minutes step);

/// Whether that changed anything.
awaitable<bool> set_paused(std::shared_ptr<clients::queue_impl> queue, bool paused);
awaitable<bool> is_paused(std::shared_ptr<clients::queue_impl> queue);
/// See queue::pause_cron.
awaitable<bool> set_cron_paused(std::shared_ptr<clients::queue_impl> queue, std::string name, bool paused);
awaitable<std::vector<std::string>> paused_crons(std::shared_ptr<clients::queue_impl> queue);

/// For what sends through a queue without being a member of it.
struct queue_access {
  static const std::shared_ptr<clients::queue_impl>& impl(const queue& q) noexcept;
  static queue make(std::shared_ptr<clients::queue_impl> impl);
};

}  // namespace detail
}  // namespace quarq
