// One connection to a Redis-compatible server, shared by all that a loop does with it.
//
// Requests made in one turn of the loop leave in one write; replies are matched in order (RESP3, so that
// published messages come over the same connection). A lost connection is made again, with exponential
// backoff and jitter, for as long as the object lives; requests wait for it, at most `patience`. A request
// whose answer was lost with the connection is sent again: give only commands that may be executed twice.
// Where there are sentinels, each connection is made to the server that they call the master at that moment.
//
// Belongs to one loop: use it from that loop's thread only.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/any_io_executor.hpp>

#include <quarq/awaitable.hpp>

#include "redis/resp.hpp"

namespace quarq::redis {

/// Where a server listens.
struct redis_host {
  std::string host, port;
};

/// Those who know which server is the master.
struct redis_sentinel_options {
  std::vector<redis_host> hosts;  ///< asked in this order; empty: there are no sentinels
  std::string master = "mymaster";
  std::string username, password;  ///< as below, but for the sentinels
  bool tls = false;                ///< to the sentinels, with the certificates below
};

struct redis_options {
  std::string host = "127.0.0.1";
  std::string port = "6379";
  std::string unix_path;            ///< if not empty, instead of host and port
  redis_sentinel_options sentinel;  ///< if there are any, they say what host and port are
  std::string username, password;   ///< AUTH is sent when password is not empty
  int database = 0;
  bool tls = false;
  std::string tls_ca_file;  ///< PEM; empty: the system's certificates
  bool tls_verify = true;   ///< check the certificate and the host's name
  std::optional<std::chrono::milliseconds> patience = std::chrono::milliseconds(10'000);
  bool sets_patience = false;  ///< the URL does
};

/// For who would wait `otherwise` if the URL says nothing of it. Who waits without limit, as workers do,
/// does so whatever it says.
inline void settle_patience(redis_options& where, std::optional<std::chrono::milliseconds> otherwise) {
  if (!where.sets_patience || !otherwise) where.patience = otherwise;
}

/// How the URLs of something else that lives in Redis differ from those of Redis itself.
struct redis_url_dialect {
  std::string name = "Redis";    ///< in errors
  std::string scheme = "redis";  ///< and with an s for TLS, and with +unix, and both with +sentinel
  /// Takes a parameter that Redis' own URLs don't know; false: not known here either. What it throws as
  /// invalid_argument becomes part of the error that names the URL.
  std::function<bool(const std::string& name, const std::string& value)> parameter{};
  std::string parameters{};  ///< those it knows, for errors: "queue, codec"
};

/// Reads redis://, rediss://, redis+unix://, redis+sentinel:// and rediss+sentinel:// URLs, or those of a
/// dialect. Throws invalid_argument that names the wrong part, with passwords hidden.
redis_options parse_redis_url(std::string_view url, const redis_url_dialect& dialect = {});

/// The URL as it may be shown: its passwords, if there are any, replaced by ***.
std::string without_password(std::string_view url);

/// A Lua script, sent as EVALSHA; the connection loads it after each connect, and again on NOSCRIPT.
struct redis_script {
  explicit redis_script(std::string_view text);
  std::string_view text;
  std::string sha1;  ///< 40 lower-case hex digits
};

class redis_connection {
 public:
  /// Starts to connect at the first request. `scripts` must outlive the connection.
  redis_connection(boost::asio::any_io_executor loop, redis_options options,
                   std::vector<const redis_script*> scripts);
  /// Closes; requests under way end with broker_error.
  ~redis_connection();
  redis_connection(const redis_connection&) = delete;
  redis_connection& operator=(const redis_connection&) = delete;

  /// Sends a command and waits for its reply. An error reply is thrown as broker_error with the server's
  /// text; no connection within `patience` as broker_error that names the address and the last error.
  /// Cancelling the await abandons the reply, not the command.
  awaitable<reply> command(std::vector<std::string> words);

  /// EVALSHA. `keys` and `arguments` may hold any bytes.
  awaitable<reply> run(const redis_script& script, std::vector<std::string> keys,
                       std::vector<std::string> arguments);

  /// Calls `receive` on the loop with each message published to `channel`; subscribes again after each
  /// reconnect. Returns when the server has confirmed it.
  awaitable<void> subscribe(std::string channel, std::function<void(std::string_view message)> receive);
  /// No message of this channel is received from now on.
  void unsubscribe(std::string_view channel);

  /// Called on the loop each time a lost connection is back and ready (not for the first connect), before any
  /// reply that it brings. Those given earlier stay.
  void on_reconnect(std::function<void()> f);

 private:
  class impl;
  std::shared_ptr<impl> impl_;
};

}  // namespace quarq::redis
