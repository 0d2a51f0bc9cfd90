#include "support/raw_connection.hpp"

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace quarq::test {

namespace {

void connect(int socket, const auto& to) {
  if (::connect(socket, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
    throw std::system_error(errno, std::generic_category(), "connect");
  }
}

}  // namespace

raw_connection::raw_connection(std::uint16_t port)
    : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  connect(socket_.get(), to);
}

raw_connection::raw_connection(const std::string& path, std::chrono::milliseconds max_wait)
    : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)), max_wait_(max_wait) {
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  if (path.size() >= sizeof to.sun_path) throw std::length_error("a socket's path is too long: " + path);
  std::copy(path.begin(), path.end(), to.sun_path);
  connect(socket_.get(), to);
}

bool raw_connection::try_send(std::string_view bytes) {
  while (!bytes.empty()) {
    pollfd room{socket_.get(), POLLOUT, 0};
    if (::poll(&room, 1, static_cast<int>(max_wait_.count())) != 1)
      throw std::runtime_error("raw_connection: the peer takes nothing");
    const auto size = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (size < 0 && errno != EAGAIN) return false;
    if (size > 0) bytes.remove_prefix(static_cast<std::size_t>(size));
  }
  return true;
}

void raw_connection::send(std::string_view bytes) {
  if (!try_send(bytes)) throw std::runtime_error("raw_connection: the peer has closed");
}

void raw_connection::end_sending() {
  ::shutdown(socket_.get(), SHUT_WR);
}

void raw_connection::reset() {
  const linger at_once{1, 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  socket_.reset();
}

bool raw_connection::receive() {
  pollfd data{socket_.get(), POLLIN, 0};
  if (::poll(&data, 1, static_cast<int>(max_wait_.count())) != 1)
    throw std::runtime_error("raw_connection: nothing came; so far: " + in_);
  char space[16384];
  const auto size = ::recv(socket_.get(), space, sizeof space, 0);
  if (size <= 0) return false;
  in_.append(space, static_cast<std::size_t>(size));
  return true;
}

void raw_connection::need(std::size_t size) {
  while (in_.size() < size) {
    if (!receive()) throw std::runtime_error("raw_connection: closed within a response: " + in_);
  }
}

std::optional<raw_response> raw_connection::read(bool to_head) {
  std::size_t end = 0;
  while ((end = in_.find("\r\n\r\n")) == std::string::npos) {
    const bool more = receive();
    if (!more && in_.empty()) return std::nullopt;
    if (!more) throw std::runtime_error("raw_connection: closed within a header: " + in_);
  }
  raw_response r;
  r.header = in_.substr(0, end);
  r.status = std::stoi(r.header.substr(9, 3));
  in_.erase(0, end + 4);
  if (to_head || r.status < 200 || r.status == 204 || r.status == 304) return r;
  const auto length = r.header.find("Content-Length: ");
  if (length != std::string::npos) {
    const auto size = static_cast<std::size_t>(std::stoul(r.header.substr(length + 16)));
    need(size);
    r.body = in_.substr(0, size);
    in_.erase(0, size);
  } else if (r.has("Transfer-Encoding: chunked")) {
    while (true) {
      while (in_.find("\r\n") == std::string::npos) need(in_.size() + 1);
      const auto size = static_cast<std::size_t>(std::stoul(in_, nullptr, 16));
      const auto begin = in_.find("\r\n") + 2;
      need(begin + size + 2);
      r.body += in_.substr(begin, size);
      in_.erase(0, begin + size + 2);
      if (size == 0) break;
    }
  } else {
    r.body = read_to_end();
  }
  return r;
}

std::string raw_connection::read_to_end() {
  while (receive()) {
  }
  return std::exchange(in_, {});
}

bool raw_connection::is_closed() {
  return in_.empty() && !receive();
}

bool raw_connection::is_silent_for(std::chrono::milliseconds time) {
  pollfd data{socket_.get(), POLLIN, 0};
  return in_.empty() && ::poll(&data, 1, static_cast<int>(time.count())) == 0;
}

}  // namespace quarq::test
