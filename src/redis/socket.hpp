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

#include "redis/options.hpp"
#include "redis/resp.hpp"

namespace quarq::redis {

/// The server refused us, and would do so again: a wrong password, an unknown certificate.
class permanent_error : public error {
 public:
  using error::error;
};

/// Made for one attempt and never used again. Must be held by a shared_ptr: a write holds it as well.
class socket : public std::enable_shared_from_this<socket> {
 public:
  explicit socket(boost::asio::any_io_executor loop);

  /// Throws permanent_error; any other error may pass.
  awaitable<void> open(connection_options options);
  awaitable<std::size_t> read_some(std::span<char> space);
  /// Ends read_some() with operation_aborted. REQUIRES: no write is under way.
  void stop_reading();
  /// Sends `out`, and empties it before on_written is called. REQUIRES: no other write is under way.
  void write();
  /// The peer took a part of a write.
  std::function<void()> on_progress;
  /// A write has ended. `failure` is empty or says what went wrong.
  std::function<void(const std::string& failure)> on_written;

  /// Closes: reading and writing fail. The first reason is kept.
  void drop(const std::string& why);
  /// How many written bytes the other end has not taken yet.
  std::size_t unsent();
  bool dropped() const noexcept { return !why_.empty(); }
  const std::string& why() const noexcept { return why_; }
  /// What the attempt is doing, for errors.
  const char* step = "connecting";

  resp_parser parser;
  std::string out;

 private:
  using stream_socket = boost::asio::generic::stream_protocol::socket;
  awaitable<void> open_tcp(connection_options options);
  awaitable<void> open_unix(std::string path);
  awaitable<void> open_tls(connection_options options);

  stream_socket socket_;
  boost::asio::ip::tcp::resolver resolver_;
  std::unique_ptr<boost::asio::ssl::context> tls_context_;
  std::unique_ptr<boost::asio::ssl::stream<stream_socket&>> tls_;
  std::string why_;
  bool is_writing_ = false;
};

}  // namespace quarq::redis
