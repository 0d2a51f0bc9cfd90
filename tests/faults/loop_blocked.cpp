// A coroutine handler blocks its worker's loop. The log names it, and the other jobs of the worker stay its
// own, unless it blocks for longer than it may run.
#include <algorithm>
#include <csignal>

#include "faults/fault_test.hpp"

namespace quarq::test {
namespace {

class loop_blocked : public fault_test {
 protected:
  strings start_others(std::size_t count) {
    strings ids;
    for (std::size_t i = 0; i < count; ++i) ids.push_back(enqueue(wait_for_gate(gate("others"))));
    for (const auto& id : ids) wait_for_start(id);
    return ids;
  }
  /// Of the only worker, which may be about to open it.
  std::string only_lease() {
    std::vector<broker::worker_summary> all;
    const bool is_there = eventually(
        [&] {
          all = workers();
          return all.size() == 1;
        },
        soon);
    if (!is_there) throw std::runtime_error("there is not one worker");
    return all.front().token;
  }
  std::vector<broker::worker_summary> workers() {
    return ask<std::vector<broker::worker_summary>>([](broker::broker& b) { return b.workers("default"); });
  }
  /// Waits until the lease has been renewed so often.
  void wait_for_renewals(const std::string& token, int count) {
    auto last = milliseconds::max();
    const bool came = eventually(
        [&] {
          for (const auto& each : workers()) {
            if (each.token != token) continue;
            if (each.expires_in > last) --count;
            last = each.expires_in;
          }
          return count <= 0;
        },
        soon);
    if (!came) throw std::runtime_error("the lease was not renewed");
  }
};

TEST_P(loop_blocked, the_worker_keeps_its_other_jobs_for_longer_than_its_lease) {
  auto& first = start_worker(lease(1));
  const auto token = only_lease();
  const auto others = start_others(5);
  const auto id = enqueue(block(gate("block")));
  wait_for_start(id);
  auto& second = start_worker(lease(1));
  EXPECT_TRUE(first.logs("the loop has been blocked for ", soon));
  EXPECT_TRUE(first.logs(" by task=block id=" + id + ": ", soon));
  // One each 250 ms: three leases.
  wait_for_renewals(token, 12);
  // Nothing is given to a worker that stands still.
  for (int i = 0; i < 10; ++i) {
    const auto given = enqueue(note(i));
    EXPECT_EQ(result<int>(given), i);
    EXPECT_EQ(wait_for_start(given).pid, second.pid());
  }
  open_gate("block");
  EXPECT_TRUE(first.logs("the loop turns again: it had been blocked for ", soon));
  open_gate("others");
  const auto answer = std::to_string(first.pid()) + " try 1";
  EXPECT_EQ(result<std::string>(id), answer);
  for (const auto& other : others) {
    EXPECT_EQ(result<std::string>(other), answer);
    EXPECT_EQ(past().runs_of(other).size(), 1u);
  }
  EXPECT_EQ(past().runs_of(id).size(), 1u);
  EXPECT_EQ(first.log().find("lease lost"), std::string::npos);
}

TEST_P(loop_blocked, a_cancellation_meanwhile_is_heard_afterwards) {
  auto& first = start_worker(lease(1));
  const auto token = only_lease();
  const auto others = start_others(2);
  const auto id = enqueue(block(gate("block")));
  wait_for_start(id);
  wait_for_renewals(token, 5);
  EXPECT_EQ(cancel(others.front()), cancel_outcome::requested);
  wait_for_renewals(token, 5);
  EXPECT_EQ(state(others.front()), job_state::running);
  open_gate("block");
  wait_for_state(others.front(), job_state::cancelled);
  EXPECT_EQ(state(others.back()), job_state::running);
  open_gate("others");
  EXPECT_EQ(result<std::string>(others.back()), std::to_string(first.pid()) + " try 1");
}

TEST_P(loop_blocked, one_that_blocks_past_its_timeout_costs_the_worker_its_jobs) {
  auto& first = start_worker(lease(1), {{"QUARQ_TEST_STOP_WAIT_MS", "300"}});
  const auto others = start_others(3);
  const auto id = enqueue(block_too_long(gate("block")));
  wait_for_start(id);
  auto& second = start_worker(lease(1));
  EXPECT_TRUE(first.logs("the lease is not renewed any more, as task=block_too_long id=" + id, soon));
  for (const auto& other : others) EXPECT_EQ(wait_for_start(other, 2).pid, second.pid());
  open_gate("others");
  for (const auto& other : others)
    EXPECT_EQ(result<std::string>(other), std::to_string(second.pid()) + " try 1");
  open_gate("block");
  EXPECT_TRUE(first.logs("running jobs are others' now; the loop had been blocked for ", soon));
  EXPECT_TRUE(first.logs(" by task=block_too_long id=" + id + "\n", soon));
}

// There is no lease yet: it is opened when the hook has ended, so that no job is given to a worker that does not run.
TEST_P(loop_blocked, by_a_hook_before_the_first_job_no_lease_is_held) {
  auto& worker = begin_worker({}, {{"QUARQ_TEST_BLOCK_STARTUP", gate("startup")}});
  EXPECT_TRUE(worker.logs("the loop has been blocked for ", soon));
  EXPECT_TRUE(worker.logs(" by on_startup: ", soon));
  EXPECT_TRUE(workers().empty());
  open_gate("startup");
  wait_until_serving(worker);
  EXPECT_TRUE(worker.logs("the loop turns again: it had been blocked for ", soon));
  const auto id = enqueue(note(1));
  EXPECT_EQ(result<int>(id), 1);
}

// There is no lease any more: what the worker held, others have.
TEST_P(loop_blocked, by_a_hook_after_the_last_job_no_lease_is_held) {
  auto& worker = start_worker({}, {{"QUARQ_TEST_BLOCK_SHUTDOWN", gate("shutdown")}});
  only_lease();
  worker.signal(SIGTERM);
  EXPECT_TRUE(worker.logs(" by on_shutdown: ", soon));
  EXPECT_TRUE(workers().empty());
  open_gate("shutdown");
  const auto end = worker.wait(soon);
  EXPECT_TRUE(end && end->code == 0);
}

INSTANTIATE_TEST_SUITE_P(on, loop_blocked,
                         testing::Values(store_kind::sqlite, store_kind::redis, store_kind::arq), kind_name);

}  // namespace
}  // namespace quarq::test
