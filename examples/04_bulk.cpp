// Many jobs in one step: a vector of calls is one round trip and one transaction, however many they are.
#include <iostream>
#include <numeric>

#include <quarq/quarq.hpp>

constexpr quarq::task<long(long n)> square{"square", "n"};

long do_square(long n) {
  return n * n;
}

quarq::awaitable<void> client(quarq::worker& worker) {
  quarq::queue queue("sqlite::memory:");

  std::vector<quarq::call<long>> calls;
  for (long n = 1; n <= 1000; ++n) calls.push_back(square(n));
  auto jobs = co_await queue.enqueue(std::move(calls));
  std::cout << jobs.size() << " jobs stored in one step" << std::endl;

  std::vector<quarq::awaitable<long>> results;
  for (const auto& job : jobs) results.push_back(job->result());
  auto squares = co_await quarq::gather(std::move(results));  // in the order of the calls
  std::cout << "the last square is " << squares.back() << ", their sum "
            << std::accumulate(squares.begin(), squares.end(), 0L) << std::endl;

  // A job may be given an id, so that it can't be sent twice. Where an id is taken there is no job.
  std::vector<quarq::call<long>> twice;
  twice.push_back(square(7).id("square of seven"));
  twice.push_back(square(7).id("square of seven"));
  auto named = co_await queue.enqueue(std::move(twice));
  for (const auto& job : named) std::cout << (job ? "accepted" : "refused: that id is taken") << std::endl;
  worker.stop();
}

quarq::awaitable<void> both(quarq::worker& worker) {
  co_await quarq::gather(worker.run(), client(worker));
}

int main() {
  quarq::worker worker({.broker = "sqlite::memory:"});
  worker.handle(square, do_square);
  quarq::run(both(worker));
}

// It prints:
//   1000 jobs stored in one step
//   the last square is 1000000, their sum 333833500
//   accepted
//   refused: that id is taken
