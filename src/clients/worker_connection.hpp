// What the contexts of a worker's jobs reach: queues over the worker's own connection.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/any_io_executor.hpp>

#include <quarq/awaitable.hpp>

#include "broker/broker.hpp"
#include "clients/queue_impl.hpp"

namespace quarq::clients {

struct child_job {
  std::shared_ptr<queue_impl> queue;
  std::string id;
};

/// Belongs to the worker's loop, and outlives it without harm. Thread safety: queue() may be called by several threads,
/// which can do nothing with the queue but learn that it is another loop's.
class worker_connection : public std::enable_shared_from_this<worker_connection> {
 public:
  /// `url`: of `broker`, which is open on `loop`. `cancelled`: called when what cancel() began has ended.
  worker_connection(std::string url, std::shared_ptr<broker::broker> broker,
                    boost::asio::any_io_executor loop, std::function<void()> cancelled);

  /// The queue with this name, the same for all that ask. Throws usage_error for a name that a queue can't have, and
  /// after close().
  std::shared_ptr<queue_impl> queue(std::string_view name);

  /// Cancels the jobs in the background. What can't be cancelled is logged.
  void cancel(std::vector<child_job> jobs);
  /// Nothing is being cancelled.
  bool is_idle() const noexcept { return cancelling_ == 0; }

  /// The worker ends: the queues let go of its broker, and can't be used any more.
  void close() noexcept;

 private:
  // More are forgotten, as far as nobody uses them: names may be made of data.
  static constexpr std::size_t max_unused = 100;

  awaitable<void> cancel_all(std::vector<child_job> jobs);
  void forget_unused();

  const std::string url_;
  std::mutex mutex_;                        ///< guards broker_ and queues_
  std::shared_ptr<broker::broker> broker_;  ///< null after close()
  const boost::asio::any_io_executor loop_;
  std::function<void()> cancelled_;
  std::map<std::string, std::shared_ptr<queue_impl>, std::less<>> queues_;
  std::size_t cancelling_ = 0;
};

/// The jobs that an attempt of another has enqueued, and that are to be cancelled unless it succeeds.
class child_jobs {
 public:
  explicit child_jobs(std::weak_ptr<worker_connection> by) : by_(std::move(by)) {}

  /// After end(): cancelled at once, or left alone.
  void add(std::vector<child_job> jobs);

  enum class fate {
    cancelled,
    left_alone,  ///< the attempt has succeeded, or its worker does not own it any more
  };
  /// The attempt has ended. Only the first call counts.
  void end(fate of_all);

 private:
  void cancel(std::vector<child_job> jobs);

  std::weak_ptr<worker_connection> by_;
  std::vector<child_job> jobs_;
  std::optional<fate> fate_;
};

}  // namespace quarq::clients
