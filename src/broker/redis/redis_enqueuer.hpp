// Sends jobs to Redis: the enqueue() calls of one turn of the loop share a script call.
#pragma once

#include <chrono>
#include <exception>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "broker/broker.hpp"
#include "broker/redis/call_numbers.hpp"
#include "net/redis_connection.hpp"

namespace quarq::broker::redis {

/// A call's jobs stay together, so they are stored in one step, unless they are more than most_at_once or
/// most_bytes_at_once: then they go in several such calls, pipelined. Each script call has a number, by which
/// Redis knows it again when it is repeated because its answer was lost.
class redis_enqueuer : public std::enable_shared_from_this<redis_enqueuer> {
 public:
  redis_enqueuer(boost::asio::any_io_executor loop, net::redis_connection& connection);

  /// `waiter`: the name of one who is to be told when the jobs, all of fresh ids, have ended (redis_waits);
  /// or nothing.
  awaitable<std::vector<accepted>> enqueue(std::string queue, std::vector<new_job> jobs, std::string waiter);

  /// The server may have been restarted with nothing: what it should remember of us is set anew.
  void reconnected();
  /// The connection is about to go.
  void close() { connection_ = nullptr; }

 private:
  struct batch;
  struct sender;
  struct share;

  std::vector<share> place(const std::string& queue, std::vector<new_job> jobs, const std::string& waiter);
  std::shared_ptr<batch> new_batch(const std::string& queue, const std::string& waiter);
  static void flush(std::shared_ptr<redis_enqueuer> self, std::string queue, std::shared_ptr<batch> full);
  static awaitable<void> send(std::shared_ptr<redis_enqueuer> self, std::string queue,
                              std::shared_ptr<batch> full);
  std::vector<std::string> arguments(sender& from, const std::string& number, const batch& full) const;

  boost::asio::any_io_executor loop_;
  net::redis_connection* connection_;
  const std::string name_;
  std::map<std::string, sender, std::less<>> senders_;
};

// The calls of one queue.
struct redis_enqueuer::sender {
  std::weak_ptr<batch> open;  // takes more jobs
  call_numbers numbers;
  std::chrono::steady_clock::time_point touched{};
};

}  // namespace quarq::broker::redis
