// The server stands still (SIGSTOP) for shorter and longer than a lease, while workers that are well run jobs:
// none of them loses its jobs; and a worker that was killed meanwhile is found.
#include <algorithm>
#include <thread>

#include "faults/fault_test.hpp"

namespace quarq::test {
namespace {

class server_stalled : public fault_test {
 protected:
  static constexpr std::size_t workers = 6;

  /// Each runs one job that ends when the gate is opened.
  strings start_workers_with_a_job_each(const strings& flags = {}) {
    strings all_flags{"--concurrency", "1"};
    all_flags.insert(all_flags.end(), flags.begin(), flags.end());
    strings ids;
    for (std::size_t i = 0; i < workers; ++i) {
      start_worker(all_flags);
      ids.push_back(enqueue(wait_for_gate(gate())));
      wait_for_start(ids.back());
    }
    return ids;
  }
  /// The length of the stall is what is tried, not a time to wait for something.
  /// None was lost, and no job has run twice.
  void expect_all_well(const strings& ids, milliseconds after) {
    EXPECT_EQ(lost_leases(), 0u) << "after " << after.count() << " ms";
    for (const auto& id : ids) EXPECT_EQ(past().runs_of(id).size(), 1u) << "after " << after.count() << " ms";
  }
  void expect_results_of_first_attempts(const strings& ids) {
    open_gate();
    for (const auto& id : ids) EXPECT_TRUE(result<std::string>(id).ends_with(" try 1"));
  }
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
  /// How many the server knows; none while a busy machine holds it up for longer than its client waits.
  std::size_t known_workers() {
    try {
      return summary().workers;
    } catch (const broker_error&) {
      return 0;
    }
  }
  /// All workers have renewed since: a job that is cancelled now is so by its worker, within a renewal.
  void wait_for_renewals() {
    EXPECT_TRUE(eventually([&] { return known_workers() == workers; }, soon));
    std::this_thread::sleep_for(1200ms);
  }
};

TEST_P(server_stalled, healthy_workers_keep_their_jobs_whatever_the_length) {
  const auto ids = start_workers_with_a_job_each();
  for (const auto length : {500ms, 2700ms, 6300ms, 6700ms, 20'000ms}) {
    stall(length);
    wait_for_renewals();
    expect_all_well(ids, length);
    if (HasFailure()) return;
  }
  expect_results_of_first_attempts(ids);
}

TEST_P(server_stalled, short_leases_last_as_well) {
  const auto ids = start_workers_with_a_job_each(lease(2));
  for (const auto length : {1'300ms, 1'650ms, 1'900ms, 2'300ms}) {
    stall(length);
    wait_for_renewals();
    expect_all_well(ids, length);
    if (HasFailure()) return;
  }
  expect_results_of_first_attempts(ids);
}

TEST_P(server_stalled, a_worker_that_was_killed_meanwhile_is_found) {
  const auto ids = start_workers_with_a_job_each();
  auto& victim = processes().front();
  redis().pause();
  std::this_thread::sleep_for(3s);
  kill(victim);
  std::this_thread::sleep_for(3500ms);
  redis().resume();
  EXPECT_TRUE(eventually([&] { return known_workers() == workers - 1; }, soon));
  start_worker();
  const auto again = wait_for_start(ids.front(), 2);
  EXPECT_EQ(again.attempts, 1);
  open_gate();
  for (const auto& id : ids) result<std::string>(id);
  EXPECT_EQ(lost_leases(), 0u);
  for (std::size_t i = 1; i < ids.size(); ++i) EXPECT_EQ(past().runs_of(ids[i]).size(), 1u);
}

INSTANTIATE_TEST_SUITE_P(on, server_stalled, testing::Values(store_kind::redis, store_kind::arq), kind_name);

/// The master alone stands still. Its sentinels take it for lost after a second.
class master_stalled : public server_stalled {
 protected:
  void wait_for_the_new_master() {
    all_servers().wait_failed_over();
    EXPECT_TRUE(
        eventually([&] { return all_servers().second().info("replication", "role") == "master"; }, soon));
  }
};

TEST_P(master_stalled, for_less_than_its_sentinels_wait_nothing_is_lost) {
  const auto ids = start_workers_with_a_job_each();
  for (const auto length : {300ms, 600ms}) {
    stall(length);
    wait_for_renewals();
    expect_all_well(ids, length);
  }
  expect_results_of_first_attempts(ids);
}

TEST_P(master_stalled, for_longer_jobs_go_on_at_the_next_master) {
  const auto ids = start_workers_with_a_job_each();
  all_servers().wait_replicated();
  redis().pause();
  wait_for_the_new_master();
  // Until all have noticed. Before that the old one, back, would take their renewals once more.
  std::this_thread::sleep_for(7s);
  wait_for_renewals();
  expect_all_well(ids, 10s);
  redis().resume();
  std::this_thread::sleep_for(10s);
  wait_for_renewals();
  expect_all_well(ids, 20s);
  expect_results_of_first_attempts(ids);
}

TEST_P(master_stalled, a_worker_that_was_killed_meanwhile_is_found) {
  const auto ids = start_workers_with_a_job_each();
  all_servers().wait_replicated();
  redis().pause();
  kill(processes().front());
  wait_for_the_new_master();
  start_worker();
  wait_for_start(ids.front(), 2);
  redis().resume();
  open_gate();
  for (const auto& id : ids) result<std::string>(id);
  EXPECT_EQ(lost_leases(), 0u);
  for (std::size_t i = 1; i < ids.size(); ++i) EXPECT_EQ(past().runs_of(ids[i]).size(), 1u);
}

INSTANTIATE_TEST_SUITE_P(on, master_stalled, testing::Values(store_kind::sentinel), kind_name);

}  // namespace
}  // namespace quarq::test
