// SIGTERM while jobs run: they end in their grace period, or are handed back at once, and that is not one of
// their tries.
#include "faults/fault_test.hpp"

namespace quarq::test {
namespace {

class worker_terminated : public fault_test {
 protected:
  void expect_clean_end(process& worker) {
    const auto end = worker.wait(soon);
    ASSERT_TRUE(end) << "the worker did not end";
    EXPECT_EQ(end->code, 0) << "signal " << end->signal;
  }

  /// The job was handed back, and its next run is its first try as well.
  void expect_handed_back(const std::string& id) {
    EXPECT_EQ(state(id), job_state::queued);
    open_gate();
    auto& next = start_worker();
    EXPECT_EQ(result<std::string>(id), std::to_string(next.pid()) + " try 1");
    EXPECT_EQ(wait_for_start(id, 2).attempts, 1);
  }

  void check_handed_back(const task<std::string(std::string)>& what) {
    auto& worker = start_worker(shutdown_timeout(0));
    const auto id = enqueue(what(gate()));
    wait_for_start(id);
    worker.signal(SIGTERM);
    expect_clean_end(worker);
    expect_handed_back(id);
  }
};

TEST_P(worker_terminated, running_jobs_end_within_the_grace_period_and_no_other_starts) {
  auto& worker = start_worker();
  const auto on_loop = enqueue(wait_for_gate(gate()));
  const auto on_thread = enqueue(wait_on_thread(gate()));
  wait_for_start(on_loop);
  wait_for_start(on_thread);
  worker.signal(SIGTERM);
  wait_until_stopping(worker);
  const auto late = enqueue(note(1));
  open_gate();
  expect_clean_end(worker);
  const auto answer = std::to_string(worker.pid()) + " try 1";
  EXPECT_EQ(result<std::string>(on_loop), answer);
  EXPECT_EQ(result<std::string>(on_thread), answer);
  EXPECT_EQ(state(late), job_state::queued);
  EXPECT_TRUE(past().runs_of(late).empty());
}

TEST_P(worker_terminated, without_grace_a_coroutine_is_handed_back_uncounted) {
  check_handed_back(wait_for_gate);
}

TEST_P(worker_terminated, without_grace_a_function_on_a_thread_is_handed_back_uncounted) {
  check_handed_back(wait_on_thread);
}

TEST_P(worker_terminated, a_coroutine_that_ignores_everything_does_not_keep_the_process) {
  check_handed_back(wait_stubbornly);
}

TEST_P(worker_terminated, a_function_that_ignores_everything_does_not_keep_the_process) {
  check_handed_back(wait_deaf);
}

TEST_P(worker_terminated, a_second_signal_ends_the_grace_period_at_once) {
  // An hour of grace: only the second signal can end the worker in time.
  auto& worker = start_worker(shutdown_timeout(3600));
  const auto id = enqueue(wait_for_gate(gate()));
  wait_for_start(id);
  worker.signal(SIGTERM);
  wait_until_stopping(worker);
  EXPECT_EQ(state(id), job_state::running);
  worker.signal(SIGTERM);
  expect_clean_end(worker);
  expect_handed_back(id);
}

TEST_P(worker_terminated, jobs_claimed_but_not_started_are_handed_back_uncounted) {
  // More plain functions than threads: some are claimed and wait for a thread.
  auto& worker = start_worker({"--threads", "1", "--shutdown-timeout", "0"});
  strings ids;
  for (int i = 0; i < 4; ++i) ids.push_back(enqueue(wait_on_thread(gate())));
  ASSERT_TRUE(eventually([&] { return past().runs().size() == 1 && summary().running >= 2; }, soon));
  worker.signal(SIGTERM);
  expect_clean_end(worker);
  open_gate();
  auto& next = start_worker();
  for (const auto& id : ids) EXPECT_EQ(result<std::string>(id), std::to_string(next.pid()) + " try 1");
}

TEST_P(worker_terminated, under_load_nothing_is_lost_and_nothing_runs_twice) {
  auto& client = start_client({"--count", "3000", "--at-once", "20", "--in-flight", "4"});
  for (int i = 0; i < 6; ++i) {
    const auto before = past().ended_runs();
    auto& worker = start_worker();
    eventually([&] { return past().ended_runs() > before || client.ended(); }, soon);
    worker.signal(SIGTERM);
    expect_clean_end(worker);
  }
  start_worker();
  ASSERT_TRUE(client.wait(soon));
  const auto ids = client.lines();
  EXPECT_EQ(ids.size(), 3000u);
  wait_for_ends(ids.size());
  EXPECT_EQ(past().never_ended(ids), strings());
  EXPECT_EQ(past().run_more_than_once(), strings());
}

ON_EACH_BROKER(worker_terminated);

}  // namespace
}  // namespace quarq::test
