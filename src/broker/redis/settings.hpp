// The parameters of a Redis URL that concern jobs and not the server.
#pragma once

#include <string_view>

#include "broker/broker.hpp"
#include "broker/limits.hpp"
#include "broker/redis_common/dead_limits.hpp"
#include "redis/options.hpp"

namespace quarq::broker::redis {

struct redis_settings {
  quarq::redis::connection_options connection;
  redis_common::dead_limits dead{max_dead, dead_kept};
};

/// Throws usage_error that names the wrong part, with passwords hidden.
redis_settings parse_url(std::string_view url);

}  // namespace quarq::broker::redis
