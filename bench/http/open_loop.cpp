#include "open_loop.hpp"

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string_view>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include <quarq/awaitable.hpp>

namespace quarq::bench {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using clock = std::chrono::steady_clock;

constexpr auto as_result = asio::as_tuple(asio::deferred);
constexpr std::string_view request = "GET /users/7 HTTP/1.1\r\nHost: localhost\r\n\r\n";

struct schedule {
  clock::time_point from;
  clock::time_point until;
  clock::duration pause;  // between two requests of a connection
};

// Its server answers with bodies that end in a brace.
awaitable<void> ask(int port, schedule when, std::vector<double>& times_ms) {
  const auto loop = co_await asio::this_coro::executor;
  tcp::socket socket(loop);
  const tcp::endpoint server(asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(port));
  auto connecting = socket.async_connect(server, as_result);
  const auto [refused] = co_await std::move(connecting);
  if (refused) throw boost::system::system_error(refused);
  socket.set_option(tcp::no_delay(true));
  asio::steady_timer timer(loop);
  char space[2048];
  for (auto due = when.from; due < when.until; due += when.pause) {
    timer.expires_at(due);
    auto waiting = timer.async_wait(as_result);
    const auto [stopped] = co_await std::move(waiting);
    auto writing = asio::async_write(socket, asio::buffer(request), as_result);
    const auto [unsent, sent] = co_await std::move(writing);
    auto reading = socket.async_read_some(asio::buffer(space), as_result);
    const auto [failure, size] = co_await std::move(reading);
    if (stopped || unsent || failure || space[size - 1] != '}')
      throw std::runtime_error("a request of the open loop was not answered");
    times_ms.push_back(std::chrono::duration<double, std::milli>(clock::now() - due).count());
  }
}

}  // namespace

answer_times ask_at_rate(int port, double rate, int connections, std::chrono::seconds duration) {
  asio::io_context loop{1};
  std::vector<double> times_ms;
  const auto pause =
      std::chrono::duration_cast<clock::duration>(std::chrono::duration<double>(connections / rate));
  const auto begin = clock::now() + std::chrono::milliseconds(100);
  for (int i = 0; i < connections; ++i) {
    const auto first = begin + pause * i / connections;
    asio::co_spawn(loop, ask(port, {first, begin + duration, pause}, times_ms),
                   [](std::exception_ptr failure) {
                     if (failure) std::rethrow_exception(failure);
                   });
  }
  loop.run();
  std::ranges::sort(times_ms);
  const auto at = [&](double share) {
    return times_ms[static_cast<std::size_t>(share * (times_ms.size() - 1.0))];
  };
  return {at(0.5), at(0.99)};
}

}  // namespace quarq::bench
