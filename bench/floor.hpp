// The floor: the theoretical minimum, which is what the store alone can do, driven by a bare client.
#pragma once

#include <cstddef>
#include <string>

#include "report.hpp"

namespace quarq::bench {

/// Group "floor (redis)": RPUSH/LPOP, our scripts in a bare pipelined loop, a token's round trip.
void measure_redis_floor(report& out, int port, std::size_t jobs);

/// Only the token.
void measure_redis_token(report& out, int port);

/// Group "floor (sqlite)": synced appends to a file in `folder`.
void measure_disk_floor(report& out, const std::string& folder);

}  // namespace quarq::bench
