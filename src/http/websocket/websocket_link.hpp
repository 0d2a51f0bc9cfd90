// A WebSocket's state machine, driven over a stream.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <boost/asio/any_io_executor.hpp>
#include <boost/system/error_code.hpp>

#include <quarq/awaitable.hpp>
#include <quarq/detail/wait_queue.hpp>
#include <quarq/http/websocket.hpp>

#include "async/turn.hpp"
#include "http/net/loop_deadlines.hpp"
#include "http/net/stream.hpp"
#include "http/websocket/connection_fsm.hpp"
#include "http/websocket/handshake.hpp"

namespace quarq::http::ws {

/// Lives until the connection is closed, also without its user. Belongs to its stream's loop.
class websocket_link final : private has_deadline, public std::enable_shared_from_this<websocket_link> {
 public:
  /// The stream has seen the handshake. `unread` came behind it.
  static std::shared_ptr<websocket_link> start(std::shared_ptr<stream> connected, std::string_view unread,
                                               role self, const websocket_options& options, agreement agreed);
  websocket_link(std::shared_ptr<stream> connected, const settings& how, agreement agreed);
  ~websocket_link();

  awaitable<message> receive();
  awaitable<bool> send(std::string_view payload, bool is_text);
  bool try_send(std::string_view payload, bool is_text);
  awaitable<std::chrono::nanoseconds> ping();
  awaitable<void> close(std::uint16_t code, std::string_view reason);
  /// Without waiting; nothing if it is closing already.
  void begin_closing(std::uint16_t code, std::string_view reason);
  /// Returns once the connection is closed.
  awaitable<void> wait_closed();

  bool is_open() const noexcept { return fsm_.current() == connection_fsm::phase::open; }
  std::size_t unsent() const noexcept { return fsm_.unsent(); }
  const std::string& subprotocol() const noexcept { return subprotocol_; }
  std::string remote_address() const { return stream_->remote_address(); }

 private:
  // A peer may send thousands of small messages in one packet.
  static constexpr std::size_t received_in_a_row = 8;
  void on_deadline() override;
  // After each event: does what the state machine says.
  void drive();
  void wake_users();
  // Both keep it alive: it may have lost its user.
  static awaitable<void> read_loop(std::shared_ptr<websocket_link> self);
  static awaitable<void> write_loop(std::shared_ptr<websocket_link> self, std::string begun,
                                    std::size_t sent);
  void wait_readable();
  void on_readable(const boost::system::error_code& failure);
  awaitable<void> read_all();
  bool read_some();
  void end_reading(const std::string& failure);
  void write_soon();
  void write_now();
  bool write_without_waiting();
  awaitable<void> write_all(std::string_view begun);
  void end_writing(const std::string& failure);
  [[noreturn]] void throw_closed() const;

  const std::shared_ptr<stream> stream_;
  const boost::asio::any_io_executor loop_;
  const std::shared_ptr<loop_deadlines> deadlines_;
  const std::string subprotocol_;
  connection_fsm fsm_;
  bool is_reading_ = false;
  bool is_writing_ = false;
  bool has_said_end_ = false;
  async::turn receiving_{received_in_a_row};

  quarq::detail::wait_queue receivers_;
  quarq::detail::wait_queue senders_;
  quarq::detail::wait_queue pingers_;
  quarq::detail::wait_queue closers_;
};

/// What options mean for one side.
settings settings_of(role self, const websocket_options& options, const agreement& agreed);

}  // namespace quarq::http::ws
