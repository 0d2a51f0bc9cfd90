#include "broker/redis_common/server_checks.hpp"

#include <cstdio>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include <quarq/errors.hpp>

namespace quarq::broker::redis_common {

namespace {

// "name:value\r\n"; empty if it is not there.
std::string value_in(const std::string& info, std::string_view name) {
  const auto line = "\n" + std::string(name) + ":";
  const auto at = info.find(line);
  if (at == std::string::npos) return {};
  const auto first = at + line.size();
  return info.substr(first, info.find('\r', first) - first);
}

// A refusal by the server's access rules is an answer too; a server out of reach is not.
bool is_refusal(const broker_error& error) {
  const std::string_view text = error.what();
  return text.find("NOPERM") != std::string_view::npos ||
         text.find("unknown command") != std::string_view::npos;
}

awaitable<std::optional<quarq::redis::reply>> ask_if_allowed(quarq::redis::connection& connection,
                                                             std::vector<std::string> args) {
  std::optional<quarq::redis::reply> answer;
  try {
    answer = co_await connection.command(std::move(args));
  } catch (const broker_error& error) {
    if (!is_refusal(error)) throw;
  }
  co_return answer;
}

}  // namespace

awaitable<std::string> read_server_info(quarq::redis::connection& connection) {
  std::vector<std::string> args(1, "INFO");
  auto answer = co_await ask_if_allowed(connection, std::move(args));
  co_return answer ? answer->text : std::string();
}

void check_version(const std::string& info) {
  const auto version = value_in(info, "redis_version");
  int major = 0, minor = 0;
  if (std::sscanf(version.c_str(), "%d.%d", &major, &minor) != 2) return;
  if (major < 6 || (major == 6 && minor < 2)) {
    throw broker_error(
        fmt::format("the server is Redis {}; quarq needs Redis 6.2 or newer, or Valkey", version));
  }
}

awaitable<std::string> server_summary(quarq::redis::connection& connection) {
  auto info = co_await read_server_info(connection);
  std::vector<std::string> args(1, "DBSIZE");
  auto keys = co_await ask_if_allowed(connection, std::move(args));
  const auto known = [&info](std::string_view name) {
    const auto value = value_in(info, name);
    return value.empty() ? std::string("?") : value;
  };
  co_return fmt::format("redis_version={} mem_usage={} clients_connected={} db_keys={}",
                        known("redis_version"), known("used_memory_human"), known("connected_clients"),
                        keys ? std::to_string(keys->integer) : "?");
}

awaitable<std::vector<std::string>> server_warnings(quarq::redis::connection& connection) {
  std::vector<std::string> found;
  auto info = co_await read_server_info(connection);
  if (info.empty()) {
    found.push_back(
        "INFO is refused to this user: whether Redis evicts keys or writes to disk could not be checked");
    co_return found;
  }
  const auto limit = value_in(info, "maxmemory"), policy = value_in(info, "maxmemory_policy");
  if (limit != "0" && policy.starts_with("allkeys")) {
    found.push_back("Redis evicts any key when its memory is full (maxmemory-policy " + policy +
                    "): jobs can be lost; set maxmemory-policy noeviction");
  } else if (limit != "0" && policy != "noeviction") {
    found.push_back("Redis evicts keys that expire when its memory is full (maxmemory-policy " + policy +
                    "): kept results can be lost; set maxmemory-policy noeviction");
  }
  if (value_in(info, "aof_enabled") == "1") co_return found;
  std::vector<std::string> args = {"CONFIG", "GET", "save"};
  auto save = co_await ask_if_allowed(connection, std::move(args));
  if (!save || save->items.size() < 2) {
    found.push_back(
        "Redis keeps no append-only file, and whether it saves snapshots could not be checked (CONFIG GET is "
        "refused): a restart can lose jobs; set appendonly yes");
  } else if (save->items[1].text.empty()) {
    found.push_back(
        "Redis writes nothing to disk (no append-only file, no save points): a restart loses all jobs; set "
        "appendonly yes");
  }
  co_return found;
}

}  // namespace quarq::broker::redis_common
