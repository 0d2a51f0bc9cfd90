// Level 3: threads of one process.
#include <atomic>
#include <latch>
#include <numeric>
#include <optional>
#include <thread>

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <sys/eventfd.h>
#include <unistd.h>
#ifdef QUARQ_BENCH_TBB
#include <oneapi/tbb/task_arena.h>
#include <oneapi/tbb/task_group.h>
#endif

#include <quarq/process_pool.hpp>
#include <quarq/run.hpp>
#include <quarq/thread_pool.hpp>

#include "levels.hpp"
#include "stopwatch.hpp"

namespace quarq::bench {
namespace {

namespace asio = boost::asio;

constexpr std::size_t tasks = 1'000'000;

std::size_t processors() {
  return std::max(1u, std::thread::hardware_concurrency());
}

// ---- empty tasks. From outside: one thread that is not of the pool gives them all. From inside: a task on
// each thread of the pool gives its share. The clock stops when all have run.

double rate(const stopwatch& since) {
  return static_cast<double>(tasks) / since.seconds();
}

double asio_rate(bool inside) {
  asio::thread_pool pool(processors());
  std::latch warm(static_cast<std::ptrdiff_t>(processors()));
  for (std::size_t i = 0; i < processors(); ++i) asio::post(pool, [&] { warm.arrive_and_wait(); });
  warm.wait();
  const stopwatch watch;
  if (inside) {
    for (std::size_t i = 0; i < processors(); ++i) {
      asio::post(pool, [&pool] {
        for (std::size_t k = 0; k < tasks / processors(); ++k) asio::post(pool, [] {});
      });
    }
  } else {
    for (std::size_t i = 0; i < tasks; ++i) asio::post(pool, [] {});
  }
  pool.join();
  return rate(watch);
}

double quarq_rate(bool inside) {
  thread_pool_options options;
  options.size = processors();
  std::optional<thread_pool> pool(std::in_place, options);
  std::latch warm(static_cast<std::ptrdiff_t>(processors()));
  for (std::size_t i = 0; i < processors(); ++i) pool->post([&] { warm.arrive_and_wait(); });
  warm.wait();
  const stopwatch watch;
  if (inside) {
    for (std::size_t i = 0; i < processors(); ++i) {
      pool->post([&] {
        for (std::size_t k = 0; k < tasks / processors(); ++k) pool->post([] {});
      });
    }
  } else {
    for (std::size_t i = 0; i < tasks; ++i) pool->post([] {});
  }
  pool.reset();
  return rate(watch);
}

#ifdef QUARQ_BENCH_TBB
double tbb_rate(bool inside) {
  tbb::task_arena arena(static_cast<int>(processors()));
  double result = 0;
  arena.execute([&] {
    tbb::task_group group;
    for (std::size_t i = 0; i < 1000; ++i) group.run([] {});
    group.wait();
    const stopwatch watch;
    if (inside) {
      for (std::size_t i = 0; i < processors(); ++i) {
        group.run([&group] {
          for (std::size_t k = 0; k < tasks / processors(); ++k) group.run([] {});
        });
      }
    } else {
      for (std::size_t i = 0; i < tasks; ++i) group.run([] {});
    }
    group.wait();
    result = rate(watch);
  });
  return result;
}
#endif

// ---- a call and its result

int identity(int x) {
  return x;
}

awaitable<std::vector<double>> call_times(thread_pool& pool, std::size_t count) {
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

// The floor: two threads wake each other.
std::vector<double> wake_up_times(std::size_t count) {
  const int there = ::eventfd(0, EFD_CLOEXEC), back = ::eventfd(0, EFD_CLOEXEC);
  std::thread other([&] {
    for (eventfd_t any = 0, i = 0; i < count; ++i) {
      ::eventfd_read(there, &any);
      ::eventfd_write(back, 1);
    }
  });
  std::vector<double> times;
  times.reserve(count);
  for (eventfd_t any = 0, i = 0; i < count; ++i) {
    const stopwatch watch;
    ::eventfd_write(there, 1);
    ::eventfd_read(back, &any);
    times.push_back(watch.seconds());
  }
  other.join();
  ::close(there);
  ::close(back);
  return times;
}

void measure_threads(samples& to) {
  for (const bool inside : {false, true}) {
    const std::string how = inside ? " (from inside)" : "";
    to.add("thread_pool, empty tasks" + how, quarq_rate(inside));
    to.add("boost::asio::thread_pool" + how, asio_rate(inside));
#ifdef QUARQ_BENCH_TBB
    to.add("TBB task_group" + how, tbb_rate(inside));
#endif
  }
  constexpr std::size_t calls = 10'000;
  add_percentiles(to, "two threads and eventfd", wake_up_times(calls));
  thread_pool pool;
  add_percentiles(to, "thread_pool.run from a coroutine", run(call_times(pool, calls)));
  measure_python(to, "threads",
                 {{"tasks_per_s", "Python's ThreadPoolExecutor"},
                  {"call_p50_us", "asyncio's run_in_executor, p50"},
                  {"call_p99_us", "asyncio's run_in_executor, p99"}});
}

// ---- the sum of numbers in a plain loop

// Not a formula: the compiler must not see through it.
[[gnu::noinline]] std::uint64_t sum_of(std::uint64_t first, std::uint64_t last) {
  std::uint64_t total = 0;
  for (std::uint64_t n = first; n < last; ++n) {
    total += n & 7;
    asm volatile("" : "+r"(total));
  }
  return total;
}

using range = std::pair<std::uint64_t, std::uint64_t>;

std::uint64_t sum_of_range(range part) {
  return sum_of(part.first, part.second);
}

constexpr std::uint64_t numbers = 600'000'000;

std::vector<range> shares() {
  std::vector<range> all;
  const std::uint64_t n = processors();
  for (std::uint64_t i = 0; i < n; ++i) all.emplace_back(numbers * i / n, numbers * (i + 1) / n);
  return all;
}

std::uint64_t sum_with_std_threads() {
  const auto all = shares();
  std::vector<std::uint64_t> sums(all.size());
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < all.size(); ++i) {
    threads.emplace_back([&, i] { sums[i] = sum_of_range(all[i]); });
  }
  threads.clear();
  return std::accumulate(sums.begin(), sums.end(), std::uint64_t{0});
}

template <class Where>
awaitable<std::uint64_t> sum_on(Where& where) {
  const auto sums = co_await where.map(sum_of_range, shares());
  co_return std::accumulate(sums.begin(), sums.end(), std::uint64_t{0});
}

template <class F>
double seconds_of(F sum, std::uint64_t expected) {
  const stopwatch watch;
  if (sum() != expected) throw std::runtime_error("a wrong sum");
  return watch.seconds();
}

void measure_speed_up(samples& to) {
  thread_pool threads;
  process_pool processes;
  run(sum_on(threads));
  run(sum_on(processes));
  const stopwatch watch;
  const auto expected = sum_of(0, numbers);
  const double alone = watch.seconds();
  to.add("sum over std::threads", alone / seconds_of(sum_with_std_threads, expected));
  to.add("sum over thread_pool", alone / seconds_of([&] { return run(sum_on(threads)); }, expected));
  to.add("sum over process_pool", alone / seconds_of([&] { return run(sum_on(processes)); }, expected));
  measure_python(to, "speed_up",
                 {{"threads", "sum over Python's threads"}, {"processes", "sum over Python's processes"}});
}

}  // namespace

part threads_part() {
  std::vector<row> rows;
  for (const std::string how : {"", " (from inside)"}) {
    rows.push_back({"thread_pool, empty tasks" + how,
                    "tasks/s",
                    {times("boost::asio::thread_pool" + how), times("TBB task_group" + how)}});
    if (how.empty()) {
      rows.back().beside[0].at_least = 1.0;
      rows.back().beside[1].at_least = 0.8;
      rows.back().beside.push_back(times("Python's ThreadPoolExecutor"));
    }
    rows.push_back({"boost::asio::thread_pool" + how, "tasks/s"});
    rows.push_back({"TBB task_group" + how, "tasks/s"});
    if (how.empty()) rows.push_back({"Python's ThreadPoolExecutor", "tasks/s"});
  }
  for (const std::string p : {", p50", ", p99"}) {
    rows.push_back({"thread_pool.run from a coroutine" + p,
                    "us",
                    {times("two threads and eventfd" + p), as_fast_as("asyncio's run_in_executor" + p)}});
    rows.push_back({"two threads and eventfd" + p, "us"});
    rows.push_back({"asyncio's run_in_executor" + p, "us"});
  }
  return {"threads", "level 3, threads: empty tasks, and a call with its result", measure_threads,
          std::move(rows)};
}

part speed_up_part() {
  row ours{"sum over thread_pool", "x alone", {times("sum over std::threads")}};
  ours.at_least = 1.8;
  return {"speed_up",
          "the sum of numbers in a plain loop, beside the same loop on one thread",
          measure_speed_up,
          {ours,
           {"sum over std::threads", "x alone"},
           {"sum over process_pool", "x alone"},
           {"sum over Python's threads", "x alone"},
           {"sum over Python's processes", "x alone"}}};
}

}  // namespace quarq::bench
