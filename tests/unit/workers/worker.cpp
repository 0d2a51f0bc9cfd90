// A whole worker from its start to its end.
#include "unit/workers/whole_worker_test.hpp"

namespace quarq::test::worker_tests {
namespace {

using worker_test = whole_worker_test;

// ---- a job that may be what its workers died of

TEST_F(worker_test, holds_nothing_but_a_job_that_was_lost_twice_when_that_starts) {
  auto w = make_worker();
  strings started;
  bool alone = true;
  w.handle(
      work,
      [&](context& ctx) -> awaitable<void> {
        started.push_back(ctx.id());
        if (ctx.losses() > 0) alone = alone && is_in("a", job_state::queued) && is_in("b", job_state::queued);
        co_return;
      },
      kept());
  auto suspect = job_of("work", "suspect");
  suspect.losses = 2;
  put(suspect);
  put(job_of("work", "a"));
  put(job_of("work", "b"));
  const auto run = start(w);
  until([&] { return started.size() == 3; });
  EXPECT_EQ(started.front(), "suspect");
  EXPECT_TRUE(alone);
  end(w, run);
}

// ---- starting

TEST_F(worker_test, waits_for_its_broker_as_long_as_it_takes) {
  auto w = make_worker();
  handle_at_once(w);
  broker_->stall(operation::open_lease);
  const auto run = start(w);
  send({"a"});
  pass(24h);
  EXPECT_EQ(started_, 0);
  broker_->resume(operation::open_lease);
  until([&] { return started_ == 1; });
  end(w, run);
}

TEST_F(worker_test, can_be_stopped_while_it_waits_for_its_broker) {
  auto w = make_worker();
  handle_at_once(w);
  broker_->stall(operation::open_lease);
  const auto run = start(w);
  w.stop();
  until([&] { return run->ended(); });
  EXPECT_FALSE(run->failure());
}

TEST_F(worker_test, one_that_was_stopped_before_does_not_start) {
  auto w = make_worker();
  handle_at_once(w);
  w.stop();
  run_to_end(w);
  EXPECT_EQ(broker_->count(operation::claim), 0u);
}

TEST_F(worker_test, what_on_startup_throws_is_thrown_by_run) {
  auto w = make_worker();
  handle_at_once(w);
  w.on_startup([](context&) -> awaitable<void> {
    throw std::runtime_error("no database");
    co_return;
  });
  const auto run = start(w);
  until([&] { return run->ended(); });
  EXPECT_THROW(std::rethrow_exception(run->failure()), std::runtime_error);
  EXPECT_EQ(broker_->count(operation::open_lease), 0u);
}

TEST_F(worker_test, runs_once) {
  auto w = make_worker();
  handle_at_once(w);
  const auto first = start(w);
  const auto second = start(w);
  EXPECT_TRUE(second->ended());
  EXPECT_THROW(std::rethrow_exception(second->failure()), std::logic_error);
  end(w, first);
}

TEST_F(worker_test, waits_while_the_store_is_full) {
  auto w = make_worker();
  handle_at_once(w);
  broker_->fail(operation::open_lease, 100, broker_error::reason::full);
  const auto run = start(w);
  send({"a"});
  pass(workers::settler::pause_after_error * 99);
  EXPECT_FALSE(run->ended());
  EXPECT_EQ(started_, 0);
  until([&] { return started_ == 1; });
  end(w, run);
}

TEST_F(worker_test, does_not_wait_for_what_does_not_get_better) {
  auto w = make_worker();
  handle_at_once(w);
  broker_->fail(operation::open_lease);
  const auto run = start(w);
  until([&] { return run->ended(); });
  EXPECT_THROW(std::rethrow_exception(run->failure()), broker_error);
}

// ---- stopping

TEST_F(worker_test, a_stop_lets_running_jobs_end_and_claims_no_more) {
  auto w = make_worker();
  handle_until_released(w);
  const auto run = start(w);
  send({"a"});
  w.stop();
  loop_.run_ready();
  send({"b"});
  pass(24s);
  EXPECT_FALSE(run->ended());
  end_of_work_.set();
  until([&] { return run->ended(); });
  EXPECT_TRUE(is_in("a", job_state::succeeded));
  EXPECT_TRUE(is_in("b", job_state::queued));
  EXPECT_EQ(w.jobs_done(), 1u);
}

TEST_F(worker_test, jobs_that_do_not_end_in_time_are_handed_back) {
  worker_options o;
  o.shutdown_timeout = 10s;
  auto w = make_worker(o);
  handle_until_released(w);
  const auto run = start(w);
  send({"a"});
  const auto began = clock_.now();
  w.stop();
  until([&] { return run->ended(); });
  EXPECT_EQ(since(began), 10s);
  EXPECT_TRUE(is_in("a", job_state::queued));
  EXPECT_EQ(find("a")->attempts, 0);
  EXPECT_EQ(w.jobs_done(), 0u);
}

TEST_F(worker_test, a_second_stop_hands_them_back_at_once) {
  auto w = make_worker();
  handle_until_released(w);
  const auto run = start(w);
  send({"a"});
  const auto began = clock_.now();
  w.stop();
  loop_.run_ready();
  EXPECT_FALSE(run->ended());
  w.stop();
  until([&] { return run->ended(); });
  EXPECT_EQ(since(began), 0s);
  EXPECT_TRUE(is_in("a", job_state::queued));
}

TEST_F(worker_test, a_job_that_does_not_stop_is_handed_back_with_the_lease_and_waited_for) {
  worker_options o;
  o.shutdown_timeout = 0ms;
  auto w = make_worker(o);
  handle_stubbornly(w);
  const auto run = start(w);
  send({"a"});
  w.stop();
  until([&] { return is_in("a", job_state::queued); });
  pass(1min);
  EXPECT_FALSE(run->ended());
  end_of_work_.set();
  until([&] { return run->ended(); });
  EXPECT_EQ(broker_->count(operation::settle), 0u);
}

TEST_F(worker_test, the_ends_of_jobs_are_recorded_before_the_lease_is_given_back) {
  auto w = make_worker();
  handle_until_released(w);
  const auto run = start(w);
  send({"a"});
  w.stop();
  broker_->fail(operation::settle, 3);
  end_of_work_.set();
  until([&] { return run->ended(); });
  EXPECT_TRUE(is_in("a", job_state::succeeded));
}

TEST_F(worker_test, a_broker_that_does_not_answer_holds_up_the_end_for_three_seconds) {
  auto w = make_worker();
  handle_until_released(w);
  const auto run = start(w);
  send({"a"});
  w.stop();
  loop_.run_ready();
  broker_->stall(operation::settle);
  broker_->fail(operation::close_lease);
  const auto began = clock_.now();
  end_of_work_.set();
  until([&] { return run->ended(); });
  EXPECT_EQ(since(began), 3s);
  EXPECT_FALSE(run->failure());
}

// ---- what it tells its store of its jobs

TEST_F(worker_test, a_store_that_is_slow_with_counts_does_not_cost_the_lease) {
  auto w = make_worker();
  handle_at_once(w);
  broker_->stall(operation::add_stats);
  const auto run = start(w);
  send({"a"});
  until([&] { return broker_->count(operation::add_stats) == 1; });
  const auto renewals = broker_->count(operation::renew);
  pass(10s);
  EXPECT_GE(broker_->count(operation::renew), renewals + 9);
  EXPECT_EQ(broker_->count(operation::open_lease), 1U);
  broker_->resume(operation::add_stats);
  end(w, run);
}

TEST_F(worker_test, counts_are_told_once_also_when_it_stops_while_the_store_has_not_answered) {
  auto w = make_worker();
  handle_at_once(w);
  broker_->stall(operation::add_stats);
  const auto run = start(w);
  send({"a"});
  until([&] { return broker_->count(operation::add_stats) == 1; });
  send({"b"});
  until([&] { return started_ == 2; });
  w.stop();
  until([&] { return broker_->count(operation::add_stats) == 2; });
  broker_->resume(operation::add_stats);
  until([&] { return run->ended(); });
  EXPECT_EQ(broker_->added_stats("default", "work").succeeded, 2U);
}

TEST_F(worker_test, counts_that_the_store_had_no_room_for_are_told_again) {
  auto w = make_worker();
  handle_at_once(w);
  broker_->fail(operation::add_stats, 2, broker_error::reason::full);
  const auto run = start(w);
  send({"a"});
  until([&] { return broker_->count(operation::add_stats) == 3; });
  EXPECT_EQ(broker_->added_stats("default", "work").succeeded, 1U);
  end(w, run);
}

TEST_F(worker_test, on_shutdown_comes_after_the_last_job) {
  strings seen;
  auto w = make_worker();
  w.handle(work, [&]() -> awaitable<void> {
    seen.emplace_back("job");
    co_return;
  });
  w.on_shutdown([&](context&) -> awaitable<void> {
    seen.emplace_back("shutdown");
    throw std::runtime_error("only logged");
    co_return;
  });
  const auto run = start(w);
  send({"a"});
  end(w, run);
  EXPECT_EQ(seen, (strings{"job", "shutdown"}));
}

// run() is about to end: there is nothing left to be stopped, or to be hurried.
TEST_F(worker_test, may_be_asked_to_stop_while_on_shutdown_runs_and_after_the_end) {
  auto w = make_worker();
  handle_at_once(w);
  event may_end;
  bool runs = false;
  w.on_shutdown([&](context&) -> awaitable<void> {
    runs = true;
    w.stop();
    co_await may_end.wait();
  });
  const auto run = start(w);
  send({"a"});
  until([&] { return started_ == 1; });
  w.stop();
  until([&] { return runs; });
  w.stop();
  loop_.run_ready();
  EXPECT_FALSE(run->ended());
  may_end.set();
  w.stop();  // its message comes when the hook, and with it run(), has ended
  until([&] { return run->ended(); });
  EXPECT_FALSE(run->failure());
  w.stop();
  loop_.run_ready();
}

TEST_F(worker_test, a_run_that_is_cancelled_hands_back_what_it_holds) {
  auto w = make_worker();
  handle_until_released(w);
  const auto run = start(w);
  send({"a"});
  run->cancel();
  until([&] { return run->ended(); });
  EXPECT_TRUE(run->aborted());
  EXPECT_TRUE(is_in("a", job_state::queued));
  EXPECT_EQ(broker_->count(operation::close_lease), 1u);
}

TEST_F(worker_test, may_outlive_its_loop) {
  auto w = make_worker();
  handle_until_released(w);
  start(w);
  send({"a", "b"});
  EXPECT_EQ(started_, 2);
  broker_.reset();
  loop_.end_loop();
  EXPECT_EQ(w.jobs_done(), 0u);
}

// ---- serving

TEST_F(worker_test, a_job_of_an_unknown_task_is_left_to_a_worker_that_knows_it) {
  auto old = make_worker();
  old.handle(task<void()>("other"), []() -> awaitable<void> { co_return; });
  auto fresh = make_worker();
  handle_at_once(fresh);
  const auto old_run = start(old);
  auto job = job_of("work", "01JD0000000000000000000000");
  enqueue(job);
  pass(5min);
  EXPECT_EQ(broker_->settled().back().kind, broker::settlement::what::hand_back);
  const auto fresh_run = start(fresh);
  until([&] { return is_in(job.id, job_state::succeeded); });
  EXPECT_EQ(outcome(job.id).attempts, 1);
  end(old, old_run);
  end(fresh, fresh_run);
}

TEST_F(worker_test, runs_no_more_jobs_at_once_than_it_may) {
  worker_options o;
  o.concurrency = 2;
  auto w = make_worker(o);
  handle_until_released(w);
  const auto run = start(w);
  send({"a", "b", "c"});
  pass(1min);
  EXPECT_EQ(started_, 2);
  end_of_work_.set();
  until([&] { return started_ == 3; });
  end(w, run);
}

TEST_F(worker_test, after_a_lost_lease_it_serves_on_under_another) {
  auto w = make_worker();
  handle_until_released(w);
  const auto run = start(w);
  send({"a"});
  EXPECT_EQ(started_, 1);
  broker_->lose_leases();
  // Its end here counts for nothing, and it runs again.
  until([&] { return started_ == 2; });
  EXPECT_EQ(find("a")->attempts, 1);
  end_of_work_.set();
  until([&] { return is_in("a", job_state::succeeded); });
  EXPECT_EQ(broker_->settled().size(), 1u);
  end(w, run);
}

TEST_F(worker_test, a_job_can_be_cancelled_while_it_runs) {
  auto w = make_worker();
  handle_until_released(w);
  const auto run = start(w);
  send({"a"});
  cancel("a");
  EXPECT_TRUE(is_in("a", job_state::cancelled));
  end(w, run);
}

}  // namespace
}  // namespace quarq::test::worker_tests
