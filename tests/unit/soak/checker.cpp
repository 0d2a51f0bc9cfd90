#include "soak/checker.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "soak/soak_tasks.hpp"

namespace quarq::soak {
namespace {

using namespace std::chrono_literals;
using strings = std::vector<std::string>;

constexpr pid_t client = 1, worker = 2, other_worker = 3, third_worker = 4, an_operator = 5, driver = 6;

/// A journal of a few lines, times in ms.
struct soak_checker : testing::Test {
  soak_checker& at(int ms, const std::string& event, pid_t pid, strings words = {}) {
    journal_.push_back(
        {event, micros(std::chrono::milliseconds(ms)), pid, std::move(words), journal_.size() + 1});
    return *this;
  }
  soak_checker& accepted(const std::string& id, int ms = 0, int not_before_ms = 0) {
    return accepted_late(id, ms, not_before_ms, ms);
  }
  soak_checker& accepted_late(const std::string& id, int sent_ms, int not_before_ms, int ms) {
    const auto text = [](int time) { return std::to_string(time * 1000); };
    return at(ms, "acked", client, {id, "5", text(not_before_ms), text(sent_ms)});
  }
  soak_checker& start(int ms, const std::string& id, pid_t pid = worker) {
    runs_.push_back(id);
    return at(ms, "start", pid, {id, std::to_string(runs_.size()), "1"});
  }
  /// Of the last start.
  soak_checker& end(int ms, pid_t pid = worker, const char* how = "ok") {
    return at(ms, "end", pid, {runs_.back(), std::to_string(runs_.size()), how});
  }
  soak_checker& ended(const std::string& id, job_state state = job_state::succeeded,
                      std::int64_t result = answer_to(5)) {
    ends_.emplace(id, final_state{state, state == job_state::succeeded ? result : 0});
    return *this;
  }
  strings violations() { return check(journal_, ends_, micros(0s), micros(0s)).violations; }

  std::vector<entry> journal_;
  final_states ends_;
  strings runs_;
};

TEST_F(soak_checker, a_job_that_is_done_once_breaks_nothing) {
  accepted("a").start(1, "a").end(2).ended("a").at(3, "got", client, {"a", "succeeded", "16"});
  EXPECT_EQ(violations(), strings());
}

TEST_F(soak_checker, a_lost_job_is_found) {
  accepted("a");
  EXPECT_EQ(violations(), strings{"a: acknowledged, and has 0 final states after 0 starts"});
}

TEST_F(soak_checker, two_final_states_are_found) {
  accepted("a").start(1, "a").end(2).ended("a").ended("a", job_state::dead);
  EXPECT_EQ(violations(), strings{"a: acknowledged, and has 2 final states after 1 starts"});
}

TEST_F(soak_checker, the_result_of_another_job_is_found) {
  accepted("a").start(1, "a").end(2).ended("a", job_state::succeeded, 17);
  EXPECT_EQ(violations(), strings{"a: its result is 17, not 16"});
}

TEST_F(soak_checker, a_start_before_the_time_is_found) {
  accepted("a", 0, 100).start(97, "a").end(98).ended("a");
  EXPECT_EQ(violations(), strings{"a: started 3000 us before its time"});
}

TEST_F(soak_checker, a_repeat_without_a_fault_is_found) {
  accepted("a").start(1, "a").end(2).start(5, "a", other_worker).end(6, other_worker).ended("a");
  EXPECT_EQ(violations(),
            strings{"a: started on 2, and 4000 us later again on 3, though nothing had happened to 2"});
}

TEST_F(soak_checker, a_killed_or_stopped_worker_explains_a_repeat) {
  for (const auto* fault : {"killed", "terminated", "frozen", "cut"}) {
    journal_.clear();
    ends_.clear();
    accepted("a")
        .start(1, "a")
        .at(3, fault, worker)
        .start(5, "a", other_worker)
        .end(6, other_worker)
        .ended("a");
    EXPECT_EQ(violations(), strings()) << fault;
  }
}

TEST_F(soak_checker, a_fault_that_was_over_long_before_explains_nothing) {
  at(0, "frozen", worker).at(1, "thawed", worker).accepted("a");
  start(4'000, "a").start(8'000, "a", other_worker).end(8'001, other_worker).ended("a");
  EXPECT_EQ(violations().size(), 1);
}

TEST_F(soak_checker, a_job_that_failed_on_purpose_may_run_again) {
  accepted("retried-1").start(1, "retried-1").end(2, worker, "failed").start(5, "retried-1", other_worker);
  end(6, other_worker).ended("retried-1");
  EXPECT_EQ(violations(), strings());
}

TEST_F(soak_checker, a_start_after_the_cancellation_is_found) {
  accepted("cancel-1").at(1, "cancel", client, {"cancel-1", "cancelled"}).start(2, "cancel-1").end(3);
  ended("cancel-1", job_state::cancelled);
  EXPECT_EQ(violations(), strings{"cancel-1: started after it was cancelled"});
}

TEST_F(soak_checker, a_job_that_nobody_cancelled_is_not_to_end_as_cancelled) {
  accepted("a").ended("a", job_state::cancelled);
  EXPECT_EQ(violations(), strings{"a: ended as cancelled after 0 starts"});
}

TEST_F(soak_checker, one_loss_is_no_attempt_and_no_reason_to_be_dead) {
  accepted("once-1").start(1, "once-1").at(2, "killed", worker).ended("once-1", job_state::dead);
  EXPECT_EQ(violations(), strings{"once-1: ended as dead after 1 starts"});
}

TEST_F(soak_checker, a_client_that_was_told_something_else_is_found) {
  accepted("a").start(1, "a").end(2).ended("a").at(3, "got", client, {"a", "dead", "0"});
  EXPECT_EQ(violations(), strings{"a: a client was told dead 0, and recorded is succeeded 16"});
}

TEST_F(soak_checker, two_jobs_with_one_id_at_once_are_found) {
  accepted("unique-1").accepted("unique-1").start(1, "unique-1").start(2, "unique-1", other_worker);
  end(3, other_worker).start(4, "unique-1").end(5);
  EXPECT_EQ(violations(), strings{"unique-1: two jobs with this id ran at once, on 2 and 3"});
}

TEST_F(soak_checker, the_first_of_many_jobs_with_one_id_may_be_acknowledged_late_or_never) {
  start(1, "unique-1").end(2).accepted_late("unique-1", 6, 6, 7).start(8, "unique-1").end(9);
  EXPECT_EQ(violations(), strings());
  accepted_late("unique-1", 0, 0, 10);
  EXPECT_EQ(violations(), strings());
}

TEST_F(soak_checker, a_job_whose_end_is_not_kept_must_have_been_done) {
  accepted("void-1").start(1, "void-1");
  EXPECT_EQ(violations(), strings{"void-1: accepted 1 times, done 0 times"});
}

TEST_F(soak_checker, a_start_before_the_time_is_judged_by_the_clock_as_it_was_set) {
  at(5'000, "clock", driver, {"3000000", "1000000"}).at(9'000, "clock", driver, {"0", "1000000"});
  accepted("a", 3'000, 4'800).start(3'500, "a").end(3'501).ended("a");
  EXPECT_EQ(violations(), strings{"a: started 1300000 us before its time"});
  journal_.clear();
  ends_.clear();
  at(3'200, "clock", driver, {"3000000", "1000000"}).at(9'000, "clock", driver, {"0", "1000000"});
  accepted("a", 3'000, 4'800).start(3'500, "a").end(3'501).ended("a");
  EXPECT_EQ(violations(), strings());
}

TEST_F(soak_checker, a_delay_that_begins_while_the_clock_is_ahead_may_last_longer_and_no_less) {
  at(0, "clock", driver, {"2000000", "1000000"}).at(20'000, "clock", driver, {"0", "1000000"});
  accepted("a", 10'000, 11'000).start(10'900, "a").end(10'901).ended("a");
  EXPECT_EQ(violations(), strings{"a: started 100000 us before its time"});
}

TEST_F(soak_checker, a_clock_that_is_not_known_at_once_explains_more) {
  at(0, "clock", driver, {"-2000000", "30000000"}).at(5'000, "clock", driver, {"0", "30000000"});
  accepted("a", 10'000, 11'500).start(10'100, "a").end(10'101).ended("a");
  EXPECT_EQ(violations(), strings());
  accepted("b", 40'000, 41'500).start(40'100, "b").end(40'101).ended("b");
  EXPECT_EQ(violations(), strings{"b: started 1400000 us before its time"});
}

TEST_F(soak_checker, what_was_purged_need_not_be_there) {
  for (const auto* state : {"succeeded", "queued", "deferred"}) {
    journal_.clear();
    accepted("spare-1").start(1, "spare-1").end(2);
    at(3, "purge", an_operator, {"1", "spare", state}).at(4, "purged", an_operator, {"1", "1"});
    EXPECT_EQ(violations(), strings()) << state;
  }
}

TEST_F(soak_checker, a_purge_of_another_state_or_queue_or_time_explains_no_loss) {
  const strings lost{"spare-1: acknowledged, and has 0 final states after 1 starts"};
  const strings others[] = {
      {"1", "spare", "dead"}, {"1", "spare", "cancelled"}, {"1", "default", "succeeded"}};
  for (const auto& purge : others) {
    journal_.clear();
    accepted("spare-1").start(1, "spare-1").end(2);
    at(3, "purge", an_operator, purge).at(4, "purged", an_operator, {"1", "1"});
    EXPECT_EQ(violations(), lost) << purge[2];
  }
  journal_.clear();
  at(1, "purge", an_operator, {"1", "spare", "succeeded"}).at(2, "purged", an_operator, {"1", "1"});
  accepted("spare-1", 3).start(4, "spare-1").end(5);
  EXPECT_EQ(violations(), lost);
}

TEST_F(soak_checker, what_was_purged_may_be_acknowledged_later) {
  accepted_late("spare-1", 2, 2, 9);
  at(3, "purge", an_operator, {"1", "spare", "queued"}).at(4, "purged", an_operator, {"1", "1"});
  EXPECT_EQ(violations(), strings());
  accepted_late("spare-2", 5, 5, 9);
  EXPECT_EQ(violations(), strings{"spare-2: acknowledged, and has 0 final states after 0 starts"});
}

TEST_F(soak_checker, more_gone_than_were_purged_is_found) {
  accepted("spare-1").accepted("spare-2");
  at(3, "purge", an_operator, {"1", "spare", "queued"}).at(4, "purged", an_operator, {"1", "1"});
  EXPECT_EQ(violations(), strings{"2 jobs are gone, and operators were told of 1 that they purged"});
  at(5, "purge", an_operator, {"2", "spare", "queued"});
  EXPECT_EQ(violations(), strings()) << "one that was not answered may have purged any number";
}

TEST_F(soak_checker, a_doomed_job_must_have_failed_to_be_dead) {
  accepted("doomed-1").start(1, "doomed-1").end(2, worker, "failed").ended("doomed-1", job_state::dead);
  EXPECT_EQ(violations(), strings());
  accepted("doomed-2").ended("doomed-2", job_state::dead);
  EXPECT_EQ(violations(), strings{"doomed-2: ended as dead after 0 starts"});
}

TEST_F(soak_checker, a_requeued_job_that_does_not_run_again_is_found) {
  accepted("doomed-1").start(1, "doomed-1").end(2, worker, "failed").ended("doomed-1", job_state::dead);
  at(3, "requeue", an_operator, {"doomed-1"}).at(4, "requeued", an_operator, {"doomed-1"});
  EXPECT_EQ(violations(), strings{"doomed-1: was requeued, and did not run again"});
  start(5, "doomed-1").end(6, worker, "failed");
  EXPECT_EQ(violations(), strings());
}

TEST_F(soak_checker, a_job_that_two_operators_requeue_runs_again_for_the_first) {
  constexpr pid_t too_late = 7;
  accepted("doomed-1").start(1, "doomed-1").end(2, worker, "failed").ended("doomed-1", job_state::dead);
  at(3, "requeue", an_operator, {"doomed-1"}).start(4, "doomed-1").end(5, worker, "failed");
  at(6, "requeue", too_late, {"doomed-1"}).at(7, "requeued", an_operator, {"doomed-1"});
  EXPECT_EQ(violations(), strings());
}

TEST_F(soak_checker, a_requeued_job_may_end_otherwise_than_a_client_was_told) {
  accepted("once-1").start(1, "once-1").at(2, "killed", worker).at(3, "got", client, {"once-1", "dead", "0"});
  start(5, "once-1", other_worker).end(6, other_worker).ended("once-1");
  EXPECT_EQ(violations(), strings{"once-1: a client was told dead 0, and recorded is succeeded 16"});
  at(4, "requeue", an_operator, {"once-1"});
  EXPECT_EQ(violations(), strings());
}

TEST_F(soak_checker, an_end_that_changes_after_it_was_seen_is_found) {
  accepted("a").start(1, "a").end(2).ended("a").at(3, "saw", an_operator, {"a", "failed"});
  EXPECT_EQ(violations(), strings{"a: an operator saw it failed, and recorded is succeeded"});
}

TEST_F(soak_checker, a_job_that_an_operator_cancels_may_end_as_cancelled) {
  accepted("spare-1").at(1, "cancelling", an_operator, {"spare-1"}).ended("spare-1", job_state::cancelled);
  EXPECT_EQ(violations(), strings());
}

TEST_F(soak_checker, a_job_that_starts_again_although_its_worker_was_to_cancel_it_is_found) {
  accepted("cancel-1").start(1, "cancel-1").at(2, "killed", worker);
  at(3, "cancel", client, {"cancel-1", "requested"}).start(4, "cancel-1", other_worker);
  at(5, "killed", other_worker).ended("cancel-1", job_state::cancelled);
  EXPECT_EQ(violations(), strings());
  start(6, "cancel-1", third_worker).end(7, third_worker);
  EXPECT_EQ(violations(), strings{"cancel-1: started 2 times after its running worker was to cancel it"});
}

TEST_F(soak_checker, a_second_without_its_run_of_cron_is_found) {
  start(1'000, "cron:second:1000").start(3'000, "cron:second:3000");
  EXPECT_EQ(check(journal_, ends_, micros(0s), micros(4s)).violations,
            strings{"cron: nothing ran in second 2"});
}

}  // namespace
}  // namespace quarq::soak
