// Many jobs through three workers, of which one is killed every second and started again: no job is lost, and
// none runs twice but those that were running on a killed worker.
#include <iostream>
#include <random>

#include <fmt/format.h>

#include "faults/fault_test.hpp"

namespace quarq::test {
namespace {

constexpr std::uint64_t seed = 20240229;
constexpr int jobs_in_all = sanitized ? 5'000 : 100'000;
constexpr int fewest_kills = sanitized ? 3 : 8;

class random_kills : public fault_test {
 protected:
  void start_crew() {
    // A line for each start and end of so many jobs would be most of the work.
    for (int i = 0; i < 3; ++i) crew_.push_back(&begin_worker({"--log-level", "warn"}));
    ASSERT_TRUE(eventually([&] { return summary().workers == 3; }, soon));
  }

  void kill_one() {
    auto& victim = crew_[std::uniform_int_distribution<std::size_t>(0, crew_.size() - 1)(random_)];
    if (const auto end = victim->ended()) {
      ADD_FAILURE() << "worker " << victim->pid() << " ended by itself: code " << end->code << ", signal "
                    << end->signal;
    }
    kill(*victim);
    victim = &begin_worker({"--log-level", "warn"});
  }

  bool drained() {
    const auto s = summary();
    return s.queued + s.deferred + s.running == 0;
  }

  std::mt19937_64 random_{seed};
  std::vector<process*> crew_;
};

TEST_P(random_kills, nothing_is_lost_and_only_what_was_running_on_a_killed_worker_runs_again) {
  std::cout << fmt::format("seed {}, {} jobs\n", seed, jobs_in_all);
  start_crew();
  if (HasFatalFailure()) return;
  // A steady stream of jobs that take a while, so that each kill meets a worker in the middle of its work.
  auto& client =
      start_client(sanitized ? strings{"--count", std::to_string(jobs_in_all), "--at-once", "20",
                                       "--in-flight", "2", "--pause-ms", "30", "--takes-ms", "100"}
                             : strings{"--count", std::to_string(jobs_in_all), "--at-once", "100",
                                       "--in-flight", "2", "--pause-ms", "20", "--takes-ms", "15"});
  std::size_t progress = 0;
  auto progress_at = std::chrono::steady_clock::now();
  auto next_kill = std::chrono::steady_clock::now() + 1s;
  int kills = 0;
  const auto under_way = [&] { return !client.ended() || kills < fewest_kills || !drained(); };
  while (under_way()) {
    const auto s = summary();
    const auto so_far = client.output().size() + s.kept;
    if (so_far != progress) progress_at = std::chrono::steady_clock::now();
    progress = so_far;
    ASSERT_LT(std::chrono::steady_clock::now() - progress_at, soon)
        << s.queued << " queued, " << s.running << " running, " << s.kept << " ended";
    std::this_thread::sleep_until(next_kill);
    next_kill += 1s;
    if (client.ended() && kills >= fewest_kills) continue;
    kill_one();
    ++kills;
  }
  ASSERT_EQ(client.wait(soon)->code, 0);

  const auto ids = client.lines();
  const auto all = past();
  std::cout << fmt::format("{} kills, {} runs, {} jobs ran more than once\n", kills, all.runs().size(),
                           all.run_more_than_once().size());
  EXPECT_EQ(ids.size(), std::size_t(jobs_in_all));
  EXPECT_EQ(all.never_ended(ids), strings());
  EXPECT_FALSE(all.run_more_than_once().empty()) << "no kill has met a running job: this test shows nothing";
  EXPECT_EQ(all.repeats_without_a_kill(killed()), strings());
  const auto s = summary();
  EXPECT_EQ(s.kept, ids.size()) << "each job has its one result";
  EXPECT_EQ(s.dead, 0u);
}

ON_EACH_BROKER(random_kills);

}  // namespace
}  // namespace quarq::test
