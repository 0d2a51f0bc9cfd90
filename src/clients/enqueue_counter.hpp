// Counts the calls that a client enqueues, by task, for its store, which keeps that minute by minute.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "broker/broker.hpp"

namespace quarq::clients {

/// Of one queue, on one loop. It tells the store beside the enqueueing that it counts, so that a program may end right after
/// that; and of what follows within `interval`, together, at its end. Nobody waits for that, and nobody hears where
/// it fails: a count is no job.
class enqueue_counter : public std::enable_shared_from_this<enqueue_counter> {
 public:
  static constexpr std::chrono::milliseconds interval{10};

  enqueue_counter(boost::asio::any_io_executor loop, std::shared_ptr<broker::broker> store, std::string queue)
      : loop_(std::move(loop)), store_(std::move(store)), queue_(std::move(queue)), timer_(loop_) {}

  void add(std::string_view task, std::uint64_t count);
  /// Tells the store, now or soon.
  void tell();
  /// The loop ends.
  void close() noexcept;

 private:
  using steady = std::chrono::steady_clock;

  static awaitable<void> send(std::shared_ptr<broker::broker> store, std::string queue,
                              std::vector<broker::task_counts> counts);

  boost::asio::any_io_executor loop_;
  std::shared_ptr<broker::broker> store_;
  const std::string queue_;
  std::optional<boost::asio::steady_timer> timer_;
  bool waits_ = false;
  steady::time_point sent_at_{};
  std::map<std::string, std::uint64_t, std::less<>> unsent_;
};

}  // namespace quarq::clients
