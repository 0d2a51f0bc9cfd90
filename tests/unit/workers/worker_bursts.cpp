// A worker that ends by itself: when nothing is queued, or after so many jobs.
#include "unit/workers/whole_worker_test.hpp"

namespace quarq::test::worker_burst_tests {
namespace {

using worker_bursts = whole_worker_test;

TEST_F(worker_bursts, a_burst_ends_when_nothing_is_queued_and_leaves_what_is_deferred) {
  worker_options o;
  o.burst = true;
  auto w = make_worker(o);
  handle_at_once(w);
  send({"a", "b"});
  auto later = job_of("work", "later");
  later.due_at = now() + 1h;
  enqueue(later);
  run_to_end(w);
  EXPECT_EQ(w.jobs_done(), 2u);
  EXPECT_TRUE(is_in("later", job_state::deferred));
}

TEST_F(worker_bursts, ends_after_as_many_jobs_as_it_may_start) {
  worker_options o;
  o.max_jobs = 2;
  auto w = make_worker(o);
  handle_at_once(w);
  send({"a", "b", "c"});
  run_to_end(w);
  EXPECT_EQ(started_, 2);
  EXPECT_TRUE(is_in("c", job_state::queued));
}

TEST_F(worker_bursts, a_burst_gives_up_when_the_broker_does_not_answer_for_long) {
  worker_options o;
  o.burst = true;
  o.burst_timeout = 20s;
  auto w = make_worker(o);
  handle_until_released(w);
  send({"a"});
  const auto run = start(w);
  until([&] { return started_ == 1; });
  broker_->fail(operation::renew, 5);
  pass(15s);
  EXPECT_FALSE(run->ended());
  broker_->fail(operation::renew, 1'000);
  const auto began = clock_.now();
  until([&] { return run->ended(); });
  EXPECT_THROW(std::rethrow_exception(run->failure()), broker_error);
  EXPECT_GE(clock_.now() - began, 19s);
  EXPECT_LE(clock_.now() - began, 30s);
}

TEST_F(worker_bursts, a_burst_can_wait_for_what_is_deferred) {
  worker_options o;
  o.burst = true;
  o.burst_includes_deferred = true;
  auto w = make_worker(o);
  handle_at_once(w);
  send({"a"});
  auto later = job_of("work", "later");
  later.due_at = now() + 1h;
  enqueue(later);
  const auto began = clock_.now();
  run_to_end(w);
  EXPECT_EQ(w.jobs_done(), 2u);
  EXPECT_EQ(since(began), 1h);
}

TEST_F(worker_bursts, the_last_of_as_many_jobs_as_it_may_start_have_no_limit) {
  worker_options o;
  o.max_jobs = 1;
  auto w = make_worker(o);
  handle_until_released(w);
  send({"a"});
  const auto run = start(w);
  pass(4min);
  EXPECT_FALSE(run->ended());
  end_of_work_.set();
  until([&] { return run->ended(); });
  EXPECT_TRUE(is_in("a", job_state::succeeded));
}

TEST_F(worker_bursts, a_signal_limits_the_last_of_as_many_jobs_as_it_may_start) {
  worker_options o;
  o.max_jobs = 1;
  auto w = make_worker(o);
  handle_until_released(w);
  send({"a"});
  const auto run = start(w);
  pass(4min);
  w.stop();
  const auto asked = clock_.now();
  until([&] { return run->ended(); });
  EXPECT_EQ(since(asked), o.shutdown_timeout);
  EXPECT_TRUE(is_in("a", job_state::queued));
}

}  // namespace
}  // namespace quarq::test::worker_burst_tests
