#include "workers/cron_gate.hpp"

#include <fmt/format.h>

#include "unit/workers/cron_role_test.hpp"

namespace quarq::test::cron_gate_tests {
namespace {

using workers::admission;
using workers::running_job;
using ruling = workers::admission::ruling;

class cron_gate_test : public cron_role_test {
 protected:
  cron_gate_test() {
    hold(lease());
    add(each_second());
    pass(1s - 250ms);  // a whole second, at which a run is due
    broker_time_.note_message(broker_.now());
    lease().since = broker_.now() - 1h;
    due_ = broker_.now();
  }

  /// A claimed run.
  running_job& claimed(std::string id, std::string after = "", int attempts = 1) {
    broker::claimed_job c;
    c.id = id;
    c.attempts = attempts;
    c.enqueued_at = due_ - 1s;
    c.due_at = due_;
    auto& job = claimed_.emplace_back(lease(), std::move(c), worker_, detail::job_facts(), clock_.now());
    job.record.task = "cron:tick";
    job.record.after = std::move(after);
    put_run(job_state::running, std::move(id), job.record.after);
    return job;
  }
  running_job& due_run(std::string after = "", int attempts = 1) {
    return claimed(run_id(due_), std::move(after), attempts);
  }

  /// How it is ruled, as text: "run", "end: cancelled", "park until X".
  std::string ruled(running_job& job) {
    ruled_.reset();
    start([](cron_gate_test& test, running_job& j) -> awaitable<void> {
      auto a = co_await test.gate_.admit(j, test.tick());
      test.ruled_ = std::move(a);
    }(*this, job));
    return text();
  }
  std::string text() const {
    if (!ruled_) return "nothing yet";
    switch (ruled_->what) {
      case ruling::run:
        return "run";
      case ruling::end:
        return "end: " + std::string(to_string(ruled_->state));
      case ruling::park:
        return "park until " + ruled_->until_ended;
    }
    return "?";
  }
  time_point next_due() const { return due_ + 1s; }
  awaitable<void> pause_tick(bool paused) {
    co_await broker_.set_mark("default", "cron:tick", paused ? "paused" : "");
  }

  context worker_{nullptr};
  std::list<running_job> claimed_;
  workers::cron_gate gate_{{jobs_, runs_, broker_time_, clock_}};
  time_point due_{};
  std::optional<admission> ruled_;
};

TEST_F(cron_gate_test, knows_its_cron_jobs) {
  auto& run = due_run();
  EXPECT_EQ(gate_.cron_of(run), &tick());
  run.record.task = "cron:other";
  EXPECT_EQ(gate_.cron_of(run), nullptr);
}

TEST_F(cron_gate_test, a_run_that_is_due_takes_place_and_the_next_one_is_planned_before) {
  EXPECT_EQ(ruled(due_run()), "run");
  EXPECT_EQ(enqueued(), strings{run_id(next_due())});
  EXPECT_EQ(after_of(run_id(next_due())), run_id(due_));
}

TEST_F(cron_gate_test, the_next_one_may_be_planned_already) {
  put_run(job_state::deferred, run_id(next_due()));
  EXPECT_EQ(ruled(due_run()), "run");
}

TEST_F(cron_gate_test, asks_until_the_broker_answers) {
  broker_.fail(operation::enqueue, 2);
  EXPECT_EQ(ruled(due_run()), "nothing yet");
  pass(499ms);
  EXPECT_EQ(text(), "nothing yet");
  pass(501ms);
  EXPECT_EQ(text(), "run");
}

TEST_F(cron_gate_test, a_run_that_somebody_enqueued_takes_place) {
  EXPECT_EQ(ruled(claimed("by-hand")), "run");
  EXPECT_EQ(enqueued(), strings{});
}

// ---- paused by operators

TEST_F(cron_gate_test, a_planned_run_of_a_paused_cron_job_is_skipped_and_the_next_one_planned) {
  const auto earlier = run_id(due_ - 1s);
  start(pause_tick(true));
  EXPECT_EQ(ruled(due_run(earlier)), "end: cancelled");
  EXPECT_EQ(ruled_->why, run_id(due_) + " was skipped: cron:tick is paused");
  // The next run has to look at the one that may run still, not at this one.
  EXPECT_EQ(after_of(run_id(next_due())), earlier);
}

TEST_F(cron_gate_test, a_paused_cron_job_is_run_by_hand_and_its_runs_are_tried_again) {
  start(pause_tick(true));
  EXPECT_EQ(ruled(claimed("by-hand")), "run");
  EXPECT_EQ(ruled(due_run("", 2)), "run") << "it had begun before";
  start(pause_tick(false));
  EXPECT_EQ(ruled(due_run()), "run");
}

TEST_F(cron_gate_test, a_paused_cron_job_does_not_run_at_startup) {
  tick().options.run_at_startup = true;
  start(pause_tick(true));
  EXPECT_EQ(ruled(claimed(tick().startup_id())), "end: cancelled");
}

// ---- overlap

TEST_F(cron_gate_test, a_run_is_skipped_while_an_earlier_one_has_not_ended) {
  const auto earlier = run_id(due_ - 1s);
  put_run(job_state::running, earlier);
  EXPECT_EQ(ruled(due_run(earlier)), "end: cancelled");
  EXPECT_EQ(ruled_->why, run_id(due_) + " was skipped: " + earlier + " has not ended");
  EXPECT_EQ(ruled_->after, earlier);
  // The next run has to look at the one that runs, not at this one.
  EXPECT_EQ(after_of(run_id(next_due())), earlier);
}

TEST_F(cron_gate_test, a_run_that_waits_for_its_next_attempt_is_in_the_way_as_well) {
  const auto earlier = run_id(due_ - 1s);
  put_run(job_state::deferred, earlier);
  EXPECT_EQ(ruled(due_run(earlier)), "end: cancelled");
}

TEST_F(cron_gate_test, an_earlier_run_that_has_ended_is_not_in_the_way) {
  const auto earlier = run_id(due_ - 1s);
  put_run(job_state::succeeded, earlier);
  EXPECT_EQ(ruled(due_run(earlier)), "run");
}

TEST_F(cron_gate_test, a_run_that_was_skipped_leads_to_the_one_that_was_in_its_way) {
  const auto first = run_id(due_ - 2s), skipped = run_id(due_ - 1s);
  put_run(job_state::running, first);
  put_run(job_state::cancelled, skipped, first);
  EXPECT_EQ(ruled(due_run(skipped)), "end: cancelled");
  EXPECT_EQ(ruled_->after, first);
}

TEST_F(cron_gate_test, records_that_lead_in_a_circle_are_left) {
  const auto a = run_id(due_ - 2s), b = run_id(due_ - 1s);
  put_run(job_state::cancelled, a, b);
  put_run(job_state::cancelled, b, a);
  EXPECT_EQ(ruled(due_run(b)), "run");
}

TEST_F(cron_gate_test, runs_may_be_allowed_to_overlap) {
  tick().options.overlap = overlap::allow;
  const auto earlier = run_id(due_ - 1s);
  put_run(job_state::running, earlier);
  EXPECT_EQ(ruled(due_run(earlier)), "run");
}

TEST_F(cron_gate_test, a_run_may_wait_for_the_earlier_one) {
  tick().options.overlap = overlap::after;
  const auto earlier = run_id(due_ - 1s);
  put_run(job_state::running, earlier);
  EXPECT_EQ(ruled(due_run(earlier)), "park until " + earlier);
  EXPECT_EQ(after_of(run_id(next_due())), run_id(due_));
}

TEST_F(cron_gate_test, while_one_waits_further_ones_are_skipped) {
  tick().options.overlap = overlap::after;
  const auto first = run_id(due_ - 2s), waits = run_id(due_ - 1s);
  put_run(job_state::running, first);
  put_run(job_state::running, waits, first);
  EXPECT_EQ(ruled(due_run(waits)), "end: cancelled");
  EXPECT_EQ(ruled_->why, run_id(due_) + " was skipped: " + waits + " waits already");
  EXPECT_EQ(ruled_->after, waits);
}

TEST_F(cron_gate_test, a_later_attempt_has_nothing_in_its_way) {
  const auto earlier = run_id(due_ - 1s);
  put_run(job_state::running, earlier);
  EXPECT_EQ(ruled(due_run(earlier, 2)), "run");
}

TEST_F(cron_gate_test, the_run_at_startup_is_in_the_way_of_a_planned_one) {
  tick().options.run_at_startup = true;
  put_run(job_state::running, "cron:tick:startup");
  EXPECT_EQ(ruled(due_run()), "end: cancelled");
  EXPECT_EQ(ruled_->after, "cron:tick:startup");
}

// Each start leaves a run, where their ends are kept for ever.
TEST_F(cron_gate_test, many_earlier_runs_at_startup_are_looked_at_once) {
  tick().options.run_at_startup = true;
  std::string id = "cron:tick:startup";
  for (int i = 0; i < 50; ++i) {
    put_run(job_state::succeeded, id);
    id = fmt::format("cron:tick:startup:{}", broker_.now().time_since_epoch().count());
    pass(1s);
  }
  EXPECT_EQ(ruled(due_run()), "run");
  const auto inspected = [&] { return broker_.calls(operation::inspect).size(); };
  auto before = inspected();
  EXPECT_EQ(ruled(due_run()), "run");
  EXPECT_LE(inspected() - before, 5u);
  put_run(job_state::running, id);
  before = inspected();
  EXPECT_EQ(ruled(due_run()), "end: cancelled");
  EXPECT_EQ(ruled_->after, id);
  EXPECT_LE(inspected() - before, 5u);
  // The first end is no longer kept: what begins then is another chain.
  put_run(job_state::running, "cron:tick:startup");
  EXPECT_EQ(ruled(due_run()), "end: cancelled");
  EXPECT_EQ(ruled_->after, "cron:tick:startup");
}

TEST_F(cron_gate_test, a_planned_run_is_in_the_way_of_the_one_at_startup) {
  tick().options.run_at_startup = true;
  const auto runs = run_id(due_ - 1s);
  put_run(job_state::running, runs);
  put_run(job_state::deferred, run_id(next_due()), runs);
  EXPECT_EQ(ruled(claimed("cron:tick:startup")), "end: cancelled");
  EXPECT_EQ(ruled_->after, runs);
  EXPECT_EQ(enqueued(), strings{});
}

// ---- missed and misplaced runs

TEST_F(cron_gate_test, what_no_worker_was_there_to_start_is_skipped) {
  lease().since = due_ + 1ms;
  tick().options.tolerance = 500ms;
  auto& run = due_run("before");
  pass(501ms);
  EXPECT_EQ(ruled(run), "end: expired");
  EXPECT_NE(ruled_->why.find("was missed: no worker was there"), std::string::npos) << ruled_->why;
  EXPECT_EQ(after_of(run_id(next_due())), "before");
}

TEST_F(cron_gate_test, what_is_late_within_the_tolerance_takes_place) {
  lease().since = due_ + 1ms;
  tick().options.tolerance = 500ms;
  auto& run = due_run();
  pass(500ms);
  EXPECT_EQ(ruled(run), "run");
}

TEST_F(cron_gate_test, what_is_late_because_all_workers_are_busy_takes_place) {
  tick().options.tolerance = 0ms;
  auto& run = due_run();
  pass(10min);
  EXPECT_EQ(ruled(run), "run");
}

TEST_F(cron_gate_test, what_was_missed_may_be_made_up_for) {
  lease().since = due_ + 1ms;
  tick().options.tolerance = 0ms;
  tick().options.missed = missed::run_once;
  auto& run = due_run();
  pass(10min);
  EXPECT_EQ(ruled(run), "run");
}

TEST_F(cron_gate_test, what_was_missed_too_long_ago_is_not_made_up_for) {
  lease().since = due_ + 1ms;
  tick().options.tolerance = 0ms;
  tick().options.missed = missed::run_once;
  tick().options.missed_within = 10min;
  auto& run = due_run();
  pass(10min + 1ms);
  EXPECT_EQ(ruled(run), "end: expired");
}

TEST_F(cron_gate_test, what_was_missed_is_made_up_for_within_bounds) {
  lease().since = due_ + 1ms;
  tick().options.tolerance = 0ms;
  tick().options.missed = missed::run_once;
  tick().options.missed_within = 10min;
  auto& run = due_run();
  pass(10min);
  EXPECT_EQ(ruled(run), "run");
}

TEST_F(cron_gate_test, what_was_begun_and_handed_back_is_not_missed) {
  lease().since = due_ + 1ms;
  tick().options.tolerance = 0ms;
  // Whoever began it had planned on from it.
  put_run(job_state::deferred, run_id(next_due()), run_id(due_));
  auto& run = due_run();
  pass(100ms);
  EXPECT_EQ(ruled(run), "run");
}

TEST_F(cron_gate_test, what_was_planned_long_after_its_time_is_dropped) {
  auto& run = due_run();
  run.claimed.enqueued_at = due_ + cron::kept_at_least + 1ms;
  EXPECT_EQ(ruled(run), "end: expired");
  EXPECT_NE(ruled_->why.find("was planned after its time"), std::string::npos);
  EXPECT_EQ(enqueued(), strings{});
}

TEST_F(cron_gate_test, what_is_not_on_the_schedule_here_is_left_to_others) {
  EXPECT_EQ(ruled(claimed(run_id(due_ + 1ms))), "park until ");
  EXPECT_EQ(enqueued(), strings{});
}

TEST_F(cron_gate_test, a_run_in_another_queue_is_left_to_others) {
  tick().queue = "other";
  EXPECT_EQ(ruled(due_run()), "park until ");
}

TEST_F(cron_gate_test, what_nobody_has_taken_for_an_hour_has_expired) {
  const auto& run = due_run();
  pass(1h);
  EXPECT_EQ(gate_.leave_to_others(run, "is unknown").what, ruling::park);
  pass(1ms);
  const auto left = gate_.leave_to_others(run, "is unknown");
  EXPECT_EQ(left.what, ruling::end);
  EXPECT_EQ(left.state, job_state::expired);
  EXPECT_EQ(left.why, run_id(due_) + " is unknown, and no other worker has taken it for 60.0 min");
}

TEST_F(cron_gate_test, a_worker_that_has_gone_had_planned_it_for_itself) {
  tick().options.unique = false;
  tick().instance = "ours";
  EXPECT_EQ(ruled(claimed(run_id(due_) + ":theirs")), "run");
  EXPECT_EQ(enqueued(), strings{});
  EXPECT_EQ(ruled(claimed(run_id(due_) + ":ours")), "run");
  EXPECT_EQ(enqueued(), strings{run_id(next_due()) + ":ours"});
}

// ---- under an id of its own

class cron_gate_own_id_test : public cron_gate_test {
 protected:
  cron_gate_own_id_test() { tick().options.job_id = "report"; }
};

TEST_F(cron_gate_own_id_test, the_planned_job_sends_the_one_that_runs) {
  EXPECT_EQ(ruled(due_run()), "end: succeeded");
  EXPECT_EQ(enqueued(), (strings{run_id(next_due()), "report"}));
}

TEST_F(cron_gate_own_id_test, is_skipped_while_another_job_has_that_id) {
  put_run(job_state::succeeded, "report");
  EXPECT_EQ(ruled(due_run()), "end: cancelled");
  EXPECT_EQ(ruled_->why,
            run_id(due_) + " was skipped: a job with id report is queued, running or kept already");
}

TEST_F(cron_gate_own_id_test, a_dead_job_of_that_id_runs_again) {
  put_run(job_state::dead, "report");
  EXPECT_EQ(ruled(due_run()), "end: succeeded");
  EXPECT_EQ(broker_.at("default", "report").state, job_state::queued);
}

TEST_F(cron_gate_own_id_test, the_run_at_startup_sends_it_as_well) {
  EXPECT_EQ(ruled(claimed("cron:tick:startup")), "end: succeeded");
  EXPECT_EQ(enqueued(), strings{"report"});
}

TEST_F(cron_gate_own_id_test, its_end_is_kept_no_longer_than_the_options_say) {
  tick().options.keep_result = 2s;
  auto& run = claimed("report");
  run.terms.keep_success = run.terms.keep_failure = 1h;
  EXPECT_EQ(ruled(run), "run");
  EXPECT_EQ(run.terms.keep_success, 2s);
  EXPECT_EQ(run.terms.keep_failure, 2s);
  run.record.keep_result = 3s;
  EXPECT_EQ(ruled(run), "run");
  EXPECT_EQ(run.terms.keep_success, 3s);
}

TEST_F(cron_gate_test, the_end_of_a_run_at_startup_is_kept_for_the_window) {
  tick().options.startup_window = 10min;
  auto& run = claimed("cron:tick:startup");
  EXPECT_EQ(ruled(run), "run");
  EXPECT_EQ(run.terms.keep_success, 10min);
  EXPECT_EQ(run.terms.keep_failure, 10min);
}

}  // namespace
}  // namespace quarq::test::cron_gate_tests
