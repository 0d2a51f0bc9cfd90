// A worker stands still (SIGSTOP) until its jobs have been given to another, and then goes on as if nothing
// were: it must not overwrite what the other has done.
#include <algorithm>

#include "faults/fault_test.hpp"

namespace quarq::test {
namespace {

class worker_stopped_past_its_lease : public fault_test {
 protected:
  /// The first result stays, the second end is refused, and the worker goes on under a new lease.
  void check(const task<std::string(std::string)>& what) {
    auto& first = start_worker(lease(1));
    const auto id = enqueue(what(gate()));
    wait_for_start(id);
    freeze(first);
    auto& second = start_worker(lease(1));
    EXPECT_EQ(wait_for_start(id, 2).pid, second.pid());
    open_gate();
    const auto answer = std::to_string(second.pid()) + " try 1";
    EXPECT_EQ(result<std::string>(id), answer);

    first.thaw();
    EXPECT_TRUE(first.logs("refused ", soon)) << "the late end was not refused";
    EXPECT_EQ(result<std::string>(id), answer);
    EXPECT_EQ(info(id).attempts, 1);

    second.signal(SIGTERM);
    EXPECT_TRUE(second.wait(soon));
    const auto next = enqueue(what(gate()));
    EXPECT_EQ(result<std::string>(next), std::to_string(first.pid()) + " try 1");
  }
};

TEST_P(worker_stopped_past_its_lease, a_coroutines_late_end_is_refused) {
  check(wait_for_gate);
}

TEST_P(worker_stopped_past_its_lease, a_threads_late_end_is_refused) {
  check(wait_deaf);
}

TEST_P(worker_stopped_past_its_lease, many_jobs_each_have_one_result) {
  auto& first = start_worker(lease(1));
  strings ids;
  for (int i = 0; i < 50; ++i) ids.push_back(enqueue(wait_for_gate(gate())));
  for (const auto& id : ids) wait_for_start(id);
  freeze(first);
  auto& second = start_worker(lease(1));
  for (const auto& id : ids) wait_for_start(id, 2);
  // Both workers may finish now, and the one that lost its lease is in a hurry.
  first.thaw();
  open_gate();
  for (const auto& id : ids) EXPECT_EQ(result<std::string>(id), std::to_string(second.pid()) + " try 1");
  EXPECT_TRUE(first.logs("lease lost", soon));
}

// The second job was claimed, and waits for the only thread, when the worker is stopped. When it goes on, the
// gate is open, so that the thread is free before any renewal can say that the lease is lost.
TEST_P(worker_stopped_past_its_lease, what_it_had_claimed_and_not_begun_is_not_begun_afterwards) {
  strings one_thread = lease(1);
  one_thread.insert(one_thread.end(), {"--threads", "1"});
  auto& first = start_worker(one_thread);
  const auto running = enqueue(wait_deaf(gate()));
  wait_for_start(running);
  const auto waiting = enqueue(note_plain(7));
  wait_for_state(waiting, job_state::running);
  freeze(first);
  auto& second = start_worker(lease(1));
  EXPECT_EQ(wait_for_start(running, 2).pid, second.pid());
  EXPECT_EQ(result<int>(waiting), 7);
  open_gate();
  EXPECT_EQ(result<std::string>(running), std::to_string(second.pid()) + " try 1");

  first.thaw();
  EXPECT_TRUE(first.logs("lease lost", soon));
  first.signal(SIGTERM);
  ASSERT_TRUE(first.wait(soon)) << "it did not end";
  EXPECT_EQ(past().runs_of(waiting).size(), 1u);
  EXPECT_EQ(info(waiting).attempts, 1);
}

ON_EACH_BROKER(worker_stopped_past_its_lease);

}  // namespace
}  // namespace quarq::test
