// The server stands still (SIGSTOP) for shorter and longer than a lease, while workers that are well run jobs:
// none of them loses its jobs; and a worker that was killed meanwhile is found.
#include <algorithm>
#include <thread>

#include "faults/scene.hpp"

namespace quarq::test {
namespace {

class server_stalled : public scene {
 protected:
  static constexpr std::size_t workers = 6;

  /// Each runs one job that ends when the gate is opened.
  strings start_workers_with_a_job_each() {
    strings ids;
    for (std::size_t i = 0; i < workers; ++i) {
      start_worker({"--concurrency", "1"});
      ids.push_back(enqueue(wait_for_gate(gate())));
      wait_for_start(ids.back());
    }
    return ids;
  }
  /// The length of the stall is what is tried, not a time to wait for something.
  void stall(milliseconds length) {
    redis().pause();
    std::this_thread::sleep_for(length);
    redis().resume();
  }
  std::size_t lost_leases() {
    return static_cast<std::size_t>(std::count_if(processes().begin(), processes().end(), [](const auto& p) {
      return p.log().find("lease lost") != std::string::npos;
    }));
  }
  /// All workers have renewed since: a job that is cancelled now is so by its worker, within a renewal.
  void wait_for_renewals() {
    const auto before = summary().workers;
    EXPECT_TRUE(eventually([&] { return summary().workers == workers; }, soon)) << before;
    std::this_thread::sleep_for(1200ms);
  }
};

TEST_P(server_stalled, healthy_workers_keep_their_jobs_whatever_the_length) {
  const auto ids = start_workers_with_a_job_each();
  for (const auto length : {500ms, 2700ms, 5500ms, 6300ms, 6700ms, 8000ms}) {
    stall(length);
    wait_for_renewals();
    EXPECT_EQ(lost_leases(), 0u) << "after " << length.count() << " ms";
    for (const auto& id : ids)
      EXPECT_EQ(past().runs_of(id).size(), 1u) << "after " << length.count() << " ms";
    if (HasFailure()) return;
  }
  open_gate();
  for (const auto& id : ids) EXPECT_TRUE(result<std::string>(id).ends_with(" try 1"));
}

TEST_P(server_stalled, a_worker_that_was_killed_meanwhile_is_found) {
  const auto ids = start_workers_with_a_job_each();
  auto& victim = processes().front();
  redis().pause();
  std::this_thread::sleep_for(3s);
  kill(victim);
  std::this_thread::sleep_for(3500ms);
  redis().resume();
  EXPECT_TRUE(eventually([&] { return summary().workers == workers - 1; }, soon));
  start_worker();
  const auto again = wait_for_start(ids.front(), 2);
  EXPECT_EQ(again.attempts, 2);
  open_gate();
  for (const auto& id : ids) result<std::string>(id);
  EXPECT_EQ(lost_leases(), 0u);
  for (std::size_t i = 1; i < ids.size(); ++i) EXPECT_EQ(past().runs_of(ids[i]).size(), 1u);
}

INSTANTIATE_TEST_SUITE_P(on, server_stalled, testing::Values(store_kind::redis),
                         [](const auto&) { return std::string("redis"); });

}  // namespace
}  // namespace quarq::test
