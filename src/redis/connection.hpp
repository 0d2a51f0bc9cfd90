// One connection to a Redis-compatible server, shared by all that a loop does with it.
//
// Requests made in one turn of the loop leave in one write; replies are matched in order (RESP3, so that
// published messages come over the same connection). A lost connection is made again, with exponential
// backoff and jitter, for as long as the object lives; requests wait for it, at most `request_timeout`. A request
// whose answer was lost with the connection is sent again: give only commands that may be executed twice.
// Where there are sentinels, each connection is made to the server that they call the master at that moment.
//
// Belongs to one loop: use it from that loop's thread only.
#pragma once

#include <functional>
#include <memory>
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
  /// Starts to connect at the first request. `scripts` must outlive the connection.
  connection(boost::asio::any_io_executor loop, connection_options options,
             std::vector<const script*> scripts);
  /// Closes; requests under way end with broker_error.
  ~connection();
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  /// Sends a command and waits for its reply. An error reply is thrown as broker_error with the server's
  /// text; no connection within `request_timeout` as broker_error that names the address and the last error.
  /// Cancelling the await abandons the reply, not the command.
  awaitable<reply> command(std::vector<std::string> args);

  /// EVALSHA. `keys` and `arguments` may hold any bytes.
  awaitable<reply> run(const script& source, std::vector<std::string> keys,
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
  std::shared_ptr<connection_driver> driver_;
};

}  // namespace quarq::redis
