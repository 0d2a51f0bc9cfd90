#include <boost/asio/post.hpp>

#include "support/captured_log.hpp"
#include "support/cron_times.hpp"
#include "unit/workers/job_runner_test.hpp"
#include "workers/attempt_result.hpp"

namespace quarq::test::job_runner_tests {
namespace {

using runner_test = job_runner_test;

TEST_F(runner_test, settles_a_job_with_its_result) {
  run("a");
  EXPECT_EQ(job("a").state, job_state::succeeded);
  EXPECT_EQ(outcome("a").result, to_msgpack(42));
  EXPECT_EQ(outcome("a").worker, "host:1");
  EXPECT_EQ(outcome("a").attempts, 1);
  EXPECT_TRUE(runner_.empty());
  EXPECT_EQ(ended_, 1);
  EXPECT_EQ(counts_.done, 1u);
  EXPECT_EQ(counts_.ended.complete, 1u);
}

TEST_F(runner_test, a_job_takes_a_slot_while_it_runs) {
  handle_without_end();
  EXPECT_EQ(slots_.room(), 10u);
  run("a");
  EXPECT_EQ(slots_.room(), 9u);
  EXPECT_EQ(runner_.running(), 1u);
  strings ids;
  runner_.append_ids(lease(), ids);
  EXPECT_EQ(ids, strings{"a"});
  end_work();
  EXPECT_EQ(slots_.room(), 10u);
}

TEST_F(runner_test, what_a_handler_throws_is_tried_again_later) {
  handle([](context&) -> awaitable<void> {
    throw std::runtime_error("no");
    co_return;
  });
  run("a");
  EXPECT_EQ(job("a").state, job_state::deferred);
  EXPECT_EQ(job("a").attempts, 1);
  EXPECT_EQ(counts_.ended.retried, 1u);
  EXPECT_EQ(counts_.done, 0u);
}

TEST_F(runner_test, what_a_handler_throws_at_last_is_its_end) {
  handle(
      [](context&) -> awaitable<void> {
        throw std::runtime_error("no");
        co_return;
      },
      {.retry = backoff::none()});
  run("a");
  EXPECT_EQ(job("a").state, job_state::failed);
  EXPECT_EQ(outcome("a").error, "no");
  EXPECT_EQ(outcome("a").error_type, "std::runtime_error");
  EXPECT_EQ(counts_.ended.failed, 1u);
  EXPECT_EQ(counts_.done, 1u);
}

TEST_F(runner_test, what_can_not_be_read_is_dead) {
  run(queued("a", "no record"));
  EXPECT_EQ(job("a").state, job_state::dead);
  EXPECT_EQ(outcome("a").error_type, "quarq::decode_error");
  EXPECT_TRUE(runner_.empty());
  EXPECT_EQ(slots_.room(), 10u);
}

TEST_F(runner_test, a_job_of_a_task_without_a_handler_is_left_to_other_workers_and_does_not_count) {
  run("a", record_of("other"));
  EXPECT_EQ(parked_, strings{"a until "});
  EXPECT_TRUE(broker_.settled().empty());
}

TEST_F(runner_test, a_task_that_no_worker_has_known_for_long_ends_the_job) {
  auto unknown = queued("a", model::encode(record_of("other")));
  unknown.enqueued_at = broker_.now();
  pass(10min);
  run(std::move(unknown));
  EXPECT_EQ(job("a").state, job_state::dead);
  EXPECT_EQ(outcome("a").error_type, "quarq::unknown_task");
  const auto error = outcome("a").error;
  EXPECT_EQ(
      error.find("no worker has had a handler for task \"other\" for 10.0 min; this worker handles work"), 0u)
      << error;
}

TEST_F(runner_test, a_task_without_a_handler_may_end_the_job_at_once) {
  setup_.options.unknown_task_timeout = 0ms;
  run("a", record_of("other"));
  EXPECT_EQ(job("a").state, job_state::dead);
  EXPECT_EQ(outcome("a").error, "no handler for task \"other\"; this worker handles work");
}

TEST_F(runner_test, a_run_of_an_unknown_cron_job_is_parked_and_does_not_count) {
  slots_ = workers::slot_table(10, 1);
  slots_.set_limit(level::loop, 10);
  run("cron:other:1", record_of("cron:other"));
  EXPECT_EQ(parked_, strings{"cron:other:1 until "});
  EXPECT_TRUE(broker_.settled().empty());
  EXPECT_EQ(slots_.room(), 1u);
}

TEST_F(runner_test, a_run_that_sends_another_job_when_its_lease_is_lost_is_left_to_its_new_owner) {
  auto how = each_second();
  how.job_id = "own";
  cron::cron_job tick("tick", how);
  tick.queue = "default";
  setup_.crons.emplace("cron:tick", std::move(tick));
  setup_.handlers.emplace("cron:tick", setup_.handlers.at("work"));
  broker_.stall(operation::enqueue);
  run("cron:tick:startup", record_of("cron:tick"));
  ASSERT_EQ(broker_.count(operation::enqueue), 1u);
  // The answer, by which the run has done its work, is on its way when the lease is lost.
  boost::asio::post(loop_.executor(), [this] {
    broker_.resume(operation::enqueue);
    runner_.lease_lost(lease());
    lease().lease.token = "another";
  });
  loop_.run_ready();
  EXPECT_TRUE(runner_.empty());
  EXPECT_EQ(broker_.count(operation::settle), 0u);
}

TEST_F(runner_test, a_job_that_was_claimed_after_its_time_has_expired) {
  auto late = queued("a", model::encode(record_of()));
  late.expires_at = broker_.now() - 1ms;
  run(std::move(late));
  EXPECT_EQ(job("a").state, job_state::expired);
}

TEST_F(runner_test, an_attempt_after_the_first_does_not_expire) {
  auto late = queued("a", model::encode(record_of()));
  late.expires_at = broker_.now() - 1ms;
  late.attempts = 2;
  run(std::move(late));
  EXPECT_EQ(job("a").state, job_state::succeeded);
}

TEST_F(runner_test, a_call_that_is_awaited_is_not_tried_again_when_it_is_of_no_more_use) {
  auto r = record_of();
  r.awaited = true;
  auto late = queued("a", model::encode(r));
  late.expires_at = broker_.now() - 1ms;
  late.attempts = 2;
  run(std::move(late));
  EXPECT_EQ(job("a").state, job_state::expired);
  EXPECT_EQ(outcome("a").error, "work expired before its attempt 2");
}

TEST_F(runner_test, nothing_starts_under_a_lease_that_may_have_run_out) {
  int calls = 0;
  handle([&](context&) -> awaitable<void> {
    ++calls;
    co_return;
  });
  lease().sure_until = clock_.now() + 7s;
  pass(7s);
  run("a");
  pass(1ms);
  run("b");
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(job("b").state, job_state::queued);
  EXPECT_EQ(job("b").attempts, 0);
}

TEST_F(runner_test, any_bytes_may_be_thrown) {
  handle(
      [](context&) -> awaitable<void> {
        throw job_failed("type \xff", "what \xfe");
        co_return;
      },
      {.retry = backoff::none()});
  run("a");
  EXPECT_EQ(job("a").state, job_state::failed);
  EXPECT_EQ(outcome("a").error_type, "type \xef\xbf\xbd");
  EXPECT_EQ(outcome("a").error, "what \xfe");
}

TEST_F(runner_test, of_a_long_error_the_beginning_is_kept) {
  handle(
      [](context&) -> awaitable<void> {
        throw std::runtime_error(std::string(3'000'000, 'x'));
        co_return;
      },
      {.retry = backoff::none()});
  run("a");
  const auto error = outcome("a").error;
  EXPECT_EQ(error.substr(0, workers::max_error), std::string(workers::max_error, 'x'));
  EXPECT_EQ(error.substr(workers::max_error), "… (cut: it had 3000000 bytes)");
}

TEST_F(runner_test, that_a_job_without_a_value_has_succeeded_is_kept_for_a_minute_unless_its_id_was_chosen) {
  setup_.handlers.at("work").returns_void = true;
  run("01JD0000000000000000000000");
  run("chosen");
  ASSERT_EQ(broker_.settled().size(), 2u);
  EXPECT_EQ(broker_.settled()[0].keep, 1min);
  EXPECT_EQ(broker_.settled()[1].keep, 0ms);
}

TEST_F(runner_test, a_job_that_was_started_more_often_than_is_allowed_here_is_dead) {
  auto started = queued("a", model::encode(record_of()));
  started.attempts = retry_policy().max_attempts() + 1;
  run(std::move(started));
  EXPECT_EQ(job("a").state, job_state::dead);
  EXPECT_EQ(outcome("a").error_type, "quarq::retries_exhausted");
  EXPECT_EQ(outcome("a").error, "work was started 5 times before, and at most 5 starts are allowed");
}

TEST_F(runner_test, arguments_given_by_name_are_put_in_their_places) {
  std::string seen;
  handle([&](context& ctx) -> awaitable<void> {
    seen = ctx.arguments_json();
    co_return;
  });
  auto& h = setup_.handlers.at("work");
  h.parameter_count = 1;
  h.parameter_names = {"depth"};
  auto r = record_of();
  encoder e(r.keywords);
  e.map(1);
  e.text("depth");
  e.unsigned_integer(3);
  run("a", r);
  EXPECT_EQ(seen, "[3]");
  h.parameter_names = {"height"};
  run("b", r);
  EXPECT_EQ(job("b").state, job_state::dead);
}

TEST_F(runner_test, a_job_that_takes_too_long_is_asked_to_stop) {
  bool asked = false;
  handle(
      [&](context& ctx) -> awaitable<void> {
        const std::stop_callback heard(ctx.stop_token(), [&] { asked = true; });
        co_await end_of_work_.wait();
      },
      {.timeout = 20s, .retry = backoff::none()});
  run("a");
  pass(19'999ms);
  EXPECT_FALSE(asked);
  pass(1ms);
  EXPECT_TRUE(asked);
  EXPECT_EQ(job("a").state, job_state::failed);
  EXPECT_EQ(outcome("a").error_type, "quarq::timed_out");
  EXPECT_EQ(outcome("a").error, "work took longer than its timeout of 20.0 s");
  EXPECT_EQ(outcome("a").finished_ms - outcome("a").started_ms, 20'000);
}

TEST_F(runner_test, a_call_that_is_awaited_runs_no_longer_than_it_is_of_use) {
  handle_without_end({.timeout = 20s});
  auto r = record_of();
  r.awaited = true;
  auto awaited = queued("a", model::encode(r));
  awaited.expires_at = broker_.now() + 3s;
  run(std::move(awaited));
  pass(2'999ms);
  EXPECT_EQ(job("a").state, job_state::running);
  pass(1ms);
  EXPECT_EQ(job("a").state, job_state::failed);
}

TEST_F(runner_test, a_job_that_is_cancelled_while_it_runs_ends_so) {
  handle_without_end();
  run("a");
  run("b");
  runner_.cancel_requested(lease(), "a");
  loop_.run_ready();
  EXPECT_EQ(job("a").state, job_state::cancelled);
  EXPECT_EQ(outcome("a").error, "work was cancelled while it ran");
  EXPECT_EQ(job("b").state, job_state::running);
}

TEST_F(runner_test, the_end_of_a_job_that_does_not_stop_is_recorded_without_it) {
  handle_stubbornly();
  run("a");
  runner_.cancel_requested(lease(), "a");
  pass(4'999ms);
  EXPECT_EQ(job("a").state, job_state::running);
  pass(1ms);
  EXPECT_EQ(job("a").state, job_state::cancelled);
  // It takes its slot until it has really ended, and its own end counts for nothing.
  EXPECT_EQ(slots_.room(), 9u);
  end_work();
  EXPECT_EQ(slots_.room(), 10u);
  EXPECT_EQ(broker_.settled().size(), 1u);
  EXPECT_EQ(counts_.done, 1u);
}

TEST_F(runner_test, work_that_is_done_although_it_was_cancelled_has_succeeded) {
  handle_stubbornly();
  run("a");
  runner_.cancel_requested(lease(), "a");
  end_work();
  EXPECT_EQ(job("a").state, job_state::succeeded);
}

TEST_F(runner_test, jobs_that_a_shutdown_stops_are_handed_back) {
  handle_without_end();
  run("a");
  runner_.stop_all(model::stop_reason::shutdown);
  loop_.run_ready();
  EXPECT_EQ(job("a").state, job_state::queued);
  EXPECT_EQ(job("a").attempts, 0);
  EXPECT_EQ(counts_.done, 0u);
}

TEST_F(runner_test, the_first_reason_to_stop_counts) {
  handle_without_end();
  run("a");
  runner_.cancel_requested(lease(), "a");
  runner_.stop_all(model::stop_reason::shutdown);
  loop_.run_ready();
  EXPECT_EQ(job("a").state, job_state::cancelled);
}

TEST_F(runner_test, jobs_whose_lease_was_lost_are_stopped_and_their_ends_count_for_nothing) {
  handle_without_end();
  run("a");
  run("b");
  EXPECT_EQ(runner_.lease_lost(lease()), 2u);
  lease().lease.token = "another";
  EXPECT_EQ(runner_.lease_lost(lease()), 0u);
  loop_.run_ready();
  EXPECT_TRUE(runner_.empty());
  EXPECT_EQ(broker_.count(operation::settle), 0u);
  EXPECT_EQ(counts_.done, 0u);
}

TEST_F(runner_test, what_an_ending_worker_leaves_running_is_not_settled_any_more) {
  handle_stubbornly();
  run("a");
  runner_.abandon();
  end_work();
  EXPECT_EQ(broker_.count(operation::settle), 0u);
}

TEST_F(runner_test, a_job_that_had_been_cancelled_before_is_counted) {
  broker::claimed_job claimed;
  claimed.id = "a";
  claimed.record = model::encode(record_of());
  runner_.aborted_unstarted(claimed, broker_.now());
  claimed.record = "no record";
  runner_.aborted_unstarted(claimed, broker_.now());
  EXPECT_EQ(counts_.done, 2u);
  EXPECT_EQ(counts_.ended.failed, 2u);
  EXPECT_TRUE(runner_.empty());
}

TEST_F(runner_test, results_are_kept_as_the_call_says_or_else_as_the_handler_says) {
  handle([](context&) -> awaitable<void> { co_return; }, {.keep_result = 10s});
  auto r = record_of();
  run("a", r);
  r.keep_result = 20s;
  run("b", r);
  ASSERT_EQ(broker_.settled().size(), 2u);
  EXPECT_EQ(broker_.settled()[0].keep, 10s);
  EXPECT_EQ(broker_.settled()[1].keep, 20s);
}

// Whoever enqueues chooses the id, and the name of a task that nobody knows.
TEST_F(runner_test, ids_and_names_of_tasks_forge_no_line_of_the_log_and_drive_no_terminal) {
  const std::string evil = "a\n12:00:00.000 error failed   task=bank\x1b[2J", cut(5'000, 'x');
  setup_.options.unknown_task_timeout = 0ms;
  const captured_log log;
  run("1" + evil);
  run("2", record_of(evil));
  run("3" + cut, record_of(cut));
  handle([](context&) -> awaitable<void> {
    throw std::runtime_error("no");
    co_return;
  });
  run("4" + evil);
  handle_without_end();
  run("5" + evil);
  broker::claimed_job unstarted;
  unstarted.id = "6" + evil;
  unstarted.record = model::encode(record_of(evil));
  runner_.aborted_unstarted(unstarted, broker_.now());
  end_work();
  const auto text = log.text();
  EXPECT_FALSE(log.has("\n12:00") || log.has("\x1b")) << text;
  EXPECT_LE(text.size(), 4'000u);
  // Both lines of 1, 4 and 5, the ends of 2 and 3, and 6.
  EXPECT_EQ(log.count("\n"), 9u) << text;
  EXPECT_TRUE(log.has(R"(finished task=work id=1a\n12:00:00.000 error failed   task=bank\x1b[2J)")) << text;
  EXPECT_TRUE(log.has(R"(aborted  task=a\n12:00:00.000 error failed   task=bank\x1b[2J id=6a\n)")) << text;
}

}  // namespace
}  // namespace quarq::test::job_runner_tests
