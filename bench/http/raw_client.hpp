// Non-blocking sockets without a library, so that what loads a server costs as little as it can.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <sys/epoll.h>

#include "base/unique_fd.hpp"

namespace quarq::bench {

/// One connection to 127.0.0.1.
class raw_socket {
 public:
  /// Blocks until it is connected. Throws std::system_error.
  explicit raw_socket(int port);
  int descriptor() const noexcept { return socket_.get(); }

  /// Throws std::runtime_error if the kernel does not take all of it.
  void send(std::string_view bytes);
  /// Returns what the kernel took.
  std::size_t send_some(std::string_view bytes);
  /// What has come; empty: nothing yet. Throws std::runtime_error at the end.
  std::string_view receive(std::span<char> space);

 private:
  base::unique_fd socket_;
};

/// Which of many sockets can be read, level-triggered. Each is named by a number.
class readiness {
 public:
  readiness();
  void add(const raw_socket& one, std::uint32_t number);
  /// Also when it can be written.
  void watch_writing(const raw_socket& one, std::uint32_t number, bool on);
  /// Valid until the next call. A wait of 0 does not sleep.
  std::span<const epoll_event> wait(std::chrono::milliseconds max);

 private:
  base::unique_fd epoll_;
  std::vector<epoll_event> events_;
};

/// As many descriptors as this process may have.
void allow_many_descriptors();

}  // namespace quarq::bench
