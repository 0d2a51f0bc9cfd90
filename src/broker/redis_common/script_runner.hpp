// Scripts over the keys of queues.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <quarq/awaitable.hpp>

#include "broker/broker.hpp"
#include "broker/redis_common/repeatable_calls.hpp"
#include "redis/connection.hpp"

namespace quarq::broker::redis_common {

/// Runs scripts whose KEYS[1] is a queue's prefix. A queue is named as the layout's `prefix_of` takes it.
class script_runner {
 public:
  using reply = quarq::redis::reply;
  using script = quarq::redis::script;
  using strings = std::vector<std::string>;

  /// `usual`: the connection for all that names none. REQUIRES: it outlives this.
  script_runner(quarq::redis::connection& usual, std::string (*prefix_of)(std::string_view queue))
      : usual_(usual), prefix_of_(prefix_of) {}

  awaitable<reply> run(const script& what, std::string queue, strings args);
  awaitable<reply> run_over(quarq::redis::connection& over, const script& what, std::string queue,
                            strings args);
  /// Over all queues of a lease.
  awaitable<reply> run_for(const script& what, const worker_lease& held, strings args);
  /// One that needs shared_once (repeatable_calls.hpp).
  awaitable<reply> run_once(const script& what, std::string queue, strings args);
  awaitable<reply> run_once_over(quarq::redis::connection& over, const script& what, std::string queue,
                                 strings args);
  /// A command without arguments but the key: that of the queue whose name ends so.
  awaitable<reply> ask(const char* command, std::string queue, std::string_view key);

 private:
  quarq::redis::connection& usual_;
  std::string (*prefix_of_)(std::string_view queue);
  repeatable_calls repeatable_;
};

}  // namespace quarq::broker::redis_common
