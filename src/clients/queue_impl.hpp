// What the copies of one quarq::queue share: the broker, which is opened on the loop of the first use.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution_context.hpp>

#include <quarq/detail/call_data.hpp>
#include <quarq/detail/job_handle.hpp>

#include "async/loop_lifetime.hpp"
#include "broker/broker.hpp"
#include "clients/progress_watch.hpp"
#include "clients/wait_watch.hpp"
#include "trace/messaging.hpp"

namespace quarq::clients {

/// Throws usage_error for a name that a queue can't have.
void check_queue_name(const std::string& name);

/// Why a queue of a context can't be used.
std::string worker_has_ended(std::string_view queue);

/// What is traced of a queue's clients.
struct enqueue_operations {
  trace::operation send, create, send_batch;
};

class queue_impl final : public async::loop_guest, public std::enable_shared_from_this<queue_impl> {
 public:
  queue_impl(std::string url, std::string name, broker::open_options how = {});

  const std::string& url() const noexcept { return url_; }
  const std::string& name() const noexcept { return name_; }
  /// Of what is enqueued here. Thread-safe.
  const enqueue_operations& traced();

  /// The broker on this loop. Throws std::logic_error if another loop has it, usage_error after end_loan().
  std::shared_ptr<broker::broker> on(const boost::asio::any_io_executor& loop);

  /// Has a broker that was opened elsewhere, on this loop.
  void use(std::shared_ptr<broker::broker> broker, const boost::asio::any_io_executor& loop);

  /// Has a worker's, until end_loan(). Then the queue can't be used any more.
  void borrow(std::shared_ptr<broker::broker> broker, const boost::asio::any_io_executor& loop);
  void end_loan() noexcept { let_go(); }

  /// Waits for the end of a job, as broker::wait_ended does, on this loop. Where nobody is there to run the job,
  /// says so after a while.
  awaitable<std::optional<broker::ended>> wait_ended(boost::asio::any_io_executor loop, std::string id);
  /// The same, and tells meanwhile how far the job is. What that throws, this throws.
  awaitable<std::optional<broker::ended>> wait_ended(boost::asio::any_io_executor loop, std::string id,
                                                     detail::progress_function on_progress);
  /// By whom that is said; without this, by the log. To be called before the first use.
  void tell_by(wait_watch::teller tell) { tell_ = std::move(tell); }

  /// Lets go of the broker, which closes when the calls under way have ended. A borrowed one is kept.
  void close() noexcept;

  /// What the broker holds of the loop must end first.
  void loop_destroyed() noexcept override;

 private:
  void let_go() noexcept;

  std::string url_;
  std::string name_;
  broker::open_options how_;
  std::shared_ptr<broker::broker> broker_;
  std::once_flag traced_once_;
  std::optional<enqueue_operations> traced_;
  bool borrows_ = false;
  wait_watch::teller tell_;
  std::shared_ptr<wait_watch> watch_;         ///< there while the broker is
  std::shared_ptr<progress_watch> progress_;  ///< once somebody has asked for it
  boost::asio::execution_context* loop_ = nullptr;
};

}  // namespace quarq::clients
