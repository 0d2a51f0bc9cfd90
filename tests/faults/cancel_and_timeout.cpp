// Jobs are cancelled from another process than their worker's, and run out of time: each kind of handler,
// each state.
#include "faults/fault_test.hpp"

namespace quarq::test {
namespace {

const std::map<std::string, std::string> short_stop_wait = {{"QUARQ_TEST_STOP_WAIT_MS", "300"}};

class cancel_and_timeout : public fault_test {
 protected:
  void check_cancel_while_running(const task<std::string(std::string)>& what) {
    auto& worker = start_worker({}, short_stop_wait);
    const auto id = enqueue(what(gate()));
    wait_for_start(id);
    EXPECT_EQ(cancel(id), cancel_outcome::requested);
    EXPECT_THROW(result<std::string>(id), cancelled);
    EXPECT_EQ(state(id), job_state::cancelled);
    EXPECT_EQ(cancel(id), cancel_outcome::too_late);
    expect_ready(worker);
    EXPECT_EQ(past().runs_of(id).size(), 1u);
  }

  void check_timeout(const task<std::string(std::string)>& what) {
    auto& worker = start_worker({}, short_stop_wait);
    const auto id = enqueue(what(gate()).timeout(100ms).attempts(1));
    EXPECT_THROW(result<std::string>(id), timed_out);
    EXPECT_EQ(info(id).error_type, "quarq::timed_out");
    expect_ready(worker);
  }

  void expect_cancelled(const std::string& id) {
    EXPECT_THROW(result<std::string>(id), cancelled);
    EXPECT_EQ(state(id), job_state::cancelled);
    EXPECT_EQ(info(id).error_type, "quarq::cancelled");
  }

  /// What had to stop keeps nothing of the worker: it goes on, on the loop and on a thread.
  void expect_ready(process& worker) {
    EXPECT_EQ(result<int>(enqueue(note(1))), 1);
    EXPECT_EQ(result<int>(enqueue(note_plain(2))), 2);
    EXPECT_FALSE(worker.ended());
  }
};

TEST_P(cancel_and_timeout, a_queued_job_never_runs) {
  const auto id = enqueue(note(1));
  EXPECT_EQ(cancel(id), cancel_outcome::cancelled);
  EXPECT_EQ(cancel("no such job"), cancel_outcome::not_found);
  start_worker();
  EXPECT_EQ(result<int>(enqueue(note(2))), 2);
  EXPECT_TRUE(past().runs_of(id).empty());
  expect_cancelled(id);
}

TEST_P(cancel_and_timeout, a_deferred_job_never_runs) {
  start_worker();
  const auto id = enqueue(note(1).delay(500ms));
  const auto later = enqueue(note(2).delay(700ms));
  EXPECT_EQ(cancel(id), cancel_outcome::cancelled);
  EXPECT_EQ(result<int>(later), 2);
  EXPECT_TRUE(past().runs_of(id).empty());
  expect_cancelled(id);
}

TEST_P(cancel_and_timeout, a_job_that_waits_for_its_next_try_never_runs_again) {
  start_worker();
  const auto id = enqueue(throw_it("again").attempts(5).backoff(backoff::constant(1h)));
  wait_for_state(id, job_state::deferred);
  EXPECT_EQ(cancel(id), cancel_outcome::cancelled);
  expect_cancelled(id);
  EXPECT_EQ(past().runs_of(id).size(), 1u);
}

TEST_P(cancel_and_timeout, a_running_coroutine_is_cancelled) {
  check_cancel_while_running(wait_for_gate);
}

TEST_P(cancel_and_timeout, a_running_function_hears_of_it_by_its_stop_token) {
  check_cancel_while_running(wait_on_thread);
}

TEST_P(cancel_and_timeout, a_coroutine_that_ignores_it_is_recorded_without_it) {
  check_cancel_while_running(wait_stubbornly);
}

TEST_P(cancel_and_timeout, a_function_that_ignores_it_is_recorded_without_it) {
  check_cancel_while_running(wait_deaf);
}

TEST_P(cancel_and_timeout, a_coroutine_runs_out_of_time) {
  check_timeout(wait_for_gate);
}

TEST_P(cancel_and_timeout, a_function_runs_out_of_time) {
  check_timeout(wait_on_thread);
}

TEST_P(cancel_and_timeout, a_coroutine_that_ignores_its_timeout_is_recorded_without_it) {
  check_timeout(wait_stubbornly);
}

TEST_P(cancel_and_timeout, a_function_that_ignores_its_timeout_is_recorded_without_it) {
  check_timeout(wait_deaf);
}

TEST_P(cancel_and_timeout, what_ran_out_of_time_is_tried_again) {
  start_worker();
  const auto id = enqueue(wait_for_gate(gate()).timeout(100ms).attempts(3).backoff(backoff::constant(50ms)));
  EXPECT_THROW(result<std::string>(id), timed_out);
  EXPECT_EQ(state(id), job_state::dead);
  EXPECT_EQ(past().runs_of(id).size(), 3u);
}

TEST_P(cancel_and_timeout, a_late_end_changes_nothing) {
  auto& worker = start_worker({}, short_stop_wait);
  const auto id = enqueue(wait_deaf(gate()));
  wait_for_start(id);
  cancel(id);
  wait_for_state(id, job_state::cancelled);
  open_gate();
  EXPECT_TRUE(worker.logs("late ", soon));
  EXPECT_EQ(state(id), job_state::cancelled);
}

TEST_P(cancel_and_timeout, a_job_cancelled_while_its_worker_is_frozen_does_not_run_again) {
  auto& first = start_worker(lease(1));
  const auto id = enqueue(wait_for_gate(gate()));
  wait_for_start(id);
  freeze(first);
  EXPECT_EQ(cancel(id), cancel_outcome::requested);
  kill(first);
  start_worker(lease(1));
  expect_cancelled(id);
  EXPECT_EQ(result<int>(enqueue(note(1))), 1);
  EXPECT_EQ(past().runs_of(id).size(), 1u);
}

TEST_P(cancel_and_timeout, a_worker_that_stops_while_a_cancel_is_pending_leaves_the_job_cancelled) {
  auto& worker = start_worker(shutdown_timeout(0));
  const auto id = enqueue(wait_deaf(gate()));
  wait_for_start(id);
  EXPECT_EQ(cancel(id), cancel_outcome::requested);
  worker.signal(SIGTERM);
  ASSERT_TRUE(worker.wait(soon));
  expect_cancelled(id);
  start_worker();
  EXPECT_EQ(result<int>(enqueue(note(1))), 1);
  EXPECT_EQ(past().runs_of(id).size(), 1u);
}

TEST_P(cancel_and_timeout, an_expired_job_never_runs) {
  const auto id = enqueue(note(1).expires(1ms));
  const auto good = enqueue(note(2).expires(1h));
  const auto sent = std::chrono::system_clock::now();
  ASSERT_TRUE(eventually([&] { return std::chrono::system_clock::now() > sent + 6ms; }, soon));
  start_worker();
  EXPECT_THROW(result<int>(id), job_expired);
  EXPECT_EQ(result<int>(good), 2);
  EXPECT_TRUE(past().runs_of(id).empty());
}

ON_EACH_BROKER(cancel_and_timeout);

}  // namespace
}  // namespace quarq::test
