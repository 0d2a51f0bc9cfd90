// One connection to a Redis-compatible server, shared by everything that an event loop does with that server.
//
// All requests of one turn of the loop share one write, and replies are matched to them in order. (The
// protocol is RESP3, so that published messages use the same connection.) A lost connection is made again,
// with exponential backoff and jitter, for as long as the object exists; requests wait for it for at most
// `request_timeout`. A request whose reply was lost with the connection is sent again: use only commands that
// may be executed twice. With sentinels, each connection goes to the server that they name as the master.
//
// Thread safety: none. It belongs to one loop and must be used from the thread of that loop only.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/any_io_executor.hpp>

#include <quarq/awaitable.hpp>

#include "redis/options.hpp"
#include "redis/resp.hpp"
#include "redis/script.hpp"

namespace quarq::redis {

class connection_driver;

class connection {
 public:
  /// Connects at the first request.
  connection(boost::asio::any_io_executor loop, connection_options options);
  /// Closes the connection; requests in flight fail with broker_error.
  ~connection();
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  /// Sends a command and returns its reply. Throws broker_error with the server's text for an error reply,
  /// and with the address and the last error if there is no connection within `request_timeout`. Cancelling
  /// the await abandons the reply, not the command.
  awaitable<reply> command(std::vector<std::string> args);

  /// The same for EVALSHA. `keys` and `arguments` may hold any bytes. `source`, which must outlive the
  /// connection, is loaded when the server does not have it.
  awaitable<reply> run(const script& source, std::vector<std::string> keys,
                       std::vector<std::string> arguments);
  /// The same with one key. The words need not exist longer than this call, until the await that follows.
  awaitable<reply> run(const script& source, std::string_view key,
                       std::span<const std::string_view> arguments);

  /// Calls `receive` on the loop with each message published to `channel`, also after reconnecting. Returns
  /// when the server has confirmed the subscription.
  awaitable<void> subscribe(std::string channel, std::function<void(std::string_view message)> receive);
  /// From now on, no message of this channel is received.
  void unsubscribe(std::string_view channel);
  /// With `rests_when_idle`, messages are only received, and a lost connection is only made again, while they are
  /// expected or a request waits. By default they are not expected.
  void expect_messages(bool on);

  /// Calls `f` on the loop each time a lost connection is back (not after the first connect), before any
  /// reply of the new connection. Functions passed earlier are still called.
  void on_reconnect(std::function<void()> f);
  /// Calls `f` on the loop each time the connection begins to rest: what else keeps the loop busy for its sake
  /// should stop. Functions passed earlier are still called.
  void on_rest(std::function<void()> f);

 private:
  std::shared_ptr<connection_driver> driver_;
};

}  // namespace quarq::redis
