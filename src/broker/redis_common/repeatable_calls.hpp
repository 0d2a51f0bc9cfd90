// Calls of clients that change something once, however often they are sent.
#pragma once

#include <string>
#include <vector>

#include "broker/redis_common/request_ids.hpp"
#include "redis/connection.hpp"

namespace quarq::broker::redis_common {

/// Runs scripts that need shared_once: they are answered as the first time when the connection sends them
/// again, because their answer was lost.
class repeatable_calls {
 public:
  repeatable_calls();

  /// The script gets three arguments before `args`: our name, the number of this call and those of earlier
  /// ones that were answered.
  awaitable<quarq::redis::reply> run(quarq::redis::connection& over, const quarq::redis::script& script,
                                     std::vector<std::string> keys, std::vector<std::string> args);

 private:
  const std::string name_;
  request_ids numbers_;
};

}  // namespace quarq::broker::redis_common
