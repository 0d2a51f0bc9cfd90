#include "clients.hpp"

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <fmt/format.h>
#include <time.h>

#include <quarq/http/client.hpp>
#include <quarq/run.hpp>
#include <quarq/task_group.hpp>

namespace quarq::bench {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using clock = std::chrono::steady_clock;

constexpr auto as_result = asio::as_tuple(asio::deferred);
constexpr int in_flight = 64;

struct target {
  std::uint16_t port = 0;
  clock::time_point until;
  long answered = 0;
};

double cpu_seconds() {
  timespec used{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

awaitable<void> ask_with_quarq(http::client& web, target& of) {
  const auto url = fmt::format("http://127.0.0.1:{}/users/7", of.port);
  while (clock::now() < of.until) {
    const auto page = co_await web.get(url);
    if (page.status != 200) throw std::runtime_error("not 200");
    ++of.answered;
  }
}

awaitable<void> ask_with_beast(target& of) {
  const auto loop = co_await asio::this_coro::executor;
  tcp::socket socket(loop);
  const tcp::endpoint server(asio::ip::address_v4::loopback(), of.port);
  auto connecting = socket.async_connect(server, as_result);
  const auto [refused] = co_await std::move(connecting);
  if (refused) throw boost::system::system_error(refused);
  socket.set_option(tcp::no_delay(true));
  beast::flat_buffer buffer;
  while (clock::now() < of.until) {
    beast::http::request<beast::http::empty_body> request(beast::http::verb::get, "/users/7", 11);
    request.set(beast::http::field::host, "127.0.0.1");
    request.set(beast::http::field::user_agent, "quarq");
    auto writing = beast::http::async_write(socket, request, as_result);
    const auto [unsent, written] = co_await std::move(writing);
    beast::http::response<beast::http::string_body> answer;
    auto reading = beast::http::async_read(socket, buffer, answer, as_result);
    const auto [failure, read] = co_await std::move(reading);
    if (unsent || failure || answer.result_int() != 200) throw std::runtime_error("not 200");
    ++of.answered;
  }
}

awaitable<void> ask_all(std::string_view kind, target& of) {
  http::client_options options;
  options.max_connections_per_host = in_flight;
  http::client web(options);
  const auto all = [&](task_group& group) -> awaitable<void> {
    for (int i = 0; i < in_flight; ++i) {
      if (kind == "quarq") {
        group.spawn(ask_with_quarq(web, of));
      } else {
        group.spawn(ask_with_beast(of));
      }
    }
    co_return;
  };
  co_await with_task_group(all);
}

}  // namespace

int http_client_main(int argc, char** argv) {
  const std::string_view kind = argc > 1 ? argv[1] : "";
  if (argc != 4 || (kind != "quarq" && kind != "beast")) {
    fmt::print(stderr, "Usage: quarq-bench http-client quarq|beast PORT SECONDS\n");
    return 2;
  }
  target of;
  of.port = static_cast<std::uint16_t>(std::atoi(argv[2]));
  of.until = clock::now() + std::chrono::seconds(std::atoi(argv[3]));
  run(ask_all(kind, of));
  fmt::print("{} {}\n", of.answered, cpu_seconds());
  return 0;
}

}  // namespace quarq::bench
