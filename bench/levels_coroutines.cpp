// Level 4: many coroutines on one thread.
#include <cstdio>
#include <filesystem>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include <quarq/gather.hpp>
#include <quarq/run.hpp>
#include <quarq/time.hpp>

#include "levels.hpp"
#include "python.hpp"
#include "stopwatch.hpp"

namespace quarq::bench {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

constexpr std::size_t many = 100'000;

// ---- gather

awaitable<void> yield_once() {
  co_await sleep_for(0s);
}

awaitable<void> gather_many(std::size_t count) {
  std::vector<awaitable<void>> all;
  all.reserve(count);
  for (std::size_t i = 0; i < count; ++i) all.push_back(yield_once());
  co_await gather(std::move(all));
}

// The floor: Asio alone, without collecting results and failures.
awaitable<void> post_once(std::size_t& ended) {
  co_await asio::post(asio::use_awaitable);
  ++ended;
}

double spawned_ms(std::size_t count) {
  asio::io_context loop(1);
  std::size_t ended = 0;
  const stopwatch watch;
  for (std::size_t i = 0; i < count; ++i) asio::co_spawn(loop, post_once(ended), asio::detached);
  loop.run();
  if (ended != count) throw std::runtime_error("coroutines got lost");
  return watch.seconds() * 1e3;
}

double gathered_ms(std::size_t count) {
  const stopwatch watch;
  run(gather_many(count));
  return watch.seconds() * 1e3;
}

// ---- memory

std::size_t resident_bytes() {
  std::size_t all = 0, resident = 0;
  std::FILE* in = std::fopen("/proc/self/statm", "r");
  const int read = in ? std::fscanf(in, "%zu %zu", &all, &resident) : 0;
  if (in) std::fclose(in);
  if (read != 2) throw std::runtime_error("can't read /proc/self/statm");
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

awaitable<void> wait_for_ever() {
  co_await sleep_for(1h);
}

// After the last one, on the same loop: all of them have begun to wait.
awaitable<void> look_and_leave(std::size_t before, std::size_t count) {
  co_await sleep_for(10ms);
  const auto now = resident_bytes();
  fmt::print("{}\n", static_cast<double>(now - before) / static_cast<double>(count));
  std::fflush(stdout);
  // Ends the others, too: gather cancels them.
  throw std::runtime_error("seen");
}

awaitable<void> wait_many(std::size_t count) {
  const auto before = resident_bytes();
  std::vector<awaitable<void>> all;
  for (std::size_t i = 0; i < count; ++i) all.push_back(wait_for_ever());
  all.push_back(look_and_leave(before, count));
  try {
    co_await gather(std::move(all));
  } catch (const std::runtime_error&) {
  }
}

void measure(samples& to) {
  to.add("co_spawn of 100 000, Asio alone", spawned_ms(many));
  to.add("gather of 100 000 coroutines", gathered_ms(many));
  measure_python(to, "coroutines", {{"gather_ms", "asyncio's gather"}});
  const auto self = std::filesystem::read_symlink("/proc/self/exe").string();
  to.add("memory of a waiting coroutine", std::stod(output_of({self, "waiting-coroutines"})));
  measure_python(to, "memory", {{"bytes_per_coroutine", "asyncio's task"}});
}

}  // namespace

int waiting_coroutines_main() {
  run(wait_many(many));
  return 0;
}

part coroutines_part() {
  return {"coroutines",
          "level 4, coroutines: each yields once; memory: each sleeps, and 100 000 are there",
          measure,
          {{"co_spawn of 100 000, Asio alone", "ms"},
           {"gather of 100 000 coroutines",
            "ms",
            {times("co_spawn of 100 000, Asio alone"), as_fast_as("asyncio's gather")}},
           {"asyncio's gather", "ms"},
           {"memory of a waiting coroutine", "bytes", {times("asyncio's task")}},
           {"asyncio's task", "bytes"}}};
}

}  // namespace quarq::bench
