// Level 3: threads of one process.
#include <atomic>
#include <future>
#include <latch>
#include <optional>
#include <stdexcept>
#include <thread>

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <fmt/format.h>
#include <sys/eventfd.h>
#include <unistd.h>
#ifdef QUARQ_BENCH_TASKFLOW
#include <taskflow/taskflow.hpp>
#endif
#ifdef QUARQ_BENCH_TBB
#include <oneapi/tbb/task_arena.h>
#include <oneapi/tbb/task_group.h>
#endif

#include <quarq/run.hpp>
#include <quarq/thread_pool.hpp>

#include "levels.hpp"
#include "stopwatch.hpp"

namespace quarq::bench {
namespace {

namespace asio = boost::asio;

constexpr std::size_t tasks = 1'000'000;

// ---- empty tasks. From outside: one thread that is not of the pool gives them all. From inside: a task on
// each thread of the pool gives its share. The clock stops when all have run.

// Asking is a system call, which would be most of what a loop around it costs.
const std::size_t processors = std::max(1u, std::thread::hardware_concurrency());
const std::size_t share = tasks / processors;

// They are empty but for counting themselves, each thread for itself: a pool that loses one is not fast.
std::atomic<std::size_t> all_ran = 0;
struct tally {
  std::size_t ran = 0;
  ~tally() { all_ran += ran; }
};
thread_local tally mine;

void empty_task() {
  ++mine.ran;
}

// `post` gives a task to the pool, `finish` returns when all have run.
template <class Post, class Finish>
double rate(bool inside, Post post, Finish finish) {
  const stopwatch watch;
  if (inside) {
    for (std::size_t i = 0; i < processors; ++i) {
      post([post] {
        for (std::size_t k = 0; k < share; ++k) post([] { empty_task(); });
      });
    }
  } else {
    for (std::size_t i = 0; i < share * processors; ++i) post([] { empty_task(); });
  }
  finish();
  return static_cast<double>(share * processors) / watch.seconds();
}

// The threads of the pool have ended, so they have told.
void check_that_all_ran(const std::string& whose, std::size_t expected = share * processors) {
  const auto ran = all_ran.exchange(0);
  if (ran == expected) return;
  throw std::runtime_error(fmt::format("{} ran {} tasks of {}", whose, ran, expected));
}

double asio_rate(bool inside) {
  asio::thread_pool pool(processors);
  std::latch warm(static_cast<std::ptrdiff_t>(processors));
  for (std::size_t i = 0; i < processors; ++i) asio::post(pool, [&] { warm.arrive_and_wait(); });
  warm.wait();
  const double result =
      rate(inside, [&pool](auto task) { asio::post(pool, task); }, [&pool] { pool.join(); });
  check_that_all_ran("boost::asio::thread_pool");
  return result;
}

double quarq_rate(bool inside) {
  thread_pool_options options;
  options.size = processors;
  std::optional<thread_pool> pool(std::in_place, options);
  std::latch warm(static_cast<std::ptrdiff_t>(processors));
  for (std::size_t i = 0; i < processors; ++i) pool->post([&] { warm.arrive_and_wait(); });
  warm.wait();
  const double result = rate(inside, [p = &*pool](auto task) { p->post(task); }, [&pool] { pool.reset(); });
  check_that_all_ran("quarq::thread_pool");
  return result;
}

// A thread for each task, and no more of them at once than a pool would have in its queue for a moment.
double async_rate() {
  constexpr std::size_t threads = 20'000, at_once = 64;
  std::vector<std::future<void>> under_way(at_once);
  const stopwatch watch;
  for (std::size_t i = 0; i < threads; ++i) {
    auto& place = under_way[i % at_once];
    if (place.valid()) place.get();
    place = std::async(std::launch::async, empty_task);
  }
  for (auto& one : under_way) one.get();
  const double took = watch.seconds();
  check_that_all_ran("std::async", threads);
  return static_cast<double>(threads) / took;
}

#ifdef QUARQ_BENCH_TASKFLOW
double taskflow_rate(bool inside) {
  std::optional<tf::Executor> executor(std::in_place, processors);
  for (std::size_t i = 0; i < 1000; ++i) executor->silent_async([] {});
  executor->wait_for_all();
  const double result =
      rate(inside, [&](auto task) { executor->silent_async(task); }, [&] { executor->wait_for_all(); });
  executor.reset();
  check_that_all_ran("Taskflow");
  return result;
}
#endif

#ifdef QUARQ_BENCH_TBB
double tbb_rate(bool inside) {
  tbb::task_arena arena(static_cast<int>(processors));
  return arena.execute([inside] {
    tbb::task_group group;
    for (std::size_t i = 0; i < 1000; ++i) group.run([] {});
    group.wait();
    return rate(inside, [&group](auto task) { group.run(task); }, [&group] { group.wait(); });
  });
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

// The same from a thread that blocks until the result is there. `start` returns a future of it.
template <class Start>
std::vector<double> blocking_call_times(std::size_t count, Start start) {
  std::vector<double> times;
  times.reserve(count);
  for (std::size_t i = 0; i < count + count / 10; ++i) {
    const stopwatch watch;
    const int seven = start().get();
    if (i >= count / 10 && seven == 7) times.push_back(watch.seconds());
  }
  return times;
}

std::vector<double> asio_call_times(std::size_t count) {
  asio::thread_pool pool(processors);
  return blocking_call_times(count, [&] {
    std::packaged_task<int()> work([] { return identity(7); });
    auto result = work.get_future();
    asio::post(pool, std::move(work));
    return result;
  });
}

#ifdef QUARQ_BENCH_TASKFLOW
std::vector<double> taskflow_call_times(std::size_t count) {
  tf::Executor executor(processors);
  return blocking_call_times(count, [&] { return executor.async([] { return identity(7); }); });
}
#endif

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
#ifdef QUARQ_BENCH_TASKFLOW
    to.add("Taskflow" + how, taskflow_rate(inside));
#endif
  }
  to.add("std::async", async_rate());
  constexpr std::size_t calls = 10'000;
  add_percentiles(to, "two threads and eventfd", wake_up_times(calls));
  thread_pool pool;
  add_percentiles(to, "thread_pool.run from a coroutine", run(call_times(pool, calls)));
  add_percentiles(to, "boost::asio::thread_pool, std::future", asio_call_times(calls));
  add_percentiles(to, "std::async, std::future",
                  blocking_call_times(calls, [] { return std::async(std::launch::async, identity, 7); }));
#ifdef QUARQ_BENCH_TASKFLOW
  add_percentiles(to, "Taskflow, std::future", taskflow_call_times(calls));
#endif
  measure_node(to, {{"tasks_per_s", "node's worker_threads"},
                    {"call_p50_us", "node's worker_threads, p50"},
                    {"call_p99_us", "node's worker_threads, p99"}});
  measure_python(to, "threads",
                 {{"tasks_per_s", "Python's ThreadPoolExecutor"},
                  {"call_p50_us", "asyncio's run_in_executor, p50"},
                  {"call_p99_us", "asyncio's run_in_executor, p99"}});
}

}  // namespace

part threads_part() {
  std::vector<row> rows;
  for (const std::string how : {"", " (from inside)"}) {
    rows.push_back(
        {"thread_pool, empty tasks" + how,
         "tasks/s",
         {times("boost::asio::thread_pool" + how), times("TBB task_group" + how), times("Taskflow" + how)}});
    if (how.empty()) {
      rows.back().compared_to[0].at_least = 1.0;
      rows.back().compared_to[1].at_least = 0.8;
      for (const char* other : {"std::async", "Python's ThreadPoolExecutor", "node's worker_threads"})
        rows.back().compared_to.push_back(times(other));
    }
    rows.push_back({"boost::asio::thread_pool" + how, "tasks/s"});
    rows.push_back({"TBB task_group" + how, "tasks/s"});
    rows.push_back({"Taskflow" + how, "tasks/s"});
    if (!how.empty()) continue;
    for (const char* other : {"std::async", "Python's ThreadPoolExecutor", "node's worker_threads"})
      rows.push_back({other, "tasks/s"});
  }
  for (const std::string p : {", p50", ", p99"}) {
    const std::string floor = "two threads and eventfd" + p;
    row ours{"thread_pool.run from a coroutine" + p, "us", {times(floor)}};
    std::vector<row> others{{floor, "us"}};
    for (const char* other :
         {"boost::asio::thread_pool, std::future", "std::async, std::future", "Taskflow, std::future",
          "asyncio's run_in_executor", "node's worker_threads"}) {
      ours.compared_to.push_back(as_fast_as(other + p));
      others.push_back({other + p, "us"});
    }
    rows.push_back(std::move(ours));
    rows.insert(rows.end(), others.begin(), others.end());
  }
  return {"threads", "level 3, threads: empty tasks, and a call with its result", measure_threads,
          std::move(rows)};
}

}  // namespace quarq::bench
