// How many there are grows: queues, workers, clients that wait.
#include <chrono>
#include <list>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>
#include <sys/resource.h>

#include <quarq/gather.hpp>
#include <quarq/run.hpp>
#include <quarq/time.hpp>
#include <quarq/worker.hpp>

#include "../child.hpp"
#include "../samples.hpp"
#include "../stopwatch.hpp"
#include "../tasks.hpp"
#include "base/log.hpp"
#include "broker/broker.hpp"
#include "clients/new_job.hpp"
#include "growth.hpp"

namespace quarq::bench::growth {
namespace {

constexpr std::size_t jobs = 50'000;
constexpr std::chrono::seconds settling{3}, watched{5};

double own_cpu() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

void allow_many_descriptors() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

std::vector<std::string> queue_names(std::size_t count) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < count; ++i) names.push_back(fmt::format("queue{}", i));
  return names;
}

// The same number of jobs, however many queues they are spread over.
awaitable<void> spread(store& at, const std::vector<std::string>& names) {
  const auto loop = co_await boost::asio::this_coro::executor;
  const auto broker = broker::open(at.url(), loop);
  for (const auto& name : names) {
    std::vector<broker::new_job> some;
    for (std::size_t i = 0; i < jobs / names.size(); ++i)
      some.push_back(clients::to_job(detail::call_access::take(forget(argument()))));
    auto answers = co_await broker->enqueue(name, std::move(some));
    if (answers.empty()) throw std::runtime_error("nothing was enqueued");
  }
}

// Workers of one process, on one loop.
struct crew {
  std::list<worker> workers;
  std::size_t running = 0;
};

awaitable<void> work(crew& all, worker& one) {
  ++all.running;
  co_await one.run();
  --all.running;
}

void hire(crew& all, const store& at, std::size_t count, bool burst) {
  base::set_log_level("off");
  for (std::size_t i = 0; i < count; ++i) {
    worker_options o;
    o.broker = at.url();
    o.burst = burst;
    o.blocked_after = {};  // no thread for each of them
    all.workers.emplace_back(o)
        .handle(forget, [](std::string) -> awaitable<void> { co_return; })
        .handle(measure, [](std::string text) -> awaitable<std::int64_t> {
          co_return static_cast<std::int64_t>(text.size());
        });
  }
}

awaitable<void> start(crew& all) {
  const auto loop = co_await boost::asio::this_coro::executor;
  for (auto& one : all.workers) {
    boost::asio::co_spawn(loop, work(all, one), boost::asio::detached);
    co_await sleep_for(std::chrono::milliseconds(2));
  }
}

awaitable<void> dismiss(crew& all) {
  for (auto& one : all.workers) one.stop();
  while (all.running > 0) co_await sleep_for(std::chrono::milliseconds(20));
}

awaitable<void> pings(store& at, std::vector<double>& seconds) {
  queue q(at.url());
  for (std::size_t i = 0; i < 550; ++i) {
    const stopwatch watch;
    auto call = measure(argument());
    auto job = co_await q.enqueue(std::move(call));
    const auto n = co_await job.result();
    if (n == 120 && i >= 50) seconds.push_back(watch.seconds());
  }
}

awaitable<void> idle_and_ping(store& at, crew& all, figures& found) {
  co_await start(all);
  co_await sleep_for(settling);
  const double server = at.server_cpu(), own = own_cpu();
  const stopwatch watch;
  co_await sleep_for(watched);
  const double took = watch.seconds();
  found.emplace_back("idle, server CPU %", (at.server_cpu() - server) / took * 100);
  found.emplace_back("idle, workers' CPU %", (own_cpu() - own) / took * 100);
  std::vector<double> seconds;
  co_await pings(at, seconds);
  found.emplace_back("round trip, us", percentiles_of(std::move(seconds)).p50);
  co_await dismiss(all);
}

awaitable<void> all_at_once(crew& all) {
  std::vector<awaitable<void>> runs;
  for (auto& one : all.workers) runs.push_back(one.run());
  co_await gather(std::move(runs));
}

awaitable<void> wait_for(job<std::int64_t> one) {
  const auto n = co_await one.result();
  if (n != 120) throw std::runtime_error("a wrong result");
}

// So many results are awaited before the first of them is there.
awaitable<void> ask_all(queue q, std::size_t count) {
  std::vector<call<std::int64_t>> calls;
  for (std::size_t i = 0; i < count; ++i) calls.push_back(measure(argument()));
  auto sent = co_await q.enqueue(std::move(calls));
  std::vector<awaitable<void>> waits;
  for (auto& one : sent) waits.push_back(wait_for(std::move(*one)));
  co_await gather(std::move(waits));
}

// The same number of results, however many are awaited at once. The first hundred warm up.
awaitable<void> ask_in_rounds(store& at, std::size_t n, std::size_t rounds,
                              const std::function<void()>& warm) {
  const queue q(at.url(), "asked");
  co_await ask_all(q, 100);
  warm();
  for (std::size_t i = 0; i < rounds; ++i) co_await ask_all(q, n);
}

// While `count` others wait for jobs that are not due.
awaitable<void> ping_beside_waits(store& at, std::size_t count, std::vector<double>& seconds) {
  const auto loop = co_await boost::asio::this_coro::executor;
  const auto broker = broker::open(at.url(), loop);
  std::vector<broker::new_job> some;
  for (std::size_t i = 0; i < count; ++i)
    some.push_back(
        clients::to_job(detail::call_access::take(measure(argument()).delay(std::chrono::hours(1)))));
  std::vector<std::string> ids;
  for (const auto& one : some) ids.push_back(one.id);
  co_await broker->enqueue("default", std::move(some));
  for (const auto& id : ids)
    boost::asio::co_spawn(loop, broker->wait_ended("default", id), boost::asio::detached);
  co_await sleep_for(std::chrono::milliseconds(500));
  co_await pings(at, seconds);
}

}  // namespace

figures queues(store& at, std::size_t n) {
  const auto names = queue_names(n);
  const auto count = jobs / n * n;
  run(spread(at, names));
  figures found;
  add_drain(found, drain(at, names, count), count);
  std::vector<std::string> words = {"worker", "--broker", at.url(), "--log-level", "warn"};
  for (const auto& name : names) words.insert(words.end(), {"--queue", name});
  child worker(words);
  found.emplace_back("round trip, us", round_trip(at, names.back()));
  const double server = at.server_cpu(), own = worker.cpu_now();
  const stopwatch watch;
  run(sleep_for(watched));
  const double took = watch.seconds();
  found.emplace_back("idle, server CPU %", (at.server_cpu() - server) / took * 100);
  found.emplace_back("idle, worker's CPU %", (worker.cpu_now() - own) / took * 100);
  worker.end(false);
  return found;
}

figures idle_workers(store& at, std::size_t n) {
  allow_many_descriptors();
  crew all;
  hire(all, at, n, false);
  figures found;
  run(idle_and_ping(at, all, found));
  return found;
}

figures busy_workers(store& at, std::size_t n) {
  allow_many_descriptors();
  const auto cost_of = [&](std::size_t count) {
    if (count > 0) fill(at, "default", count);
    crew all;
    hire(all, at, n, true);
    const double server = at.server_cpu(), own = own_cpu();
    const stopwatch watch;
    run(all_at_once(all));
    return drain_cost{watch.seconds(), own_cpu() - own + at.server_cpu() - server};
  };
  const auto nothing = cost_of(0), with_jobs = cost_of(jobs);
  figures found;
  add_drain(found, {with_jobs.seconds - nothing.seconds, with_jobs.cpu - nothing.cpu}, jobs);
  return found;
}

figures waiting(store& at, std::size_t n) {
  child worker({"worker", "--broker", at.url(), "--queue", "default", "--queue", "asked", "--log-level",
                "warn", "--concurrency", "1000"});
  const auto rounds = std::max<std::size_t>(1, 10'000 / n);
  const auto results = static_cast<double>(rounds * n);
  const auto cpu_now = [&] { return own_cpu() + worker.cpu_now() + at.server_cpu(); };
  double cpu = 0;
  stopwatch watch;
  run(ask_in_rounds(at, n, rounds, [&] {
    cpu = cpu_now();
    watch = stopwatch();
  }));
  figures found{{"a result, us", watch.seconds() * 1e6 / results}};
  found.emplace_back("a result, CPU us", (cpu_now() - cpu) * 1e6 / results);
  std::vector<double> seconds;
  run(ping_beside_waits(at, n, seconds));
  found.emplace_back("round trip beside them, us", percentiles_of(std::move(seconds)).p50);
  worker.end(false);
  return found;
}

}  // namespace quarq::bench::growth
