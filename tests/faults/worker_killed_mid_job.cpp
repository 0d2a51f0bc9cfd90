// A worker dies without a word (SIGKILL) while it runs jobs.
#include "faults/fault_test.hpp"

namespace quarq::test {
namespace {

class worker_killed_mid_job : public fault_test {};

TEST_P(worker_killed_mid_job, runs_again_on_another_worker_within_ten_seconds) {
  auto& first = start_worker();
  const auto id = enqueue(wait_for_gate(gate()));
  EXPECT_EQ(wait_for_start(id).pid, first.pid());
  auto& second = start_worker();

  kill(first);
  const auto again = wait_for_start(id, 2);
  EXPECT_EQ(again.pid, second.pid());
  EXPECT_EQ(again.attempts, 1);
  EXPECT_LE(again.started - killed().at(first.pid()), 10s * slowness);

  open_gate();
  EXPECT_EQ(result<std::string>(id), std::to_string(second.pid()) + " try 1");
  EXPECT_EQ(info(id).attempts, 1);
}

TEST_P(worker_killed_mid_job, a_worker_that_starts_later_finds_the_job) {
  auto& first = start_worker();
  const auto id = enqueue(wait_on_thread(gate()));
  wait_for_start(id);
  kill(first);
  open_gate();
  auto& second = start_worker();
  EXPECT_EQ(result<std::string>(id), std::to_string(second.pid()) + " try 1");
}

TEST_P(worker_killed_mid_job, all_its_jobs_run_again_and_no_other_does) {
  auto& first = start_worker(lease(2));
  strings ids;
  for (int i = 0; i < 50; ++i) ids.push_back(enqueue(wait_for_gate(gate())));
  for (const auto& id : ids) wait_for_start(id);
  const auto done_before = enqueue(note(1));
  EXPECT_EQ(result<int>(done_before), 1);
  auto& second = start_worker(lease(2));

  kill(first);
  open_gate();
  for (const auto& id : ids) EXPECT_EQ(result<std::string>(id), std::to_string(second.pid()) + " try 1");
  EXPECT_EQ(past().runs_of(done_before).size(), 1u);
}

ON_EACH_BROKER(worker_killed_mid_job);

}  // namespace
}  // namespace quarq::test
