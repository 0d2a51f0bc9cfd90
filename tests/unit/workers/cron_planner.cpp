#include "workers/cron_planner.hpp"

#include "unit/workers/cron_role_test.hpp"

namespace quarq::test::cron_planner_tests {
namespace {

using workers::cron_planner;

const std::vector<served_queue> only_default{{"default", 1}};

class cron_planner_test : public cron_role_test {
 protected:
  bool assign(const std::vector<served_queue>& served = only_default, bool burst = false) {
    planner_.emplace(cron_planner::params{jobs_, runs_, broker_time_, clock_, loop_.executor(), burst,
                                          [this] { ++first_planned_; }});
    return planner_->assign_queues(served);
  }
  void plan(bool burst = false) {
    ASSERT_TRUE(assign(only_default, burst));
    start(planner_->run());
    broker_time_.note_message(broker_.now());
    loop_.run_ready();
  }

  std::optional<cron_planner> planner_;
  int first_planned_ = 0;
};

TEST_F(cron_planner_test, plans_the_next_run_unless_others_do_so_before) {
  add({});  // each minute
  const auto due = next();
  plan();
  pass(1'999ms);
  EXPECT_EQ(enqueued(), strings{});
  pass(1ms);
  EXPECT_EQ(enqueued(), strings{run_id(due)});
  EXPECT_EQ(broker_.at("default", run_id(due)).due_at, due);
  EXPECT_EQ(after_of(run_id(due)), "");
  EXPECT_EQ(model::decode_record(broker_.at("default", run_id(due)).record).task, "cron:tick");
}

TEST_F(cron_planner_test, leaves_what_others_have_planned) {
  add({});
  const auto due = next();
  plan();
  pass(1s);
  put_run(job_state::deferred, run_id(due));
  pass(30s);
  EXPECT_EQ(enqueued(), strings{});
}

TEST_F(cron_planner_test, waits_until_the_brokers_clock_is_known) {
  add({});
  ASSERT_TRUE(assign());
  start(planner_->run());
  pass(1h);
  EXPECT_EQ(broker_.calls().size(), 0u);
  broker_time_.note_message(broker_.now());
  pass(2s);
  EXPECT_EQ(enqueued().size(), 1u);
}

TEST_F(cron_planner_test, plans_the_run_after_one_that_has_ended) {
  add({});
  const auto due = next();
  plan();
  pass(10s);
  // It runs, and whoever claimed it does not plan on.
  pass(due - broker_.now() + 1s);
  put_run(job_state::succeeded, run_id(due));
  pass(1min);
  EXPECT_EQ(enqueued(), (strings{run_id(due), run_id(due + 1min)}));
  EXPECT_EQ(after_of(run_id(due + 1min)), run_id(due));
}

TEST_F(cron_planner_test, does_not_plan_on_while_the_run_before_waits_in_its_queue) {
  add({});
  const auto due = next();
  plan();
  pass(10min);  // nobody claims it
  EXPECT_EQ(enqueued(), strings{run_id(due)});
}

TEST_F(cron_planner_test, plans_one_run_for_a_paused_queue) {
  add({});
  const auto due = next();
  start([](scripted_broker& b) -> awaitable<void> {
    const bool changed = co_await b.set_paused("default", true);
    EXPECT_TRUE(changed);
  }(broker_));
  plan();
  pass(10min);
  EXPECT_EQ(enqueued(), strings{run_id(due)});
}

TEST_F(cron_planner_test, plans_again_what_has_vanished) {
  add({});
  const auto due = next();
  put_run(job_state::deferred, run_id(due));
  plan();
  pass(10s);
  start([](scripted_broker& b, std::string id) -> awaitable<void> {
    co_await b.cancel("default", std::move(id), "", 0ms);
  }(broker_, run_id(due)));
  pass(2min);
  EXPECT_EQ(enqueued(), strings{run_id(due + 1min)});
}

TEST_F(cron_planner_test, tries_again_after_an_error) {
  add({});
  plan();
  broker_.fail(operation::inspect);
  pass(2s);
  EXPECT_EQ(enqueued(), strings{});
  broker_.fail(operation::enqueue);
  pass(500ms);
  EXPECT_EQ(enqueued().size(), 1u);  // it was asked, and failed
  pass(500ms);
  EXPECT_EQ(enqueued().size(), 2u);
  EXPECT_TRUE(is_there(enqueued().back()));
}

TEST_F(cron_planner_test, does_not_look_after_a_frequent_job_all_the_time) {
  add(each_second());
  plan();
  pass(60s);
  // Two questions each five seconds.
  EXPECT_LE(broker_.count(operation::inspect), 24u);
  EXPECT_GE(broker_.count(operation::inspect), 10u);
}

TEST_F(cron_planner_test, looks_after_a_rare_job_each_hour) {
  add(only_at(std::chrono::floor<std::chrono::seconds>(broker_.now()) - 24h));
  plan();
  pass(24h);
  EXPECT_GE(broker_.count(operation::inspect), 23u);
  EXPECT_EQ(enqueued().size(), 1u);
}

TEST_F(cron_planner_test, in_a_burst_it_plans_at_once_and_says_when_it_has) {
  add({});
  const auto due = next();
  ASSERT_TRUE(assign(only_default, true));
  EXPECT_TRUE(planner_->is_beginning());
  start(planner_->run());
  EXPECT_EQ(first_planned_, 0);
  broker_time_.note_message(broker_.now());
  loop_.run_ready();
  EXPECT_EQ(first_planned_, 1);
  EXPECT_FALSE(planner_->is_beginning());
  EXPECT_EQ(enqueued(), strings{run_id(due)});
}

TEST_F(cron_planner_test, plans_for_the_workers_first_queue_or_for_the_jobs_own) {
  add({});
  const std::vector<served_queue> served{{"first", 1}, {"second", 1}};
  EXPECT_TRUE(assign(served));
  EXPECT_EQ(tick().queue, "first");
  cron_options how;
  how.queue = "second";
  add(how);
  EXPECT_TRUE(assign(served));
  EXPECT_EQ(tick().queue, "second");
}

TEST_F(cron_planner_test, leaves_a_queue_alone_that_the_worker_does_not_serve) {
  cron_options how;
  how.queue = "other";
  add(how).queue.clear();
  EXPECT_FALSE(assign());
  EXPECT_FALSE(planner_->is_beginning());
  start(planner_->run());
  broker_time_.note_message(broker_.now());
  pass(1h);
  EXPECT_EQ(broker_.calls().size(), 0u);
}

TEST_F(cron_planner_test, each_worker_has_runs_of_its_own_where_the_job_is_not_unique) {
  cron_options how;
  how.unique = false;
  add(how);
  const auto due = next();
  plan();
  pass(2s);
  ASSERT_EQ(enqueued().size(), 1u);
  EXPECT_EQ(enqueued()[0], run_id(due) + ":" + tick().instance);
}

class cron_planner_startup_test : public cron_planner_test {
 protected:
  cron_planner_startup_test() {
    cron_options how = only_at(std::chrono::floor<std::chrono::seconds>(broker_.now()) + 24h);
    how.run_at_startup = true;
    add(how);
  }
};

constexpr const char* startup_id = "cron:tick:startup";

TEST_F(cron_planner_startup_test, plans_a_run_that_is_due_at_once) {
  plan();
  EXPECT_EQ(enqueued(), strings{startup_id});
  EXPECT_EQ(broker_.at("default", startup_id).state, job_state::queued);
}

TEST_F(cron_planner_startup_test, one_that_has_not_ended_is_enough) {
  put_run(job_state::running, startup_id);
  plan();
  EXPECT_EQ(enqueued(), strings{});
}

TEST_F(cron_planner_startup_test, one_that_ended_just_now_is_enough) {
  put_run(job_state::succeeded, startup_id);
  pass(59s);
  plan();
  EXPECT_EQ(enqueued(), strings{});
}

TEST_F(cron_planner_startup_test, a_later_start_has_another_id_though_the_earlier_end_is_kept) {
  put_run(job_state::dead, startup_id);
  const auto ended = broker_.now().time_since_epoch().count();
  pass(61s);
  plan();
  EXPECT_EQ(enqueued(), strings{fmt::format("{}:{}", startup_id, ended)});
}

TEST_F(cron_planner_startup_test, of_workers_that_start_together_one_plans_it) {
  broker_.stall(operation::enqueue);
  plan();
  put_run(job_state::running, startup_id);
  broker_.resume(operation::enqueue);
  loop_.run_ready();
  EXPECT_EQ(enqueued(), strings{startup_id});  // refused, and then it saw why
  EXPECT_EQ(broker_.at("default", startup_id).state, job_state::running);
}

TEST_F(cron_planner_startup_test, tries_again_after_an_error) {
  broker_.fail(operation::inspect);
  plan();
  EXPECT_EQ(enqueued(), strings{});
  pass(500ms);
  EXPECT_EQ(enqueued(), strings{startup_id});
}

}  // namespace
}  // namespace quarq::test::cron_planner_tests
