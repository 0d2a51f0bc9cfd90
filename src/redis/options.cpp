#include "redis/options.hpp"

namespace quarq::redis {

std::string host_and_port(const endpoint& where) {
  const bool v6 = where.host.find(':') != std::string::npos;
  return (v6 ? "[" + where.host + "]" : where.host) + ":" + where.port;
}

std::string address_of(const connection_options& options) {
  if (!options.unix_path.empty()) return "redis+unix://" + options.unix_path;
  const std::string scheme = options.tls ? "rediss" : "redis";
  if (options.sentinel.hosts.empty()) return scheme + "://" + host_and_port({options.host, options.port});
  std::string list;
  for (const auto& each : options.sentinel.hosts) list += (list.empty() ? "" : ",") + host_and_port(each);
  return scheme + "+sentinel://" + list + "?master=" + options.sentinel.master;
}

}  // namespace quarq::redis
