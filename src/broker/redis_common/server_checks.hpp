// Checks of a server: whether it can be used, and which of its settings put jobs at risk.
#pragma once

#include <string>
#include <vector>

#include <quarq/awaitable.hpp>

#include "redis/connection.hpp"

namespace quarq::broker::redis_common {

/// The text of INFO; empty if this user may not ask.
awaitable<std::string> read_server_info(quarq::redis::connection& connection);

/// Throws broker_error for a server older than 6.2. Where INFO does not say, nothing is known against it.
void check_version(const std::string& info);

/// "redis_version=7.0.15 mem_usage=1.27M clients_connected=2 db_keys=2"; "?" for what this user may not ask.
awaitable<std::string> server_summary(quarq::redis::connection& connection);

/// One line each for broker::warnings().
awaitable<std::vector<std::string>> server_warnings(quarq::redis::connection& connection);

}  // namespace quarq::broker::redis_common
