// When a job that may be what its workers died of runs, and what runs beside it: nothing.
#include "workers/isolation.hpp"

#include "unit/workers/job_runner_test.hpp"

namespace quarq::test::isolation_tests {
namespace {

using workers::isolation;
using ruling = isolation::ruling;

// ---- the decisions

class decisions : public testing::Test {
 protected:
  decisions() { slots_.set_limit(level::loop, 10); }
  ruling suspect(std::size_t others) { return isolation_.admit(true, others, now_); }
  ruling other(std::size_t others) { return isolation_.admit(false, others, now_); }

  workers::slot_table slots_{10, 0};
  isolation isolation_{slots_};
  isolation::time_point now_{};
};

TEST_F(decisions, while_a_suspect_is_there_nothing_else_is_claimed) {
  EXPECT_EQ(other(0), ruling::beside_others);
  EXPECT_EQ(slots_.room(), 10u);
  EXPECT_EQ(suspect(1), ruling::alone);
  EXPECT_EQ(slots_.room(), 0u);
  isolation_.began();
  EXPECT_EQ(slots_.room(), 0u);
}

TEST_F(decisions, after_a_suspect_jobs_are_claimed_one_by_one_until_one_is_none) {
  suspect(0);
  isolation_.ended();
  EXPECT_EQ(slots_.room(), 1u);
  suspect(0);
  isolation_.ended();
  EXPECT_EQ(slots_.room(), 1u);
  other(0);
  EXPECT_EQ(slots_.room(), 10u);
}

TEST_F(decisions, a_suspect_that_waited_in_vain_is_put_off_while_the_others_run) {
  suspect(1);
  isolation_.gave_up(now_);
  isolation_.ended();
  EXPECT_EQ(suspect(1), ruling::put_off);
  EXPECT_GT(slots_.room(), 0u);
  now_ += isolation::min_wait_limit * isolation::busy_factor;
  EXPECT_EQ(suspect(1), ruling::alone);
}

TEST_F(decisions, a_suspect_that_was_put_off_runs_as_soon_as_it_finds_nobody) {
  suspect(1);
  isolation_.gave_up(now_);
  isolation_.ended();
  EXPECT_EQ(suspect(0), ruling::alone);
}

TEST_F(decisions, each_wait_in_vain_makes_the_next_one_longer_until_one_succeeds) {
  EXPECT_EQ(isolation_.wait_limit(), 1min);
  isolation_.gave_up(now_);
  EXPECT_EQ(isolation_.wait_limit(), 2min);
  for (int i = 0; i < 20; ++i) isolation_.gave_up(now_);
  EXPECT_EQ(isolation_.wait_limit(), 1h);
  isolation_.began();
  EXPECT_EQ(isolation_.wait_limit(), 1min);
}

TEST_F(decisions, while_a_suspect_waits_for_another_job_others_are_claimed) {
  suspect(0);
  isolation_.began();
  isolation_.paused();
  EXPECT_EQ(slots_.room(), 1u) << "which may be a suspect, too";
  other(0);
  EXPECT_EQ(slots_.room(), 10u);
  isolation_.resumed();
  EXPECT_EQ(slots_.room(), 0u);
  isolation_.ended();
  EXPECT_EQ(slots_.room(), 1u);
}

TEST_F(decisions, a_suspect_may_run_alone_while_another_waits_for_it) {
  suspect(0);
  isolation_.began();
  isolation_.paused();
  EXPECT_EQ(suspect(0), ruling::alone);
  isolation_.began();
  EXPECT_EQ(slots_.room(), 0u);
  isolation_.ended();
  EXPECT_EQ(slots_.room(), 1u);
  isolation_.ended(true);
  EXPECT_EQ(slots_.room(), 1u) << "the first one ended while it waited";
}

TEST_F(decisions, slots_stay_closed_until_the_last_suspect_has_ended) {
  suspect(0);
  isolation_.paused();
  suspect(0);
  isolation_.resumed();
  isolation_.ended();
  EXPECT_EQ(slots_.room(), 0u);
  isolation_.ended();
  EXPECT_EQ(slots_.room(), 1u);
}

// ---- a runner of jobs that keeps to them

class isolation_test : public job_runner_test {
 protected:
  isolation_test() {
    handle([this](context& ctx) -> awaitable<void> {
      begun_.push_back(ctx.id());
      co_await end_of_work_.wait();
    });
  }
  void run_lost(std::string id, int losses) {
    auto job = queued(std::move(id), model::encode(record_of()));
    job.losses = losses;
    run(std::move(job));
  }

  strings begun_;
};

TEST_F(isolation_test, a_job_that_was_lost_once_runs_beside_others) {
  run("a");
  run_lost("b", 1);
  EXPECT_EQ(begun_, (strings{"a", "b"}));
  EXPECT_FALSE(slots_.is_closed());
}

TEST_F(isolation_test, a_job_that_was_lost_twice_waits_until_the_others_have_ended) {
  run("a");
  run_lost("b", 2);
  pass(30s);
  EXPECT_EQ(begun_, strings{"a"});
  end_of_work_.set();
  loop_.run_ready();
  EXPECT_EQ(begun_, (strings{"a", "b"}));
  EXPECT_EQ(job("b").state, job_state::succeeded);
  EXPECT_FALSE(slots_.is_closed());
}

TEST_F(isolation_test, the_store_hears_that_it_begins_once_it_does) {
  run("a");
  run_lost("b", 2);
  pass(30s);
  EXPECT_EQ(broker_.count(operation::settle), 0u);
  end_of_work_.set();
  loop_.run_ready();
  ASSERT_EQ(broker_.settled().size(), 3u);
  EXPECT_EQ(broker_.settled()[1].id, "b");
  EXPECT_EQ(broker_.settled()[1].kind, broker::settlement::what::begin);
}

TEST_F(isolation_test, it_does_not_begin_before_the_store_has_answered) {
  broker_.stall(operation::settle);
  run_lost("b", 2);
  EXPECT_EQ(broker_.count(operation::settle), 1u);
  EXPECT_EQ(begun_, strings{});
  broker_.resume(operation::settle);
  loop_.run_ready();
  EXPECT_EQ(begun_, strings{"b"});
}

TEST_F(isolation_test, it_does_not_begin_where_the_store_says_that_it_is_not_ours) {
  broker_.refuse_settlements();
  run_lost("b", 2);
  EXPECT_EQ(begun_, strings{});
  EXPECT_TRUE(runner_.empty());
  EXPECT_FALSE(slots_.is_closed());
}

TEST_F(isolation_test, one_that_is_cancelled_before_the_store_has_answered_never_begins) {
  broker_.stall(operation::settle);
  run_lost("b", 2);
  runner_.cancel_requested(lease(), "b");
  broker_.resume(operation::settle);
  loop_.run_ready();
  EXPECT_EQ(begun_, strings{});
  EXPECT_EQ(job("b").state, job_state::cancelled);
  EXPECT_FALSE(slots_.is_closed());
}

TEST_F(isolation_test, of_one_that_was_lost_less_often_the_store_hears_nothing) {
  run_lost("b", 1);
  EXPECT_EQ(begun_, strings{"b"});
  EXPECT_EQ(broker_.count(operation::settle), 0u);
}

TEST_F(isolation_test, the_loss_that_would_be_the_last_is_its_own) {
  setup_.options.max_losses = 2;
  run("a");
  run_lost("b", 1);
  EXPECT_EQ(begun_, strings{"a"});
  end_of_work_.set();
  loop_.run_ready();
  EXPECT_EQ(begun_, (strings{"a", "b"}));
  // Where the first is the last, all are said of and none runs alone.
  setup_.options.max_losses = 1;
  run("c");
  EXPECT_EQ(begun_.back(), "c");
  ASSERT_GE(broker_.settled().size(), 2u);
  const auto& said = broker_.settled()[broker_.settled().size() - 2];
  EXPECT_EQ(said.id, "c");
  EXPECT_EQ(said.kind, broker::settlement::what::begin);
}

TEST_F(isolation_test, it_waits_until_the_ends_of_the_others_are_recorded) {
  broker_.stall(operation::settle);
  handle([this](context& ctx) -> awaitable<void> {
    begun_.push_back(ctx.id());
    co_return;
  });
  run("a");
  run_lost("b", 2);
  EXPECT_EQ(begun_, strings{"a"});
  broker_.resume(operation::settle);
  loop_.run_ready();
  EXPECT_EQ(begun_, (strings{"a", "b"}));
}

TEST_F(isolation_test, one_that_waited_in_vain_is_handed_back_uncounted_for_a_while) {
  run("a");
  run_lost("b", 2);
  pass(isolation::min_wait_limit - 1ms);
  EXPECT_EQ(job("b").state, job_state::running);
  pass(1ms);
  EXPECT_EQ(job("b").state, job_state::deferred);
  EXPECT_EQ(*job("b").due_at - broker_.now(), isolation::put_off_for);
  EXPECT_EQ(job("b").attempts, 0);
  EXPECT_FALSE(slots_.is_closed());
  // And while "a" runs on, the next is not waited for.
  run_lost("c", 3);
  EXPECT_EQ(job("c").state, job_state::deferred);
  EXPECT_EQ(begun_, strings{"a"});
}

TEST_F(isolation_test, one_that_waits_can_be_cancelled) {
  run("a");
  run_lost("b", 2);
  runner_.cancel_requested(lease(), "b");
  loop_.run_ready();
  EXPECT_EQ(job("b").state, job_state::cancelled);
  EXPECT_FALSE(slots_.is_closed());
}

TEST_F(isolation_test, one_that_waits_is_handed_back_when_the_worker_ends) {
  run("a");
  run_lost("b", 2);
  runner_.return_waiting();
  loop_.run_ready();
  EXPECT_EQ(job("b").state, job_state::queued);
}

TEST_F(isolation_test, a_job_that_was_lost_too_often_is_dead_and_says_how_often) {
  run_lost("a", 5);
  EXPECT_EQ(begun_, strings{});
  EXPECT_EQ(job("a").state, job_state::dead);
  EXPECT_EQ(outcome("a").error_type, "quarq::worker_lost");
  EXPECT_EQ(outcome("a").error, "work was lost with its worker 5 times");
  EXPECT_FALSE(slots_.is_closed());
  setup_.options.max_losses = 1;
  run_lost("b", 1);
  EXPECT_EQ(outcome("b").error, "work was lost with its worker once");
}

TEST_F(isolation_test, a_lost_job_does_not_expire_any_more_as_it_was_started_in_time) {
  auto late = queued("a", model::encode(record_of()));
  late.losses = 1;
  late.expires_at = broker_.now() - 1s;
  run(std::move(late));
  EXPECT_EQ(begun_, strings{"a"});
}

TEST_F(isolation_test, a_handler_hears_how_often_its_job_was_lost) {
  int losses = -1, attempt = -1;
  handle([&](context& ctx) -> awaitable<void> {
    losses = ctx.losses();
    attempt = ctx.attempt();
    co_return;
  });
  run_lost("a", 3);
  EXPECT_EQ(losses, 3);
  EXPECT_EQ(attempt, 1);
}

}  // namespace
}  // namespace quarq::test::isolation_tests
