// Ten thousand calls while a random child is killed every 50 ms, provided that a call has returned since the
// last kill: each call ends, with its value or worker_lost.
#include <atomic>
#include <iostream>
#include <random>
#include <thread>

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <quarq/gather.hpp>
#include <quarq/process_pool.hpp>

#include "base/sanitizers.hpp"
#include "support/descriptors.hpp"
#include "support/on_loop.hpp"

namespace quarq::test {
namespace {

using namespace std::chrono_literals;

constexpr int calls_in_all = base::sanitized ? 2'000 : 10'000;
constexpr std::uint64_t kills_seed = 20240301;
constexpr int callers = 8;

int slowly(int n) {
  usleep(200);
  return 3 * n;
}

class counts {
 public:
  void value(bool right) { ++(right ? values_ : wrong_); }
  void lost() { ++lost_; }
  int ended() const { return values_ + lost_ + wrong_; }
  int values() const { return values_; }
  int lost_calls() const { return lost_; }
  int wrong() const { return wrong_; }

 private:
  std::atomic<int> values_ = 0, lost_ = 0, wrong_ = 0;
};

awaitable<void> one_caller(process_pool& pool, counts& seen, int first) {
  for (int n = first; n < calls_in_all; n += callers) {
    try {
      const int result = co_await pool.run(slowly, n);
      seen.value(result == 3 * n);
    } catch (const worker_lost&) {
      seen.lost();
    }
  }
}

// Half of the callers on a loop of their own each, the others together on one.
void call_from_all(process_pool& pool, counts& seen) {
  std::vector<std::jthread> threads;
  for (int i = 0; i < callers / 2; ++i)
    threads.emplace_back([&, i] { run_on_loop(one_caller(pool, seen, i), 150s); });
  const auto together = [&]() -> awaitable<void> {
    std::vector<awaitable<void>> all;
    for (int i = callers / 2; i < callers; ++i) all.push_back(one_caller(pool, seen, i));
    co_await gather(std::move(all));
  };
  run_on_loop(together, 150s);
}

TEST(process_pool_random_kills, each_call_ends_with_its_value_or_worker_lost) {
  {
    run_on_loop(process_pool({.size = 1}).run(slowly, 1));
  }  // the supervisor has its own descriptors from now on
  const auto before = open_descriptors();
  std::cout << "seed " << kills_seed << ", " << calls_in_all << " calls\n";
  counts seen;
  int kills = 0;
  {
    process_pool pool({.size = 4});
    std::jthread killer([&](std::stop_token stop) {
      std::mt19937_64 random(kills_seed);
      int values_before = 0;
      while (!stop.stop_requested()) {
        std::this_thread::sleep_for(50ms);
        const auto pids = pool.pids();
        if (pids.empty() || seen.values() == values_before) continue;
        values_before = seen.values();
        ::kill(pids[random() % pids.size()], SIGKILL);
        ++kills;
      }
    });
    call_from_all(pool, seen);
  }
  std::cout << kills << " kills, " << seen.values() << " values, " << seen.lost_calls() << " lost\n";
  EXPECT_EQ(seen.ended(), calls_in_all);
  EXPECT_EQ(seen.wrong(), 0);
  EXPECT_GT(seen.lost_calls(), 0);
  EXPECT_LE(seen.lost_calls(), kills);
  EXPECT_EQ(open_descriptors(), before);
  siginfo_t info{};
  EXPECT_EQ(waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT), -1) << "a child is left";
}

}  // namespace
}  // namespace quarq::test
