#include "jobs.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <thread>

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include <quarq/gather.hpp>
#include <quarq/queue.hpp>
#include <quarq/run.hpp>
#include <quarq/time.hpp>

#include "broker/broker.hpp"
#include "child.hpp"
#include "stopwatch.hpp"
#include "tasks.hpp"

namespace quarq::bench {
namespace {

std::vector<std::string> worker_arguments(const target& at, const std::string& queue,
                                          std::vector<std::string> more) {
  std::vector<std::string> all = {"worker", "--broker", at.url, "--queue", queue, "--log-level", "warn"};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

awaitable<void> enqueue_one_by_one(target at, std::size_t count) {
  queue q(at.url, "one-by-one");
  for (std::size_t i = 0; i < count; ++i) {
    auto call = forget(argument());
    auto job = co_await q.enqueue(std::move(call));
  }
}

awaitable<void> enqueue_some(queue q, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    auto call = forget(argument());
    auto job = co_await q.enqueue(std::move(call));
  }
}

awaitable<void> enqueue_in_flight(target at, std::size_t count, std::size_t in_flight) {
  queue q(at.url, "in-flight");
  std::vector<awaitable<void>> senders;
  for (std::size_t i = 0; i < in_flight; ++i) senders.push_back(enqueue_some(q, count / in_flight));
  co_await gather(std::move(senders));
}

template <class R>
awaitable<void> enqueue_bulk(target at, std::string name, task<R(std::string)> what, std::size_t count) {
  constexpr std::size_t batch = 1000;
  queue q(at.url, name);
  for (std::size_t i = 0; i < count; i += batch) {
    std::vector<call<R>> calls;
    calls.reserve(batch);
    for (std::size_t k = 0; k < std::min(batch, count - i); ++k) calls.push_back(what(argument()));
    auto jobs = co_await q.enqueue(std::move(calls));
  }
}

awaitable<broker::queue_summary> summary(std::string url, std::string name) {
  const auto loop = co_await boost::asio::this_coro::executor;
  const auto broker = broker::open(url, loop);
  const auto all = co_await broker->queues();
  for (const auto& q : all) {
    if (q.name == name) co_return q;
  }
  // A store need not remember a queue that holds nothing.
  co_return broker::queue_summary{};
}

struct round_trips {
  double p50 = 0, p99 = 0;
};

awaitable<round_trips> ping(target at, std::size_t count) {
  queue q(at.url, "ping");
  std::vector<double> times;
  times.reserve(count);
  for (std::size_t i = 0; i < count + count / 10; ++i) {
    const stopwatch watch;
    auto call = measure(argument());
    auto job = co_await q.enqueue(std::move(call));
    const auto n = co_await job.result();
    if (n != 120) throw std::runtime_error("a wrong result");
    // The first tenth warms up.
    if (i >= count / 10) times.push_back(watch.seconds() * 1e6);
  }
  std::sort(times.begin(), times.end());
  co_return round_trips{times[times.size() / 2], times[times.size() * 99 / 100]};
}

template <class T>
std::string ratio_note(const report& out, const target& at, const std::string& floor, T value,
                       const std::string& label) {
  const double base = out.value(at.floor_group, floor);
  return base == 0 ? "" : fmt::format("{:.2f} x {}", value / base, label);
}

void measure_enqueue(report& out, const target& at, std::size_t jobs) {
  const auto timed = [&](const std::string& what, std::size_t count, awaitable<void> work) {
    const double server = at.server_cpu_seconds ? at.server_cpu_seconds() : 0;
    const stopwatch watch;
    run(std::move(work));
    const double took = watch.seconds();
    const auto note = at.server_cpu_seconds
                          ? fmt::format("server {:.1f} us/job",
                                        (at.server_cpu_seconds() - server) / static_cast<double>(count) * 1e6)
                          : "";
    out.add({at.group, what, static_cast<double>(count) / took, "jobs/s", note});
  };
  timed("enqueue, one at a time", jobs / 20, enqueue_one_by_one(at, jobs / 20));
  timed("enqueue, 50 in flight", jobs / 2, enqueue_in_flight(at, jobs / 2, 50));
  timed("enqueue, bulk of 1000", jobs, enqueue_bulk(at, "bulk", forget, jobs));
}

// Fills a queue, then lets one worker process empty it. The whole life of that process counts, its start
// included.
template <class R>
void measure_drain(report& out, const target& at, const std::string& what, task<R(std::string)> which,
                   std::size_t jobs, const std::string& floor) {
  const std::string name = "drain-" + std::string(which.name());
  run(enqueue_bulk(at, name, which, jobs));
  const double server = at.server_cpu_seconds ? at.server_cpu_seconds() : 0;
  const stopwatch watch;
  child worker(worker_arguments(at, name, {"--burst", "--concurrency", "1000"}));
  const auto cost = worker.end(true);
  const double took = watch.seconds();
  const auto left = run(summary(at.url, name));
  if (left.queued + left.running + left.deferred + left.dead != 0)
    throw std::runtime_error("jobs are left in " + name);
  if (!std::is_void_v<R> && left.kept != jobs) {
    throw std::runtime_error(fmt::format("{} results are kept of {} jobs", left.kept, jobs));
  }
  const double rate = static_cast<double>(jobs) / took;
  out.add({at.group, what, rate, "jobs/s", ratio_note(out, at, floor, rate, "floor")});
  out.add(
      {at.group, what + ": worker CPU", cost.cpu_seconds / static_cast<double>(jobs) * 1e6, "us/job", ""});
  if (at.server_cpu_seconds) {
    out.add({at.group, what + ": server CPU",
             (at.server_cpu_seconds() - server) / static_cast<double>(jobs) * 1e6, "us/job", ""});
  }
  out.add({at.group, what + ": worker memory", cost.peak_mb, "MB peak", ""});
}

}  // namespace

void measure_round_trip(report& out, const target& at) {
  child worker(worker_arguments(at, "ping", {}));
  const auto times = run(ping(at, 5000));
  out.add({at.group, "round trip, p50", times.p50, "us",
           ratio_note(out, at, "token there and back, p50", times.p50, "token")});
  out.add({at.group, "round trip, p99", times.p99, "us",
           ratio_note(out, at, "token there and back, p99", times.p99, "token")});
  const auto before = worker.cpu_now();
  constexpr std::chrono::seconds nap(5);
  std::this_thread::sleep_for(nap);
  out.add({at.group, "idle worker", (worker.cpu_now() - before) / static_cast<double>(nap.count()) * 100,
           "% CPU", ""});
  worker.end(false);
}

namespace {

awaitable<void> hold_many(target at, std::size_t count) {
  queue q(at.url, "hold");
  std::vector<call<void>> calls;
  for (std::size_t i = 0; i < count; ++i) calls.push_back(hold(2000));
  auto jobs = co_await q.enqueue(std::move(calls));
}

void measure_memory(report& out, const target& at) {
  run(hold_many(at, 1000));
  child worker(worker_arguments(at, "hold", {"--burst", "--concurrency", "1000"}));
  const auto cost = worker.end(true);
  out.add({at.group, "worker memory, 1000 jobs under way", cost.peak_mb, "MB peak", ""});
}

}  // namespace

void measure_drains(report& out, const target& at, std::size_t jobs) {
  measure_drain(out, at, "drain, results kept", measure, jobs, "claim and settle, results kept");
  measure_drain(out, at, "drain, no result", forget, jobs, "claim and settle, no result");
  measure_drain(out, at, "drain, plain function on a thread", on_thread, jobs / 4,
                "claim and settle, results kept");
}

void measure_jobs(report& out, const target& at, std::size_t jobs) {
  measure_enqueue(out, at, jobs);
  measure_drains(out, at, jobs);
  measure_round_trip(out, at);
  measure_memory(out, at);
}

}  // namespace quarq::bench
