#include "bare_client.hpp"

#include <stdexcept>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace quarq::bench {

bare_client::bare_client(int port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    ::close(socket_);
    throw std::runtime_error("could not connect to the private redis-server");
  }
  const int on = 1;
  ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

bare_client::~bare_client() {
  ::close(socket_);
}

void bare_client::add(const std::vector<std::string>& words) {
  redis::append_command(out_, words);
}

void bare_client::flush() {
  for (std::size_t sent = 0; sent < out_.size();) {
    const auto n = ::send(socket_, out_.data() + sent, out_.size() - sent, MSG_NOSIGNAL);
    if (n <= 0) throw std::runtime_error("could not write to the private redis-server");
    sent += static_cast<std::size_t>(n);
  }
  out_.clear();
}

redis::reply bare_client::read() {
  redis::reply reply;
  while (!parser_.next(reply)) {
    const auto room = parser_.prepare(64 * 1024);
    const auto n = ::recv(socket_, room.data(), room.size(), 0);
    if (n <= 0) throw std::runtime_error("could not read from the private redis-server");
    parser_.commit(static_cast<std::size_t>(n));
  }
  if (reply.is_error()) throw std::runtime_error("the private redis-server says: " + reply.text);
  return reply;
}

redis::reply bare_client::call(const std::vector<std::string>& words) {
  add(words);
  flush();
  return read();
}

double server_cpu_seconds(bare_client& client) {
  const auto info = client.call({"INFO", "cpu"}).text;
  const auto field = [&](std::string_view name) {
    return std::stod(info.substr(info.find(name) + name.size()));
  };
  return field("used_cpu_sys:") + field("used_cpu_user:");
}

}  // namespace quarq::bench
