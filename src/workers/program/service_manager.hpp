// What a worker tells systemd, if systemd has started it: the notify protocol of sd_notify(3), which is one datagram
// for each message.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include <quarq/awaitable.hpp>

#include "base/unique_fd.hpp"

namespace quarq::workers {

/// Does nothing where the environment names no service manager. Used on one thread.
class service_manager {
 public:
  /// Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID. Says so in the log, and does nothing from then on, if they
  /// make no sense.
  service_manager();

  /// The service has started (Type=notify). `status` is shown by `systemctl status`.
  void ready(std::string_view status);
  /// The service ends of its own accord, or because it was asked to.
  void stopping();

  /// Tells the watchdog twice in its period that the loop still turns: a loop that is blocked does not, and is
  /// restarted. Returns at once where there is no watchdog (WatchdogSec=), else runs until it is cancelled.
  awaitable<void> feed_watchdog();

 private:
  void send(std::string_view message);

  base::unique_fd socket_;
  std::string address_;  ///< as in sockaddr_un; begins with '\0' for an abstract one
  std::optional<std::chrono::microseconds> watchdog_;
};

}  // namespace quarq::workers
