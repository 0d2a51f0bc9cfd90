// One of many WebSockets that the benchmark opens, without a library.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "raw_client.hpp"

namespace quarq::bench {

/// Sends whole messages and counts those that come; answers pings. A server's frames may be of any size.
class websocket_client {
 public:
  using clock = std::chrono::steady_clock;

  /// Connects and asks for the upgrade to a WebSocket, without waiting for the answer.
  explicit websocket_client(int port);
  const raw_socket& socket() const noexcept { return socket_; }

  /// The frame of a message of so many bytes, all alike.
  static std::string frame_of(std::size_t size, char filled_with = 'x');
  /// Returns whether all of it is sent; the rest goes by send_rest(). The frame must exist until then.
  bool send(std::string_view frame);
  bool send_rest();

  /// Reads what has come.
  void receive();
  bool is_open() const noexcept { return is_open_; }
  /// How many whole messages have come.
  std::uint64_t messages() const noexcept { return messages_; }

  clock::time_point sent_at{};

 private:
  void take(std::string_view bytes);
  std::size_t take_frame(std::string_view bytes);

  raw_socket socket_;
  bool is_open_ = false;
  std::string_view unsent_;
  std::string part_;  // of the answer, of a frame's header or of a control frame
  std::uint64_t payload_left_ = 0;
  bool is_last_ = false;
  std::uint64_t messages_ = 0;
};

}  // namespace quarq::bench
