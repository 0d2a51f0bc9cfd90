#include "leases.hpp"

#include <algorithm>
#include <list>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>
#include <sys/resource.h>

#include <quarq/run.hpp>
#include <quarq/time.hpp>
#include <quarq/worker.hpp>

#include "bare_client.hpp"
#include "base/log.hpp"
#include "stopwatch.hpp"
#include "support/redis_server.hpp"
#include "tasks.hpp"

namespace quarq::bench {
namespace {

constexpr std::size_t worker_count = 1'000, queue_count = 10;
// They all start at once; then their renewals spread by themselves.
constexpr std::chrono::seconds settling{5}, measured{20};

struct crew {
  std::list<worker> workers;
  std::size_t running = 0;
};

void allow_many_connections() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

worker_options options_of(const std::string& url) {
  worker_options o;
  o.broker = url;
  o.queues.clear();
  for (std::size_t i = 0; i < queue_count; ++i) o.queues.push_back({fmt::format("queue{}", i), 1});
  return o;
}

awaitable<void> work(crew& all, worker& one) {
  ++all.running;
  co_await one.run();
  --all.running;
}

std::uint64_t scripts_called(bare_client& observer) {
  const auto info = observer.call({"INFO", "commandstats"}).text;
  std::uint64_t calls = 0;
  for (const std::string_view name : {"cmdstat_evalsha:calls=", "cmdstat_eval:calls="}) {
    const auto at = info.find(name);
    if (at != info.npos) calls += std::stoull(info.substr(at + name.size(), 20));
  }
  return calls;
}

awaitable<void> measure_crew(report& out, crew& all, bare_client& observer) {
  const auto loop = co_await boost::asio::this_coro::executor;
  for (auto& one : all.workers) {
    boost::asio::co_spawn(loop, work(all, one), boost::asio::detached);
    co_await sleep_for(std::chrono::milliseconds(2));
  }
  co_await sleep_for(settling);
  const auto calls = scripts_called(observer);
  const double cpu = server_cpu_seconds(observer);
  const stopwatch watch;
  co_await sleep_for(measured);
  const double seconds = watch.seconds();
  const double used = server_cpu_seconds(observer) - cpu;
  const double rate = static_cast<double>(scripts_called(observer) - calls) / seconds;
  out.add({"leases (redis)", "server CPU", used / seconds * 100, "%",
           fmt::format("{} idle workers of {} queues; {:.0f} script calls/s, {:.1f} us each", worker_count,
                       queue_count, rate, used / seconds / rate * 1e6)});
  for (auto& one : all.workers) one.stop();
  while (all.running > 0) co_await sleep_for(std::chrono::milliseconds(20));
}

}  // namespace

void measure_leases(report& out) {
  allow_many_connections();
  base::set_log_level("off");
  test::redis_server_options memory_only;
  memory_only.extra = {"--save", ""};
  test::redis_server server(memory_only);
  bare_client observer(server.plain_port());
  const auto url = fmt::format("redis://127.0.0.1:{}", server.plain_port());
  crew all;
  for (std::size_t i = 0; i < worker_count; ++i) {
    auto& one = all.workers.emplace_back(options_of(url));
    one.handle(forget, [](std::string) -> awaitable<void> { co_return; });
  }
  out.heading("renewing leases on redis://");
  run(measure_crew(out, all, observer));
}

}  // namespace quarq::bench
