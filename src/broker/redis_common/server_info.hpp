// The server that a broker works with.
#pragma once

#include <set>
#include <string>
#include <vector>

#include <quarq/awaitable.hpp>

#include "redis/connection.hpp"

namespace quarq::broker::redis_common {

/// Checked before it is used, and told which queues there are.
class server_info {
 public:
  /// `all_queues`: the key of the set of all queues.
  server_info(quarq::redis::connection& connection, const char* all_queues)
      : connection_(connection), all_queues_(all_queues) {}

  /// Before anything is done: asks once. Throws broker_error for a server that is too old.
  awaitable<void> check();
  /// For broker::about_server().
  awaitable<std::string> summary();
  /// For broker::warnings().
  awaitable<std::vector<std::string>> warnings();

  /// Into the set of all queues. It has a slot of its own in a Cluster, so no script can do it.
  awaitable<void> remember_queue(std::string queue);
  awaitable<void> remember_queues(std::vector<std::string> queues);
  awaitable<std::vector<std::string>> known_queues();

  /// It may be another one now, or have lost its data.
  void reconnected() { known_.clear(); }

 private:
  quarq::redis::connection& connection_;
  const char* all_queues_;
  std::set<std::string, std::less<>> known_;
  bool checked_ = false;
};

}  // namespace quarq::broker::redis_common
