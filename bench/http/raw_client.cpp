#include "raw_client.hpp"

#include <cerrno>
#include <stdexcept>
#include <system_error>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>

namespace quarq::bench {

namespace {

constexpr std::size_t events_at_once = 1024;

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

}  // namespace

raw_socket::raw_socket(int port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  if (socket_.get() < 0) fail("socket");
  sockaddr_in server{};
  server.sin_family = AF_INET;
  server.sin_port = htons(static_cast<std::uint16_t>(port));
  server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&server), sizeof server) != 0)
    fail("connect");
  const int on = 1;
  ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

std::size_t raw_socket::send_some(std::string_view bytes) {
  const auto size = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (size < 0 && errno != EAGAIN) fail("send");
  return size < 0 ? 0 : static_cast<std::size_t>(size);
}

void raw_socket::send(std::string_view bytes) {
  if (send_some(bytes) != bytes.size()) throw std::runtime_error("a socket takes no more");
}

std::string_view raw_socket::receive(std::span<char> space) {
  const auto size = ::recv(socket_.get(), space.data(), space.size(), MSG_DONTWAIT);
  if (size == 0) throw std::runtime_error("the server has closed a connection");
  if (size < 0 && errno != EAGAIN) fail("recv");
  return {space.data(), size < 0 ? 0 : static_cast<std::size_t>(size)};
}

readiness::readiness() : epoll_(::epoll_create1(EPOLL_CLOEXEC)), events_(events_at_once) {
  if (epoll_.get() < 0) fail("epoll_create1");
}

void readiness::add(const raw_socket& one, std::uint32_t number) {
  epoll_event wanted{};
  wanted.events = EPOLLIN;
  wanted.data.u32 = number;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, one.descriptor(), &wanted) != 0) fail("epoll_ctl");
}

void readiness::watch_writing(const raw_socket& one, std::uint32_t number, bool on) {
  epoll_event wanted{};
  wanted.events = on ? EPOLLIN | EPOLLOUT : EPOLLIN;
  wanted.data.u32 = number;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, one.descriptor(), &wanted) != 0) fail("epoll_ctl");
}

std::span<const epoll_event> readiness::wait(std::chrono::milliseconds max) {
  const int size = ::epoll_wait(epoll_.get(), events_.data(), static_cast<int>(events_.size()),
                                static_cast<int>(max.count()));
  if (size < 0 && errno != EINTR) fail("epoll_wait");
  return {events_.data(), static_cast<std::size_t>(size < 0 ? 0 : size)};
}

void allow_many_descriptors() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace quarq::bench
