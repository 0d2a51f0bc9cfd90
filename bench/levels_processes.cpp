// Level 2: processes on one machine.
#include <cstdint>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <quarq/bytes.hpp>
#include <quarq/joinable_queue.hpp>
#include <quarq/process.hpp>
#include <quarq/process_pool.hpp>
#include <quarq/run.hpp>

#include "levels.hpp"
#include "levels_floor.hpp"
#include "stopwatch.hpp"

namespace quarq::bench {
namespace {

constexpr std::size_t megabytes_8 = 8'000'000;

// ---- what runs in the children

int identity(int x) {
  return x;
}

// One byte of each page, so that what was sent has to be there.
std::uint64_t look_at(bytes data) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < data.size(); i += 4096) sum += static_cast<std::uint64_t>(data[i]);
  return sum;
}

int stay_there(int processor) {
  stay_on(processor);
  return 0;
}

void consume(joinable_queue<std::int64_t> queue) {
  while (queue.pop()) queue.task_done();
}

// ---- calls

awaitable<std::vector<double>> call_times(process_pool& pool, std::size_t count) {
  std::vector<double> times;
  times.reserve(count);
  for (std::size_t i = 0; i < count + count / 10; ++i) {
    const stopwatch watch;
    const int seven = co_await pool.run(identity, 7);
    // The first tenth warms up.
    if (i >= count / 10 && seven == 7) times.push_back(watch.seconds());
  }
  co_return times;
}

awaitable<double> calls_per_second(process_pool& pool, int count) {
  std::vector<int> numbers;
  for (int i = 0; i < count; ++i) numbers.push_back(i);
  const stopwatch watch;
  const auto same = co_await pool.map(identity, numbers);
  const double took = watch.seconds();
  if (same != numbers) throw std::runtime_error("wrong results");
  co_return count / took;
}

// The caller keeps what it sends, as Python's does: copying it is part of the time.
awaitable<double> argument_bytes_per_second(process_pool& pool, std::size_t count) {
  const bytes data(megabytes_8, std::byte{1});
  std::vector<double> times;
  for (std::size_t i = 0; i < count + 3; ++i) {
    const stopwatch watch;
    const auto pages = co_await pool.run(look_at, data);
    if (pages != (megabytes_8 + 4095) / 4096) throw std::runtime_error("a wrong sum");
    if (i >= 3) times.push_back(watch.seconds());
  }
  co_return static_cast<double>(megabytes_8) / (percentiles_of(std::move(times)).p50 / 1e6);
}

std::string on(const char* what, const placement& at) {
  return fmt::format("{} on {}", what, at.name);
}

void measure_round_trips(samples& to, const placement& at) {
  add_percentiles(to, on("pipe ping-pong", at), pipe_round_trips(at, 10'000, 64));
  process_pool pool({.size = 1});
  run(pool.run(stay_there, at.there));
  add_percentiles(to, on("process_pool.run", at), run(call_times(pool, 10'000)));
}

void measure_processes(samples& to) {
  for (const auto& at : placements()) run_at(at, [&] { measure_round_trips(to, at); });
  {
    process_pool pool;
    add_percentiles(to, "process_pool.run", run(call_times(pool, 10'000)));
    to.add("process_pool.map", run(calls_per_second(pool, 50'000)));
    to.add("8 MB argument", run(argument_bytes_per_second(pool, 50)) / 1e9);
  }
  to.add("8 MB through a pipe", pipe_bytes_per_second(50, megabytes_8) / 1e9);
  to.add("8 MB copied in memory", copy_bytes_per_second(50, megabytes_8) / 1e9);
  measure_python(to, "processes",
                 {{"call_p50_us", "Python's ProcessPoolExecutor, p50"},
                  {"call_p99_us", "Python's ProcessPoolExecutor, p99"},
                  {"calls_per_s", "Python's ProcessPoolExecutor.map"},
                  {"call_on_one_processor_p50_us", "Python's ProcessPoolExecutor on one processor, p50"},
                  {"argument_gb_per_s", "8 MB to Python's ProcessPoolExecutor"}});
}

// ---- a queue between processes

awaitable<double> queue_items_per_second(std::size_t count) {
  joinable_queue<std::int64_t> queue;
  process consumer(consume, queue);
  queue.push(7);
  queue.join();
  const stopwatch watch;
  for (std::size_t i = 0; i < count; ++i) queue.push(static_cast<std::int64_t>(i));
  queue.join();
  const double took = watch.seconds();
  queue.close();
  co_await consumer.join();
  co_return static_cast<double>(count) / took;
}

void measure_queues(samples& to) {
  constexpr std::size_t items = 1'000'000;
  to.add("joinable_queue", run(queue_items_per_second(items)));
  to.add("a pipe, 8 bytes a write", pipe_items_per_second(items));
  measure_python(to, "queues", {{"items_per_s", "Python's JoinableQueue"}});
}

}  // namespace

part processes_part() {
  row argument{"8 MB argument",
               "GB/s",
               {times("8 MB through a pipe"), times("8 MB copied in memory"),
                times("8 MB to Python's ProcessPoolExecutor")}};
  argument.at_least = 2;
  row call{"process_pool.run, p50", "us", {as_fast_as("Python's ProcessPoolExecutor, p50")}};
  call.compared_to[0].at_least = 10;
  row tail{"process_pool.run, p99", "us", {as_fast_as("Python's ProcessPoolExecutor, p99")}};
  std::vector<row> rows;
  for (const auto& at : placements()) {
    const auto floor = on("pipe ping-pong", at) + ", p50";
    row round_trip{on("process_pool.run", at) + ", p50", "us", {times(floor)}};
    round_trip.compared_to[0].at_most = 3;
    rows.insert(rows.end(), {round_trip, {floor, "us"}});
  }
  rows[0].compared_to.push_back(as_fast_as("Python's ProcessPoolExecutor on one processor, p50"));
  rows.insert(rows.begin() + 2, {"Python's ProcessPoolExecutor on one processor, p50", "us"});
  rows.insert(rows.end(), {call,
                           {"Python's ProcessPoolExecutor, p50", "us"},
                           tail,
                           {"Python's ProcessPoolExecutor, p99", "us"},
                           {"process_pool.map", "calls/s", {times("Python's ProcessPoolExecutor.map")}},
                           {"Python's ProcessPoolExecutor.map", "calls/s"},
                           argument,
                           {"8 MB through a pipe", "GB/s"},
                           {"8 MB copied in memory", "GB/s"},
                           {"8 MB to Python's ProcessPoolExecutor", "GB/s"}});
  return {
      "processes",
      "level 2, processes: a call with its result, where the system puts them or kept to processors; 8 MB "
      "sent, of which each page is looked at",
      measure_processes, rows};
}

part queues_part() {
  row ours{"joinable_queue", "items/s", {times("a pipe, 8 bytes a write"), times("Python's JoinableQueue")}};
  ours.compared_to[1].at_least = 20;
  return {"queues",
          "level 2, a queue between two processes: push, pop and task_done of each item",
          measure_queues,
          {ours, {"a pipe, 8 bytes a write", "items/s"}, {"Python's JoinableQueue", "items/s"}}};
}

}  // namespace quarq::bench
