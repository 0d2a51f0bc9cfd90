// What operators set for queues, of both Redis layouts: whether they are paused, and marks.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <quarq/awaitable.hpp>

#include "broker/redis_common/script_runner.hpp"
#include "broker/redis_common/server_info.hpp"

namespace quarq::broker::redis_common {

/// As broker's functions of these names. A queue is named as `calls` takes it, and is known from its first setting on.
class queue_settings {
 public:
  /// REQUIRES: all outlive this. `pause`, `set_mark`: the scripts of these names.
  queue_settings(script_runner& calls, server_info& server, const quarq::redis::script& pause,
                 const quarq::redis::script& set_mark)
      : calls_(calls), server_(server), pause_(pause), set_mark_(set_mark) {}

  awaitable<bool> set_paused(std::string queue, bool paused);
  awaitable<bool> is_paused(std::string queue);
  awaitable<bool> set_mark(std::string queue, std::string name, std::string text);
  awaitable<std::map<std::string, std::string>> marks(std::string queue);

 private:
  awaitable<bool> change(const quarq::redis::script& by, std::string queue, std::vector<std::string> args);

  script_runner& calls_;
  server_info& server_;
  const quarq::redis::script& pause_;
  const quarq::redis::script& set_mark_;
};

}  // namespace quarq::broker::redis_common
