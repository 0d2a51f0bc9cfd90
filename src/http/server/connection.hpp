// One connection of a server: its requests, one after another, and their answers.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <quarq/awaitable.hpp>
#include <quarq/http/request.hpp>
#include <quarq/http/response.hpp>

#include "async/turn.hpp"
#include "http/message/parser.hpp"
#include "http/server/connection_io.hpp"
#include "http/server/reply_writer.hpp"
#include "http/server/request_body.hpp"
#include "http/websocket/websocket_link.hpp"

namespace quarq::http {

class service;

/// One coroutine. Requests are answered one after another; the answers to pipelined ones go into one write.
class connection final : public std::enable_shared_from_this<connection> {
 public:
  connection(std::shared_ptr<service> of, boost::asio::ip::tcp::socket socket);
  ~connection();

  /// Until the connection is closed. Throws nothing.
  awaitable<void> run();
  boost::asio::cancellation_slot cancellation() noexcept { return signal_.slot(); }

  /// The server stops: closes at once if no request has begun, else when it is answered.
  void end();
  /// Cancels the handler, and closes.
  void cancel();
  /// If the handler of a route that is cancelled with its client still runs.
  void watch_socket();

 private:
  // A client that pipelines has as much of the loop as others have.
  static constexpr std::size_t pipelined_in_a_row = 4;
  struct wait {
    waits_for what;
    std::chrono::milliseconds max;
  };

  awaitable<void> serve();
  bool is_over();
  bool has_begun() const noexcept;
  wait wait_for_request();
  // False: no other request is to be read.
  awaitable<bool> handle_request();

  void begin_request();
  bool is_answered_at_once() const;
  void watch_while_handled();
  reply_facts facts_of_reply() const;
  awaitable<void> write_reply_body(const response& r);
  void refuse(const message_error& e);
  awaitable<void> serve_websocket(response r);
  std::chrono::milliseconds left_for_header();
  void peer_gone();
  bool is_cancelled_with_client() const;

  std::shared_ptr<service> service_;
  request_parser parser_;
  detail::request_facts facts_;
  connection_io io_;
  request_body body_;
  reply_writer reply_;
  request request_;
  response preset_;
  boost::asio::cancellation_signal signal_;
  // What has become of this connection. It holds the connection, not the other way round.
  std::weak_ptr<ws::websocket_link> websocket_;
  bool in_use_by_websocket_ = false;
  bool ending_ = false;
  bool served_one_ = false;
  bool is_to_watch_ = false;
  async::turn turn_{pipelined_in_a_row};
  std::optional<std::chrono::steady_clock::time_point> header_deadline_;
};

}  // namespace quarq::http
