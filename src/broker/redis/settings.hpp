// What a URL says of jobs in Redis, besides where the server is.
#pragma once

#include <cstdint>
#include <string_view>

#include "broker/broker.hpp"
#include "redis/options.hpp"

namespace quarq::broker::redis {

struct redis_settings {
  quarq::redis::connection_options connection;
  // The bounds of the dead set: the oldest go first.
  std::uint64_t max_dead = 100'000;                         ///< ?dead_jobs=
  milliseconds max_dead_age = std::chrono::hours(24) * 90;  ///< ?dead_days=
};

/// Throws usage_error that names the wrong part, with passwords hidden.
redis_settings parse_url(std::string_view url);

}  // namespace quarq::broker::redis
