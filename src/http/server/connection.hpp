// One connection of a server: reads requests, has them answered, writes the answers.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <quarq/awaitable.hpp>
#include <quarq/http/answers.hpp>
#include <quarq/http/request.hpp>
#include <quarq/http/response.hpp>

#include "http/message/parser.hpp"
#include "http/net/stream.hpp"
#include "http/server/deadline_wheel.hpp"
#include "http/server/reply.hpp"
#include "http/websocket/websocket_link.hpp"

namespace quarq::http {

class service;

/// One coroutine, one buffer for what was read, one for what is to be written. Requests are answered one after another;
/// the answers to pipelined ones go into one write.
class connection final : public std::enable_shared_from_this<connection>,
                         private timed,
                         private detail::body_reader,
                         private body_writer {
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

 private:
  // What it waits for, and so what its deadline means.
  enum class waits_for { nothing, request, header, body, room, handler };

  awaitable<void> serve();
  // False: no other request is to be read.
  awaitable<bool> handle_request();

  void begin_request();
  bool is_answered_at_once() const;
  awaitable<response> answer();
  reply_plan begin_reply(const response& r);
  awaitable<void> write_reply_body(const response& r);
  bool can_keep_alive() const;
  awaitable<bool> drain_body();
  void refuse(const message_error& e);
  awaitable<void> serve_websocket(const response& r);
  std::chrono::milliseconds left_for_header();

  awaitable<std::string_view> read_some() override;
  awaitable<void> write(std::string_view bytes) override;

  std::string_view unread() const noexcept;
  void make_space();
  // False: the peer has ended, or the deadline has passed.
  awaitable<bool> read_more(waits_for what, std::chrono::milliseconds max);
  awaitable<bool> read_more_of_body();
  // False: send_rest() must be called.
  bool send_now();
  awaitable<void> send_rest();
  void shrink_buffers();

  void deadline_passed() override;
  bool peer_is_gone();
  bool is_quiet();
  void wait_for(waits_for what, std::chrono::milliseconds max);

  std::shared_ptr<service> service_;
  stream stream_;
  request_parser parser_;
  detail::request_facts facts_;
  request request_;
  boost::asio::cancellation_signal signal_;

  std::unique_ptr<char[]> in_;
  std::size_t in_capacity_ = 0;
  std::size_t in_begin_ = 0;
  std::size_t in_end_ = 0;
  std::string out_;
  std::size_t out_sent_ = 0;
  response preset_;
  // What has become of this connection. It holds the connection, not the other way round.
  std::weak_ptr<ws::websocket_link> websocket_;
  bool in_use_by_websocket_ = false;

  waits_for waiting_ = waits_for::nothing;
  bool timed_out_ = false;
  bool ending_ = false;
  bool served_one_ = false;
  bool header_began_ = false;  // its deadline is set
  std::chrono::steady_clock::time_point header_deadline_;
  bool body_over_ = false;    // of the request
  bool body_broken_ = false;  // nothing can be read behind it
  bool sent_continue_ = false;
  bool runs_handler_ = false;
  std::size_t answers_unsent_ = 0;
  std::uint64_t body_received_ = 0;
  std::chrono::milliseconds body_waited_{0};
  reply_plan plan_;
  std::uint64_t body_written_ = 0;
};

}  // namespace quarq::http
