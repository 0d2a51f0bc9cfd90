// Ten thousand open connections, all waiting on one thread: a coroutine that waits costs a little memory, and
// no thread. The other ends are in a process of their own, which waits in the same way.
#include <algorithm>
#include <array>
#include <fstream>
#include <iostream>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <sys/resource.h>
#include <unistd.h>

#include <quarq/quarq.hpp>

namespace asio = boost::asio;
using asio::ip::tcp;
using namespace std::chrono_literals;

using message = std::array<std::uint32_t, 1>;

// ---- the clients, in the other process

quarq::awaitable<std::uint32_t> client(std::uint16_t port, std::uint32_t number, quarq::semaphore& doors,
                                       quarq::event& go) {
  const auto loop = co_await asio::this_coro::executor;
  tcp::socket socket(loop);
  {
    // Not all ten thousand knock at once: the system would let some of them wait for a second.
    auto permit = co_await doors.acquire();
    co_await socket.async_connect({asio::ip::address_v4::loopback(), port}, asio::use_awaitable);
  }
  co_await go.wait();
  message mail{number};
  co_await asio::async_write(socket, asio::buffer(mail), asio::use_awaitable);
  co_await asio::async_read(socket, asio::buffer(mail), asio::use_awaitable);
  co_return mail[0];
}

// One byte on the first connection says that it is time to talk.
quarq::awaitable<void> wait_for_sign(tcp::socket& first, quarq::event& go) {
  char sign;
  co_await asio::async_read(first, asio::buffer(&sign, 1), asio::use_awaitable);
  go.set();
}

quarq::awaitable<int> all_clients(std::uint16_t port, std::uint32_t count) {
  const auto loop = co_await asio::this_coro::executor;
  tcp::socket first(loop);
  co_await first.async_connect({asio::ip::address_v4::loopback(), port}, asio::use_awaitable);
  quarq::semaphore doors(200);
  quarq::event go;
  std::vector<quarq::awaitable<std::uint32_t>> all;
  for (std::uint32_t i = 0; i < count; ++i) all.push_back(client(port, i, doors, go));
  auto [answers, sign] = co_await quarq::gather(quarq::gather(std::move(all)), wait_for_sign(first, go));
  for (std::uint32_t i = 0; i < count; ++i) {
    if (answers[i] != 2 * i) co_return 1;
  }
  co_return 0;
}

// What the process runs: its result is the exit code.
int be_clients(std::uint16_t port, std::uint32_t count) {
  return quarq::run(all_clients(port, count));
}

// ---- the server

// One connection: it waits for a number, and answers with twice as much.
quarq::awaitable<void> serve(tcp::socket socket) {
  message mail;
  co_await asio::async_read(socket, asio::buffer(mail), asio::use_awaitable);
  mail[0] *= 2;
  co_await asio::async_write(socket, asio::buffer(mail), asio::use_awaitable);
}

// The number after `name` in what the system says of this process.
std::size_t of_this_process(const std::string& name) {
  std::ifstream in("/proc/self/status");
  for (std::string word; in >> word;) {
    std::size_t value = 0;
    if (word == name && in >> value) return value;
  }
  return 0;
}

quarq::awaitable<void> accept_all(quarq::task_group& group, tcp::acceptor& door, std::uint32_t count) {
  tcp::socket first = co_await door.async_accept(asio::use_awaitable);
  const auto before = of_this_process("VmRSS:");
  for (std::uint32_t i = 0; i < count; ++i) {
    tcp::socket socket = co_await door.async_accept(asio::use_awaitable);
    group.spawn(serve(std::move(socket)));
  }
  std::cout << group.size() << " connections are open and wait, all on one thread\n"
            << static_cast<double>(of_this_process("VmRSS:") - before) / count << " KB of memory each, "
            << of_this_process("Threads:") << " threads in all, with the one that minds the other process"
            << std::endl;
  co_await asio::async_write(first, asio::buffer("!", 1), asio::use_awaitable);
}

quarq::awaitable<void> server(std::uint32_t count) {
  const auto loop = co_await asio::this_coro::executor;
  tcp::acceptor door(loop, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  quarq::process clients(be_clients, door.local_endpoint().port(), count);

  // None of the connections outlives the group: when this await ends, all have been answered.
  auto body = [&](quarq::task_group& group) { return accept_all(group, door, count); };
  co_await quarq::with_timeout(quarq::with_task_group(body), 60s);
  const int code = co_await clients.join();
  std::cout << (code == 0 ? "each was answered" : "not all were answered as they should be") << std::endl;
}

// How many connections are allowed, of those wanted: each is an open file, of which a process may have so
// many.
std::uint32_t allowed(std::uint32_t wanted) {
  constexpr rlim_t others = 100;
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = std::max(files.rlim_cur, std::min<rlim_t>(files.rlim_max, wanted + others));
  ::setrlimit(RLIMIT_NOFILE, &files);
  if (files.rlim_cur >= wanted + others) return wanted;
  std::cerr << "only " << files.rlim_max << " open files are allowed here (ulimit -Hn): fewer connections\n";
  return static_cast<std::uint32_t>(files.rlim_cur - std::min(files.rlim_cur, others));
}

int main() {
  quarq::run(server(allowed(10'000)));
}

// It prints:
//   <10000> connections are open and wait, all on one thread
//   <1.8816> KB of memory each, <2> threads in all, with the one that minds the other process
//   each was answered
