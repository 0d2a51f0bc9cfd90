#include "workers/job_report.hpp"

#include <optional>

#include <gtest/gtest.h>

namespace quarq::test::job_report_tests {
namespace {

using namespace std::chrono_literals;
using what = broker::settlement::what;

class job_report_test : public testing::Test {
 protected:
  job_report_test() {
    broker::claimed_job claimed;
    claimed.id = "a";
    claimed.attempts = 2;
    claimed.enqueued_at = broker::time_point(1s);
    claimed.due_at = broker::time_point(3s);
    job_.emplace(lease_, std::move(claimed), worker_, detail::job_facts(), workers::clock::time_point());
    job_->record.task = "work";
    job_->started_ms = 10'000;
    job_->terms.keep_success = 10s;
    job_->terms.keep_failure = 20s;
  }

  broker::settlement settlement(job_state state, std::string result = "") {
    model::decision d;
    d.state = state;
    d.pause = 7s;
    return workers::settlement_of(*job_, attempt_, d, std::move(result), outcome());
  }
  model::outcome outcome() const { return workers::outcome_of(*job_, "host:1", 1'500'999us); }

  workers::queue_lease lease_;
  context worker_{nullptr};
  std::optional<workers::running_job> job_;
  model::attempt attempt_;
};

TEST_F(job_report_test, an_outcome_has_the_facts_of_the_attempt) {
  const auto o = outcome();
  EXPECT_EQ(o.task, "work");
  EXPECT_EQ(o.attempts, 2);
  EXPECT_EQ(o.worker, "host:1");
  EXPECT_EQ(o.enqueued_ms, 1'000);
  EXPECT_EQ(o.started_ms, 10'000);
  EXPECT_EQ(o.finished_ms, 11'500);
}

TEST_F(job_report_test, a_success_is_kept_with_its_result) {
  const auto s = settlement(job_state::succeeded, "\x2a");
  EXPECT_EQ(s.id, "a");
  EXPECT_EQ(s.kind, what::end);
  EXPECT_EQ(s.keep, 10s);
  EXPECT_EQ(model::decode_outcome(s.outcome).result, "\x2a");
}

TEST_F(job_report_test, a_failure_is_kept_with_its_error) {
  attempt_.error_type = "disk_full";
  attempt_.error = "no space";
  const auto s = settlement(job_state::failed);
  EXPECT_EQ(s.kind, what::end);
  EXPECT_EQ(s.keep, 20s);
  EXPECT_EQ(model::decode_outcome(s.outcome).error_type, "disk_full");
  EXPECT_EQ(model::decode_outcome(s.outcome).error, "no space");
}

TEST_F(job_report_test, of_a_success_without_a_result_only_the_state_need_be_kept) {
  EXPECT_FALSE(settlement(job_state::succeeded).keeps_state_only);
  job_->keeps_state_only = true;
  EXPECT_TRUE(settlement(job_state::succeeded).keeps_state_only);
  EXPECT_FALSE(settlement(job_state::failed).keeps_state_only);
}

TEST_F(job_report_test, what_is_kept_for_ever_has_no_duration) {
  job_->terms.keep_success = forever;
  EXPECT_EQ(settlement(job_state::succeeded, "\x2a").keep, std::nullopt);
}

TEST_F(job_report_test, a_job_that_will_be_tried_again_says_why) {
  attempt_.error_type = "disk_full";
  attempt_.error = "no space" + std::string(5'000, '!');
  const auto later = settlement(job_state::deferred);
  EXPECT_EQ(later.kind, what::retry);
  EXPECT_EQ(later.delay, 7s);
  const auto reported = model::decode_outcome(later.outcome);
  EXPECT_EQ(reported.error_type, "disk_full");
  EXPECT_EQ(reported.error, "no space" + std::string(1'016, '!'));
  EXPECT_EQ(reported.result, "");
}

TEST_F(job_report_test, a_job_that_is_handed_back_has_no_outcome) {
  const auto back = settlement(job_state::queued);
  EXPECT_EQ(back.kind, what::hand_back);
  EXPECT_EQ(back.outcome, "");
}

TEST_F(job_report_test, a_run_that_was_skipped_says_why_and_what_was_in_its_way) {
  workers::admission ruled;
  ruled.what = workers::admission::ruling::end;
  ruled.state = job_state::cancelled;
  ruled.why = "it was skipped";
  ruled.after = "earlier";
  const auto s = workers::settlement_of(*job_, ruled, outcome());
  EXPECT_EQ(s.state, job_state::cancelled);
  EXPECT_EQ(s.keep, 10s);
  const auto o = model::decode_outcome(s.outcome);
  EXPECT_EQ(o.error_type, "quarq::cancelled");
  EXPECT_EQ(o.error, "it was skipped");
  EXPECT_EQ(o.after, "earlier");
  ruled.state = job_state::expired;
  EXPECT_EQ(model::decode_outcome(workers::settlement_of(*job_, ruled, outcome()).outcome).error_type,
            "quarq::job_expired");
  ruled.state = job_state::succeeded;
  EXPECT_EQ(model::decode_outcome(workers::settlement_of(*job_, ruled, outcome()).outcome).error_type, "");
}

TEST_F(job_report_test, hooks_see_how_the_attempt_ended) {
  attempt_.error_type = "disk_full";
  attempt_.error = "no space";
  model::decision d;
  d.state = job_state::dead;
  const auto end = workers::end_of(attempt_, d, 5ms);
  EXPECT_EQ(end.state, job_state::dead);
  EXPECT_EQ(end.error_type, "disk_full");
  EXPECT_EQ(end.error, "no space");
  EXPECT_EQ(end.ran, 5ms);
}

TEST_F(job_report_test, the_log_sees_how_long_it_waited) {
  const auto l = workers::logged(*job_, true, 5ms);
  EXPECT_EQ(l.id, "a");
  EXPECT_EQ(l.task, "work");
  EXPECT_TRUE(l.is_cron);
  EXPECT_EQ(l.age, 9s);
  EXPECT_EQ(l.waited, 7s);
  EXPECT_EQ(l.ran, 5ms);
}

}  // namespace
}  // namespace quarq::test::job_report_tests
