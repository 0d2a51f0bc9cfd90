#include <cstdint>
#include <cstdio>
#include <string_view>
#include <system_error>

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <quarq/rpc/server.hpp>
#include <quarq/run.hpp>

#include "base/unique_fd.hpp"
#include "bench.hpp"
#include "tasks.hpp"

namespace quarq::bench {
namespace {

void print_port(int port) {
  fmt::print("{}\n", port);
  std::fflush(stdout);
}

awaitable<std::int64_t> do_word_size(std::string text) {
  co_return static_cast<std::int64_t>(text.size());
}
awaitable<std::int64_t> answer_route(word_of_route word) {
  co_return static_cast<std::int64_t>(word.text.size());
}

awaitable<void> serve_calls() {
  handlers all;
  all.handle(word_size, do_word_size);
  rpc::server_options options;
  options.http.port = 0;
  rpc::server server(all, options);
  server.http().post("/route", answer_route);
  print_port(server.listen());
  co_await server.run();
}

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

// One connection after another. It ends by SIGTERM.
int serve_ping_pong() {
  const base::unique_fd port(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(port.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0) fail("bind");
  if (::listen(port.get(), 1) != 0) fail("listen");
  ::getsockname(port.get(), reinterpret_cast<sockaddr*>(&address), &size);
  print_port(ntohs(address.sin_port));
  char space[4096];
  while (true) {
    const base::unique_fd peer(::accept4(port.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (peer.get() < 0) fail("accept");
    const int on = 1;
    ::setsockopt(peer.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    while (true) {
      const auto got = ::recv(peer.get(), space, sizeof space, 0);
      if (got <= 0) break;
      if (::send(peer.get(), space, static_cast<std::size_t>(got), MSG_NOSIGNAL) != got) break;
    }
  }
}

}  // namespace

int rpc_server_main(int argc, char** argv) {
  const std::string_view kind = argc > 1 ? argv[1] : "";
  if (kind == "tcp") return serve_ping_pong();
  if (kind == "quarq") return quarq::main(serve_calls());
  if (kind == "far-end") return serve_far_end();
  if (kind == "hop" && argc == 3) return serve_hop(argv[2]);
  fmt::print(stderr, "quarq-bench rpc-server: there is no kind \"{}\"\n", kind);
  return 2;
}

}  // namespace quarq::bench
