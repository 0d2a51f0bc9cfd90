// arq://, arqs:// and arq+unix:// URLs.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "broker/arq/payload/payloads.hpp"
#include "broker/redis_common/dead_limits.hpp"
#include "redis/connection.hpp"

namespace quarq::broker::arq {

struct arq_settings {
  quarq::redis::connection_options redis;
  std::string default_queue = "arq:queue";  ///< arq's name for the queue that is "default" here
  arq_codec codec = arq_codec::pickle;
  /// How long after it is due a job that does not expire is kept.
  std::chrono::milliseconds expires_extra = std::chrono::hours(24);
  /// The longest time between two looks for jobs of Python's clients.
  std::chrono::milliseconds poll{100};
  /// Where the health record of the default queue is; empty: health_key() of it.
  std::string health_check_key;
  redis_common::dead_limits dead{10'000, std::chrono::hours(168)};
  /// How often a worker writes its health record, which lives for a second longer.
  std::chrono::milliseconds health_check_interval = std::chrono::minutes(1);
};

/// Throws usage_error that names the wrong part, with the password hidden.
arq_settings parse_url(std::string_view url);

}  // namespace quarq::broker::arq
