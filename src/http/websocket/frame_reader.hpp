// Bytes from a peer as messages and control frames, without I/O: RFC 6455, 5, as strict as it says.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "http/websocket/deflate.hpp"
#include "http/websocket/frame.hpp"
#include "http/websocket/utf8_checker.hpp"

namespace quarq::http::ws {

struct read_limits {
  std::size_t message = 1024 * 1024;   ///< bytes, over all fragments and after inflating: 1009
  std::size_t fragments = 128 * 1024;  ///< frames of one message: 1008
};

enum class read_event {
  needs_more,
  message,  ///< take_message()
  ping,     ///< control_payload()
  pong,     ///< control_payload()
  close,    ///< close_code(), close_reason(); what follows is not to be read
  failed,   ///< failure() says why; nothing more can be read
};

struct read_step {
  read_event event = read_event::needs_more;
  std::size_t used = 0;  ///< how many of the bytes are done with
};

/// Use: feed until needs_more. What an event has come with must be taken before the next feed().
class frame_reader {
 public:
  /// `self` is this side's role: a server's peer masks its frames, a client's does not. `agreed`: compressed
  /// messages are allowed.
  frame_reader(role self, read_limits limits, std::optional<compression> agreed = {});

  /// The next bytes. They are unmasked in place; a whole message in them is not copied before take_message().
  read_step feed(std::span<char> bytes);

  bool is_text() const noexcept { return type_ == opcode::text; }
  std::string take_message();
  std::string_view control_payload() const noexcept { return {control_.data(), control_size_}; }
  /// 1005: the peer has named none.
  std::uint16_t close_code() const noexcept { return close_code_; }
  std::string_view close_reason() const noexcept;

  struct fault {
    std::uint16_t code = 0;  ///< with which to close
    std::string_view what;   ///< a clause for people
  };
  const fault& failure() const noexcept { return fault_; }

 private:
  struct frame_header {
    bool is_last = false;
    bool is_compressed = false;
    opcode code = opcode::continuation;
    std::uint64_t size = 0;
    std::array<char, 4> key{};
  };

  // Each returns false after fail().
  bool read_header(std::span<char> bytes, std::size_t& used);
  bool check_first_bytes();
  bool check_place_in_message();
  bool read_size();
  bool check_size();
  bool read_payload(std::span<char> piece, bool is_whole);
  bool add_to_message(std::string_view piece, bool is_whole);
  bool end_message();
  bool check_close();

  std::optional<read_event> end_frame();
  bool fail(std::uint16_t code, std::string_view what);

  const role self_;
  const read_limits limits_;
  const bool may_be_compressed_;

  // The frame that is being read.
  std::array<char, 14> raw_header_{};
  std::uint8_t raw_size_ = 0;
  std::uint8_t raw_needed_ = 2;
  bool in_payload_ = false;
  frame_header frame_;
  std::uint64_t payload_left_ = 0;
  std::size_t mask_offset_ = 0;

  // The message that is being read.
  bool in_message_ = false;
  bool is_compressed_ = false;
  opcode type_ = opcode::text;
  std::size_t fragments_ = 0;
  std::string gathered_;
  std::string_view whole_;  // into the bytes that were fed
  utf8_checker text_;

  std::array<char, max_control_payload> control_{};
  std::uint8_t control_size_ = 0;
  std::uint16_t close_code_ = 0;
  fault fault_;
};

}  // namespace quarq::http::ws
