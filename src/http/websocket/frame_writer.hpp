// Frames as bytes, without I/O.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "http/websocket/deflate.hpp"
#include "http/websocket/frame.hpp"

namespace quarq::http::ws {

/// Appends frames of one side. A client's are masked, each with a key that nobody can foresee.
class frame_writer {
 public:
  explicit frame_writer(role self, std::optional<compression> agreed = {}) : self_(self), agreed_(agreed) {}

  /// In one frame; compressed if that was agreed upon and pays. `is_text`: the caller has checked that it is
  /// UTF-8.
  void append_message(std::string& out, std::string_view payload, bool is_text) const;
  /// REQUIRES: at most max_control_payload bytes.
  void append_ping(std::string& out, std::string_view payload) const;
  void append_pong(std::string& out, std::string_view payload) const;
  /// `code` 1005 sends none. REQUIRES: may_be_sent(code), and at most max_close_reason bytes.
  void append_close(std::string& out, std::uint16_t code, std::string_view reason) const;

 private:
  void append(std::string& out, std::uint8_t first, std::string_view payload) const;

  role self_;
  std::optional<compression> agreed_;
};

}  // namespace quarq::http::ws
