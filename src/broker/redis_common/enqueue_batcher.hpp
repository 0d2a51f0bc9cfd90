// Sends jobs to Redis: the enqueue() calls of one turn of the loop share a script call.
#pragma once

#include <chrono>
#include <exception>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "broker/broker.hpp"
#include "broker/redis_common/request_ids.hpp"
#include "redis/connection.hpp"

namespace quarq::broker::redis_common {

/// A job as a script takes it.
struct packed_job {
  std::string id, record;
  std::string packed_options;  ///< its options, for the script: pack_options()
  std::string task{};          ///< as in new_job
};

/// A call's jobs stay together, so they are stored in one step, unless they are more than max_jobs_per_call or
/// max_bytes_per_call: then they go in several such calls, pipelined. Each script call has a number, by which
/// Redis knows it again when it is repeated because its answer was lost.
class enqueue_batcher : public std::enable_shared_from_this<enqueue_batcher> {
 public:
  /// `script` stores jobs: its arguments and reply are enqueue.lua's. `prefix_of` gives a queue's KEYS[1].
  /// Large calls go over `payloads`, if it is not null.
  enqueue_batcher(boost::asio::any_io_executor loop, quarq::redis::connection& connection,
                  const quarq::redis::script& script, std::string (*prefix_of)(std::string_view queue),
                  quarq::redis::connection* payloads = nullptr);

  /// `waiter`: the name of a client to notify when the jobs, all of fresh ids, have ended (result_waiters);
  /// or nothing.
  awaitable<std::vector<accepted>> enqueue(std::string queue, std::vector<packed_job> jobs,
                                           std::string waiter);

  /// The server may have been restarted with nothing: its record of our calls is set anew.
  void reconnected();
  /// The connection is about to go.
  void close() { connection_ = nullptr; }

 private:
  struct batch;
  struct sender;
  struct share;

  std::vector<share> place(const std::string& queue, std::vector<packed_job> jobs, const std::string& waiter);
  std::shared_ptr<batch> new_batch(const std::string& queue, const std::string& waiter);
  static void flush(std::shared_ptr<enqueue_batcher> self, std::string queue, std::shared_ptr<batch> full);
  static awaitable<void> send(std::shared_ptr<enqueue_batcher> self, std::string queue,
                              std::shared_ptr<batch> full);
  std::vector<std::string_view> arguments(sender& from, std::string_view number, std::string_view answered,
                                          const batch& full) const;

  boost::asio::any_io_executor loop_;
  quarq::redis::connection* connection_;
  quarq::redis::connection* payloads_;
  const quarq::redis::script* script_;
  std::string (*prefix_of_)(std::string_view queue);
  const std::string name_;
  std::map<std::string, sender, std::less<>> senders_;
};

// The calls of one queue.
struct enqueue_batcher::sender {
  std::weak_ptr<batch> open;  // takes more jobs
  request_ids numbers;
  std::chrono::steady_clock::time_point touched{};
};

}  // namespace quarq::broker::redis_common
