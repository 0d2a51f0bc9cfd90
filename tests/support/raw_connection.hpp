// A client of a server that speaks bytes.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/unique_fd.hpp"
#include "support/default_timeout.hpp"

namespace quarq::test {

/// A response as it came.
struct raw_response {
  int status = 0;
  std::string header;  ///< with the status line, without the blank line
  std::string body;    ///< without its framing
  bool has(std::string_view line) const {
    return ("\r\n" + header + "\r\n").find("\r\n" + std::string(line) + "\r\n") != std::string::npos;
  }
};

/// Blocks. Whatever takes longer than the deadline throws std::runtime_error.
class raw_connection {
 public:
  explicit raw_connection(std::uint16_t port);
  /// To a Unix socket. `max_wait` is the deadline of each wait for what the peer does.
  explicit raw_connection(const std::string& path, std::chrono::milliseconds max_wait = default_timeout);

  void send(std::string_view bytes);
  /// False: the peer does not take them any more.
  bool try_send(std::string_view bytes);
  void end_sending();
  /// With RST.
  void reset();

  /// Nullopt: the connection was closed before a response began. `to_head`: it has no body.
  std::optional<raw_response> read(bool to_head = false);
  /// All that comes until the connection is closed.
  std::string read_to_end();
  /// Whether the peer closes, without sending anything, before the deadline.
  bool is_closed();
  /// Whether nothing comes, nor the end, for this time.
  bool is_silent_for(std::chrono::milliseconds time);
  int descriptor() const noexcept { return socket_.get(); }

 private:
  bool receive();  // false at the end
  void need(std::size_t size);

  base::unique_fd socket_;
  std::chrono::milliseconds max_wait_ = default_timeout;
  std::string in_;
};

}  // namespace quarq::test
