#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <sys/socket.h>
#include <time.h>

#include <quarq/http/client.hpp>
#include <quarq/machines.hpp>
#include <quarq/queue.hpp>
#include <quarq/rpc/http_machines.hpp>
#include <quarq/run.hpp>
#include <quarq/task_group.hpp>

#include "../http/raw_client.hpp"
#include "../samples.hpp"
#include "../stopwatch.hpp"
#include "../tasks.hpp"
#include "bench.hpp"
#include "tasks.hpp"

namespace quarq::bench {
namespace {

using steady = std::chrono::steady_clock;

constexpr int in_flight = 64;

void check(std::int64_t size) {
  if (size != 120) throw std::runtime_error("a wrong result");
}

std::string host(const std::string& port) {
  return "http://127.0.0.1:" + port;
}

// ---- one call after another

std::vector<double> ping_pong_times(int port, std::size_t count) {
  const raw_socket socket(port);
  const std::string message = argument();
  std::vector<char> space(message.size());
  std::vector<double> times;
  for (std::size_t i = 0; i < count + count / 10; ++i) {
    const stopwatch watch;
    const int fd = socket.descriptor();
    const auto sent = ::send(fd, message.data(), message.size(), MSG_NOSIGNAL);
    const auto got = ::recv(fd, space.data(), space.size(), MSG_WAITALL);
    if (sent != got) throw std::runtime_error("the other process has ended");
    // The first tenth warms up.
    if (i >= count / 10) times.push_back(watch.seconds());
  }
  return times;
}

template <class Where>
awaitable<std::vector<double>> call_times(Where where, std::size_t count) {
  std::vector<double> times;
  for (std::size_t i = 0; i < count + count / 10; ++i) {
    const stopwatch watch;
    const auto size = co_await where.run(word_size, argument());
    check(size);
    if (i >= count / 10) times.push_back(watch.seconds());
  }
  co_return times;
}

std::vector<double> queue_times(const std::string& url, std::size_t count) {
  return run(call_times(machines(queue(url, "rpc")), count));
}

std::vector<double> rpc_times(const std::string& port, std::size_t count) {
  return run(call_times(http_machines({host(port)}), count));
}

int print_times(std::vector<double> seconds) {
  const auto of = percentiles_of(std::move(seconds));
  fmt::print("{} {}\n", of.p50, of.p99);
  return 0;
}

// ---- many at once

double cpu_seconds() {
  timespec used{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

struct load {
  std::string server;
  steady::time_point until;
  long answered = 0;
};

awaitable<void> call_again(const http_machines& where, load& of) {
  while (steady::now() < of.until) {
    const auto size = co_await where.run(word_size, argument());
    check(size);
    ++of.answered;
  }
}

awaitable<void> post_again(http::client& web, load& of) {
  const std::string url = of.server + "/route";
  const std::string body = fmt::format(R"({{"text": "{}"}})", argument());
  http::request_options options;
  options.body = body;
  options.content_type = "application/json";
  while (steady::now() < of.until) {
    const auto answer = co_await web.post(url, options);
    check(answer.as<std::int64_t>());
    ++of.answered;
  }
}

awaitable<void> load_by_calls(load& of) {
  const http_machines where({of.server});
  const auto all = [&](task_group& group) -> awaitable<void> {
    for (int i = 0; i < in_flight; ++i) group.spawn(call_again(where, of));
    co_return;
  };
  co_await with_task_group(all);
}

awaitable<void> load_by_posts(load& of) {
  http::client_options options;
  options.max_connections_per_host = in_flight;
  http::client web(options);
  const auto all = [&](task_group& group) -> awaitable<void> {
    for (int i = 0; i < in_flight; ++i) group.spawn(post_again(web, of));
    co_return;
  };
  co_await with_task_group(all);
}

int print_rate(awaitable<void> (*how)(load&), const std::string& port, int seconds) {
  load of{host(port), steady::now() + std::chrono::seconds(seconds), 0};
  run(how(of));
  fmt::print("{} {}\n", of.answered, cpu_seconds());
  return 0;
}

}  // namespace

int rpc_client_main(int argc, char** argv) {
  if (argc == 4) {
    const std::string_view kind = argv[1];
    const std::string where = argv[2];
    const int n = std::atoi(argv[3]);
    const auto count = static_cast<std::size_t>(n);
    if (kind == "tcp") return print_times(ping_pong_times(std::atoi(argv[2]), count));
    if (kind == "quarq") return print_times(rpc_times(where, count));
    if (kind == "machines") return print_times(queue_times(where, count));
    if (kind == "quarq-rate") return print_rate(load_by_calls, where, n);
    if (kind == "route-rate") return print_rate(load_by_posts, where, n);
  }
  fmt::print(stderr, "Usage: quarq-bench rpc-client tcp|quarq|machines|quarq-rate|route-rate WHERE N\n");
  return 2;
}

}  // namespace quarq::bench
