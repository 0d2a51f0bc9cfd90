// One established (or failed) connection to a Redis server: TCP, TLS over TCP, or a Unix socket.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>

#include <quarq/awaitable.hpp>

#include "redis/health_check.hpp"
#include "redis/options.hpp"
#include "redis/resp.hpp"

namespace quarq::redis {

/// The server said no in a way that trying again will not change: wrong password, unknown certificate.
class permanent_error : public error {
 public:
  using error::error;
};

/// Made for one attempt and never used again. Held by shared_ptr: by its reader, and by what it writes.
class socket : public std::enable_shared_from_this<socket> {
 public:
  explicit socket(boost::asio::any_io_executor loop);

  /// Throws permanent_error, or any other error that may pass.
  awaitable<void> open(connection_options options);
  awaitable<std::size_t> read_some(std::span<char> space);
  /// Sends what is in `out` and empties it. `done` is called on the loop with an empty string or what went
  /// wrong. One write at a time: `writing` is true until then.
  void write(std::function<void(std::string)> done);

  /// Ends the connection: reading and writing fail. The first reason is kept.
  void drop(const std::string& why);
  bool dropped() const noexcept { return !why_.empty(); }
  const std::string& why() const noexcept { return why_; }
  /// "connecting": what open() and the set-up are at, for errors.
  const char* step = "connecting";

  resp_parser parser;
  health_check peer;
  std::string out;
  bool writing = false;

 private:
  using stream_socket = boost::asio::generic::stream_protocol::socket;
  awaitable<void> open_tcp(connection_options options);
  awaitable<void> open_unix(std::string path);
  awaitable<void> shake_hands(connection_options options);

  stream_socket socket_;
  boost::asio::ip::tcp::resolver resolver_;
  std::unique_ptr<boost::asio::ssl::context> tls_context_;
  std::unique_ptr<boost::asio::ssl::stream<stream_socket&>> tls_;
  std::string why_;
};

}  // namespace quarq::redis
