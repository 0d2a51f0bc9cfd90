// Computing: how much faster than on one thread.
#include <cstdint>
#include <numeric>
#include <stdexcept>
#include <thread>

#include <quarq/process_pool.hpp>
#include <quarq/run.hpp>
#include <quarq/thread_pool.hpp>

#include "levels.hpp"
#include "stopwatch.hpp"

namespace quarq::bench {
namespace {

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
  const std::uint64_t n = std::max(1u, std::thread::hardware_concurrency());
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
