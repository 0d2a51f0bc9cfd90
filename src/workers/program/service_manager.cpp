#include "workers/program/service_manager.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.hpp"

namespace quarq::workers {
namespace {

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value <= 0) return std::nullopt;
  return value;
}

/// Nothing: the watchdog is off, or meant for another process (sd_watchdog_enabled(3)).
std::optional<std::chrono::microseconds> watchdog_period() {
  const auto pid = variable("WATCHDOG_PID");
  if (!pid.empty() && number(pid) != ::getpid()) return std::nullopt;
  const auto period = variable("WATCHDOG_USEC");
  if (period.empty()) return std::nullopt;
  if (const auto value = number(period)) return std::chrono::microseconds(*value);
  base::log().warn("WATCHDOG_USEC is \"{}\", which is no number of microseconds: the watchdog is not told",
                   period);
  return std::nullopt;
}

}  // namespace

service_manager::service_manager() {
  const auto address = variable("NOTIFY_SOCKET");
  if (address.empty()) return;
  const bool usable = (address[0] == '/' || address[0] == '@') && address.size() > 1 &&
                      address.size() < sizeof(sockaddr_un::sun_path);
  if (!usable) {
    base::log().warn("NOTIFY_SOCKET is \"{}\", which is no socket that can be used: systemd is told nothing",
                     address);
    return;
  }
  address_ = address;
  if (address_[0] == '@') address_[0] = '\0';
  socket_.reset(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  watchdog_ = watchdog_period();
}

void service_manager::ready(std::string_view status) {
  send(fmt::format("READY=1\nSTATUS={}", status));
}

void service_manager::stopping() {
  send("STOPPING=1");
}

awaitable<void> service_manager::feed_watchdog() {
  if (!watchdog_) co_return;
  const auto loop = co_await boost::asio::this_coro::executor;
  boost::asio::steady_timer timer(loop);
  while (true) {
    send("WATCHDOG=1");
    timer.expires_after(*watchdog_ / 2);
    co_await timer.async_wait(boost::asio::use_awaitable);
  }
}

void service_manager::send(std::string_view message) {
  if (!socket_) return;
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  std::copy(address_.begin(), address_.end(), to.sun_path);
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());
  const auto sent = ::sendto(socket_.get(), message.data(), message.size(), MSG_NOSIGNAL,
                             reinterpret_cast<const sockaddr*>(&to), length);
  if (sent < 0) {
    base::log().warn("systemd could not be told \"{}\": {}", message.substr(0, message.find('\n')),
                     std::strerror(errno));
  }
}

}  // namespace quarq::workers
