// What a URL says of jobs in Redis, besides where the server is.
#pragma once

#include <cstdint>
#include <string_view>

#include "broker/broker.hpp"
#include "broker/limits.hpp"
#include "redis/options.hpp"

namespace quarq::broker::redis {

struct redis_settings {
  quarq::redis::connection_options connection;
  // The bounds of the dead set: the oldest go first.
  std::uint64_t max_dead = quarq::broker::max_dead;      ///< ?dead_jobs=
  milliseconds max_dead_age = quarq::broker::dead_kept;  ///< ?dead_days=
};

/// Throws usage_error that names the wrong part, with passwords hidden.
redis_settings parse_url(std::string_view url);

}  // namespace quarq::broker::redis
