// How to reach a Redis server: the contents of a URL.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace quarq::redis {

/// Where a server listens.
struct endpoint {
  std::string host, port;
};

/// The sentinels that know which server is the master.
struct sentinel_options {
  std::vector<endpoint> hosts;  ///< asked in this order; empty: there are no sentinels
  std::string master = "mymaster";
  std::string username, password;  ///< as in connection_options, but for the sentinels
  bool tls = false;                ///< to the sentinels, with the certificates of connection_options
};

struct connection_options {
  std::string host = "127.0.0.1";
  std::string port = "6379";
  std::string unix_path;           ///< if not empty, used instead of host and port
  sentinel_options sentinel;       ///< if there are sentinels, they provide host and port
  std::string username, password;  ///< AUTH is sent unless password is empty
  int database = 0;
  bool tls = false;
  std::string tls_ca_file;  ///< PEM; empty: the system's certificates
  bool tls_verify = true;   ///< check the certificate and the name of the host
  /// How long a request waits for a connection; nullopt: for as long as it takes.
  std::optional<std::chrono::milliseconds> request_timeout = std::chrono::milliseconds(10'000);
  bool has_request_timeout = false;  ///< the URL sets it
  /// Leave the loop nothing to do while nobody waits for the server: do not read, do not ask for signs of life. The
  /// connection stays open.
  bool rests_when_idle = false;
};

/// Sets the timeout that the URL does not set. nullopt wins over the URL: a caller that waits without limit,
/// as workers do, always does.
inline void set_default_timeout(connection_options& options,
                                std::optional<std::chrono::milliseconds> timeout) {
  if (!options.has_request_timeout || !timeout) options.request_timeout = timeout;
}

/// "127.0.0.1:6379", "[::1]:6379".
std::string host_and_port(const endpoint& where);

/// "redis://127.0.0.1:6379", "redis+unix:///run/redis.sock", "redis+sentinel://a:26379,b:26379?master=m":
/// where these options lead, without user names and passwords.
std::string address_of(const connection_options& options);

}  // namespace quarq::redis
