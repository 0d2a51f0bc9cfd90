// wrk, the program that loads servers: 64 kept connections from the second processor.
#pragma once

#include <string>
#include <vector>

#include "peers.hpp"

namespace quarq::bench {

inline constexpr int wrk_connections = 64;

struct server_load {
  double rate = 0;    // requests/s
  double cpu_us = 0;  // of the server, for a request
  double busy = 0;    // share of its processor that the server used
};

/// Asks for `path` as fast as it goes. `more`: further arguments of wrk. Throws std::runtime_error if any answer is not
/// 2xx.
server_load load_by_wrk(const running_server& server, const std::string& path, int seconds,
                        const std::vector<std::string>& more = {});

}  // namespace quarq::bench
