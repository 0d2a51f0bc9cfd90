// A proxy on the loopback whose connections can be cut.
#pragma once

#include <cstddef>
#include <memory>

namespace quarq::soak {

/// Passes on what comes to a port of its own, from a thread of its own.
class tcp_proxy {
 public:
  /// `to`: the port, on the loopback, that it stands for.
  explicit tcp_proxy(int to);
  ~tcp_proxy();
  tcp_proxy(const tcp_proxy&) = delete;
  tcp_proxy& operator=(const tcp_proxy&) = delete;

  int port() const noexcept;
  /// Closes all connections. New ones are accepted.
  void cut();
  /// From now on nothing passes, and nothing is closed: the peers see silence. Until cut().
  void stall();
  /// From now on nothing passes that the server says: it does what it is asked, and nobody hears of it. Until
  /// cut().
  void lose_answers();
  /// From now on new connections are closed at once.
  void refuse_new();
  /// From now on so many bytes pass in a second, at most, in each direction of each connection.
  void limit(std::size_t bytes_per_second);

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace quarq::soak
