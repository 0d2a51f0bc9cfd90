// The life of a WebSocket as a state machine: calls and events in, bytes and messages out. No I/O, no clock.
//
//      open ----- close(), the peer's close, its fault, its silence -----> closing -----> closed
//        |                                                                    ^             ^
//        +------------------ the connection is lost or ends ------------------+-------------+
//
// In `closing` our close frame is on its way, whatever is in front of it, and one deadline stands over all that is
// still to come: the peer's close frame, and the end of the connection. Until then what the peer sends is read and
// dropped: a connection that is closed with bytes unread is reset, and the peer would lose our close frame.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <quarq/http/websocket.hpp>

#include "http/websocket/frame_reader.hpp"
#include "http/websocket/frame_writer.hpp"

namespace quarq::http::ws {

struct settings {
  role self = role::server;
  read_limits limits{};
  std::optional<compression> agreed{};
  std::chrono::milliseconds ping_interval{20'000};  ///< of silence; 0: none
  std::chrono::milliseconds idle_timeout{60'000};   ///< without a byte from the peer; 0: none
  std::chrono::milliseconds close_timeout{5'000};
  std::size_t send_mark = 64 * 1024;
  overflow when_full = overflow::wait;
};

/// After each call, the driver writes take_output(), reads while wants_read(), and sees to it that on_deadline()
/// is called at deadline(). It closes the connection in `closed`.
class connection_fsm {
 public:
  using time_point = std::chrono::steady_clock::time_point;
  enum class phase { open, closing, closed };

  connection_fsm(const settings& how, time_point now);

  // ---- calls of users

  enum class sent { queued, must_wait, dropped };
  /// REQUIRES: current() == phase::open; a text is UTF-8.
  sent send(std::string_view payload, bool is_text, time_point now);
  /// Nothing if it is closing already. What has come and was not taken can still be taken; what comes from now on is
  /// dropped. REQUIRES: may_be_sent(code), and at most max_close_reason bytes.
  void close(std::uint16_t code, std::string_view reason, time_point now);
  /// Returns the number of the ping, which pongs_through() reaches with its pong. REQUIRES: phase::open.
  std::uint64_t ping();
  bool has_message() const noexcept { return !inbox_.empty(); }
  /// The user asks for a message and there is none: it has dealt with those before.
  void on_reader_waits(time_point now);
  /// REQUIRES: has_message().
  message take_message(time_point now);

  // ---- events

  /// The bytes are changed.
  void on_data(std::span<char> bytes, time_point now);
  /// The peer has ended its side of the connection.
  void on_end();
  void on_lost(std::string_view why);
  /// What take_output() gave is written.
  void on_written();
  void on_deadline(time_point now);

  // ---- what is to be done

  bool has_output() const noexcept { return in_flight_ == 0 && !output_.empty(); }
  /// To be written, and on_written() called, before it is asked again. REQUIRES: has_output().
  std::string take_output();
  bool wants_read() const noexcept;
  /// Once all output is written: tell the peer that nothing follows.
  bool ends_output() const noexcept { return ends_output_ && unsent() == 0; }
  std::optional<time_point> deadline() const noexcept;

  // ---- how it stands

  phase current() const noexcept { return phase_; }
  /// Whether a message would be queued at once.
  bool has_room() const noexcept { return unsent() < how_.send_mark; }
  std::size_t unsent() const noexcept { return output_.size() + in_flight_; }
  std::uint64_t pongs_through() const noexcept { return pongs_through_; }
  /// The end is known: no message will come but those that has_message() tells of.
  bool is_over() const noexcept { return end_.has_value(); }
  /// The peer has got our close frame, as far as this side can tell, or never will.
  bool has_finished() const noexcept { return phase_ == phase::closed || (is_over() && unsent() == 0); }

  struct ending {
    std::uint16_t code = 1006;
    std::string reason;
  };
  /// How it ended; before it has, how this side is ending it. REQUIRES: current() != phase::open.
  const ending& end() const noexcept { return end_ ? *end_ : own_; }

 private:
  static constexpr std::size_t inbox_mark = 64 * 1024;
  static constexpr std::size_t message_overhead = 64;

  bool inbox_is_full() const noexcept { return inbox_size_ >= inbox_mark; }
  bool watches_peer() const noexcept { return phase_ == phase::open && !fault_waits_ && !inbox_is_full(); }
  void take(read_event event, time_point now);
  void take_pong();
  void queue_pong();
  void queue_ping();
  void begin_closing(std::uint16_t code, std::string_view reason, time_point now);
  void on_close_frame(time_point now);
  void on_fault(time_point now);
  void on_fault_due(time_point now);
  void give_up(std::uint16_t code, std::uint16_t own, std::string_view reason, time_point now);
  void end_as(std::uint16_t code, std::string_view reason);
  void finish(std::uint16_t code, std::string_view reason);

  settings how_;
  frame_reader reader_;
  frame_writer writer_;
  phase phase_ = phase::open;

  std::list<message> inbox_;  // a deque takes half a kilobyte while it is empty
  std::size_t inbox_size_ = 0;

  std::string output_;
  std::size_t in_flight_ = 0;
  // The peer pings faster than it reads: only the last one is answered (RFC 6455, 5.5.3).
  std::optional<std::string> late_pong_;

  std::uint64_t pings_ = 0;
  std::uint64_t pongs_through_ = 0;
  time_point last_received_;
  time_point last_ping_;

  // The peer has broken the protocol after messages that wait to be taken: their answers go first.
  bool fault_waits_ = false;
  bool drops_input_ = false;  // nothing that comes can matter
  bool ends_output_ = false;
  bool input_ended_ = false;
  time_point close_deadline_{};
  ending own_;
  std::optional<ending> end_;
};

}  // namespace quarq::http::ws
