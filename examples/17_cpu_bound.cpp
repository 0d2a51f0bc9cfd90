// The sum of many numbers, in a plain loop, on threads, on processes: where the work is computing, each of
// the machine's processors helps. (The threads of Python, with its global lock, would gain nothing here.)
#include <chrono>
#include <iomanip>
#include <iostream>
#include <numeric>
#include <thread>

#include <quarq/quarq.hpp>

using number = std::uint64_t;
using milliseconds = std::chrono::duration<double, std::milli>;

constexpr number numbers = 400'000'000;

// The work: nothing but computing, of a kind that the compiler can't make a formula of.
number sum_of(std::pair<number, number> range) {
  number sum = 0;
  for (number n = range.first; n < range.second; ++n) sum += n * n % 7;
  return sum;
}

number total(const std::vector<number>& sums) {
  return std::accumulate(sums.begin(), sums.end(), number{0});
}

// As many parts as there are processors.
std::vector<std::pair<number, number>> parts() {
  const number count = std::max(1u, std::thread::hardware_concurrency());
  std::vector<std::pair<number, number>> all;
  for (number i = 0; i < count; ++i) all.emplace_back(numbers * i / count, numbers * (i + 1) / count);
  return all;
}

milliseconds show(const std::string& how, milliseconds took, milliseconds alone, number sum) {
  std::cout << std::left << std::setw(14) << how << "sum " << sum << std::fixed << std::setprecision(0)
            << " in " << took.count() << " ms, " << std::setprecision(2) << alone / took
            << " x the plain loop" << std::endl;
  return took;
}

// `where` is a pool of threads or of processes: the line that gives it the work is the same.
template <class Where>
quarq::awaitable<void> sum_on(const Where& where, std::string name, milliseconds alone) {
  const auto start = std::chrono::steady_clock::now();
  const auto sums = co_await where.map(sum_of, parts());
  show(name, std::chrono::steady_clock::now() - start, alone, total(sums));
}

quarq::awaitable<void> compare() {
  const auto start = std::chrono::steady_clock::now();
  const number sum = sum_of({0, numbers});
  const milliseconds alone = std::chrono::steady_clock::now() - start;
  show("plain loop", alone, alone, sum);

  const quarq::thread_pool threads;  // one for each processor
  co_await sum_on(threads, "on threads", alone);
  const quarq::process_pool processes;
  co_await sum_on(processes, "on processes", alone);
}

int main() {
  return quarq::main(compare());
}

// It prints:
//   plain loop    sum 799999998 in <2453> ms, 1.00 x the plain loop
//   on threads    sum 799999998 in <1297> ms, <1.89> x the plain loop
//   on processes  sum 799999998 in <1298> ms, <1.89> x the plain loop
