#include "workers/fetcher.hpp"

#include <set>

#include "support/captured_log.hpp"
#include "unit/workers/fetcher_test.hpp"

namespace quarq::test::fetcher_tests {
namespace {

using workers::fetcher;
using workers::queue_lease;
using workers::settler;

TEST_F(fetcher_test, starts_what_it_claims) {
  put({"a", "b"});
  fetch();
  EXPECT_EQ(started_, (strings{"a", "b"}));
  EXPECT_EQ(claims(), (std::vector<std::size_t>{5}));
}

TEST_F(fetcher_test, logs_that_its_queue_is_paused_or_resumed_when_that_changes) {
  const captured_log log;
  const auto set_paused = [&](bool paused) -> awaitable<void> {
    co_await broker_.set_paused("default", paused);
  };
  start(set_paused(true));
  auto& f = fetch();
  EXPECT_EQ(log.count("queue default is paused"), 1u) << log.text();
  f.note_paused(lease(), true);
  f.work_ready(lease());
  loop_.run_ready();
  EXPECT_EQ(log.count("queue default is paused"), 1u) << log.text();
  start(set_paused(false));
  f.work_ready(lease());
  loop_.run_ready();
  EXPECT_EQ(log.count("queue default is resumed"), 1u) << log.text();
}

TEST_F(fetcher_test, claims_no_more_than_there_are_slots_and_more_when_some_are_free) {
  put({"a", "b", "c", "d", "e", "f", "g"});
  auto& f = fetch();
  EXPECT_EQ(started_.size(), 5u);
  slots_.job_ended();
  f.wake();
  loop_.run_ready();
  EXPECT_EQ(started_.size(), 6u);
  EXPECT_EQ(claims(), (std::vector<std::size_t>{5, 1}));
}

TEST_F(fetcher_test, what_was_claimed_with_a_job_that_is_to_run_alone_is_handed_back) {
  put({"a", "alone", "b", "c"});
  auto& f = fetch();
  EXPECT_EQ(started_, (strings{"a", "alone"}));
  EXPECT_EQ(state_of("b"), job_state::queued);
  EXPECT_EQ(state_of("c"), job_state::queued);
  EXPECT_EQ(claims().size(), 1u);
  slots_.open();
  f.wake();
  loop_.run_ready();
  EXPECT_EQ(std::set(started_.begin(), started_.end()), (std::set<std::string>{"a", "alone", "b", "c"}));
}

TEST_F(fetcher_test, does_not_ask_until_it_is_told_of_jobs) {
  auto& f = fetch();
  put({"a"});
  pass(59s);
  EXPECT_EQ(claims().size(), 1u);
  f.work_ready(lease());
  loop_.run_ready();
  EXPECT_EQ(started_, strings{"a"});
}

TEST_F(fetcher_test, claims_when_a_deferred_job_is_due) {
  auto job = queued("later");
  job.state = job_state::deferred;
  job.due_at = broker_.now() + 300ms;
  broker_.put("default", std::move(job));
  fetch();
  pass(299ms);
  EXPECT_EQ(started_, strings{});
  pass(1ms);
  EXPECT_EQ(started_, strings{"later"});
}

TEST_F(fetcher_test, after_an_error_it_tries_again_and_says_that_the_lease_may_be_lost) {
  put({"a"});
  broker_.fail(operation::claim, 2);
  fetch();
  EXPECT_EQ(failures_, 1);
  pass(499ms);
  EXPECT_EQ(claims().size(), 1u);
  pass(1ms);
  EXPECT_EQ(failures_, 2);
  pass(500ms);
  EXPECT_EQ(started_, strings{"a"});
}

TEST_F(fetcher_test, what_arrives_after_a_stop_is_handed_back) {
  put({"a", "b"});
  broker_.stall(operation::claim);
  auto& f = fetch();
  f.stop();
  broker_.resume(operation::claim);
  loop_.run_ready();
  EXPECT_EQ(started_, strings{});
  EXPECT_EQ(state_of("a"), job_state::queued);
  EXPECT_EQ(broker_.at("default", "b").attempts, 0);
}

TEST_F(fetcher_test, a_claim_under_a_lost_lease_brings_nothing) {
  put({"a"});
  broker_.stall(operation::claim);
  fetch();
  broker_.resume(operation::claim);
  lease().lease.token = "another";
  loop_.run_ready();
  EXPECT_EQ(started_, strings{});
}

TEST_F(fetcher_test, knows_the_brokers_clock_and_since_when_the_lease_serves) {
  pass(1234ms);
  const auto first = broker_.now();
  auto& f = fetch();
  EXPECT_EQ(lease().since, first);
  EXPECT_EQ(broker_time_.now(), first);
  pass(10s);
  f.work_ready(lease());
  loop_.run_ready();
  EXPECT_EQ(lease().since, first);
}

TEST_F(fetcher_test, starts_what_is_pushed) {
  push(fetch(), "a");
  EXPECT_EQ(started_, strings{"a"});
}

TEST_F(fetcher_test, what_is_pushed_under_another_lease_is_other_workers) {
  push(fetch(), "a", "earlier");
  loop_.run_ready();
  EXPECT_EQ(started_, strings{});
  EXPECT_TRUE(broker_.settled().empty());
}

TEST_F(fetcher_test, what_is_pushed_during_a_claim_waits_for_its_answer) {
  put({"a", "b", "c", "d", "e"});
  broker_.stall(operation::claim);
  auto& f = fetch();
  push(f, "pushed");
  EXPECT_EQ(started_, strings{});
  broker_.resume(operation::claim);
  loop_.run_ready();
  // The claim took all slots.
  EXPECT_EQ(started_, (strings{"a", "b", "c", "d", "e"}));
  EXPECT_EQ(state_of("pushed"), job_state::queued);
  // That has ended the broker's promise: it is asked again when a slot is free.
  slots_.job_ended();
  f.wake();
  loop_.run_ready();
  EXPECT_EQ(started_.back(), "pushed");
}

// A claim asks for all slots that are free when it begins, of whichever queue.
class fetcher_of_two_queues : public fetcher_test {
 protected:
  fetcher_of_two_queues() : fetcher_test({"default", "other"}) {
    hold(leases_[1], "other_token");
    start(settler_.run(leases_[1]));
  }
  /// A claim of the first queue, which has these jobs, is under way when the second pushes one.
  fetcher& push_during_a_claim(const strings& ids) {
    auto& f = fetch();
    put(ids);
    broker_.stall(operation::claim);
    f.work_ready(lease());
    loop_.run_ready();
    auto pushed = queued("pushed");
    pushed.state = job_state::running;
    pushed.holder = "other_token";
    broker_.put("other", std::move(pushed));
    push_to(leases_[1], f, "pushed", "other_token");
    return f;
  }
};

TEST_F(fetcher_of_two_queues, what_one_pushes_during_a_claim_of_the_other_waits_for_its_answer) {
  auto& f = push_during_a_claim({"a", "b", "c", "d", "e"});
  EXPECT_EQ(started_, strings{});
  broker_.resume(operation::claim);
  loop_.run_ready();
  EXPECT_EQ(started_, (strings{"a", "b", "c", "d", "e"}));
  EXPECT_EQ(broker_.at("other", "pushed").state, job_state::queued);
  slots_.job_ended();
  f.wake();
  loop_.run_ready();
  EXPECT_EQ(started_.back(), "pushed");
}

TEST_F(fetcher_of_two_queues, what_one_pushes_starts_though_the_lease_of_the_others_claim_is_lost) {
  push_during_a_claim({});
  lease().lease.token = "later";
  broker_.resume(operation::claim);
  loop_.run_ready();
  EXPECT_EQ(started_, strings{"pushed"});
}

TEST_F(fetcher_test, what_is_pushed_after_a_stop_is_handed_back) {
  auto& f = fetch();
  f.stop();
  push(f, "a");
  loop_.run_ready();
  EXPECT_EQ(started_, strings{});
  EXPECT_EQ(state_of("a"), job_state::queued);
}

TEST_F(fetcher_test, what_was_pushed_when_the_lease_was_lost_is_forgotten) {
  broker_.stall(operation::claim);
  auto& f = fetch();
  push(f, "a");
  f.lease_lost(lease());
  broker_.resume(operation::claim);
  loop_.run_ready();
  EXPECT_EQ(started_, strings{});
}

TEST_F(fetcher_test, after_a_reconnection_it_hands_back_what_never_arrived) {
  auto& f = fetch();
  put_held("known");
  put_held("unknown");
  known_ = {"known"};
  f.reconnected();
  loop_.run_ready();
  ASSERT_EQ(broker_.count(operation::reconcile), 1u);
  EXPECT_EQ(broker_.calls(operation::reconcile)[0].ids, strings{"known"});
  EXPECT_EQ(state_of("known"), job_state::running);
  // It is claimed right afterwards.
  EXPECT_EQ(started_, strings{"unknown"});
}

TEST_F(fetcher_test, no_claim_is_under_way_while_it_reconciles) {
  broker_.stall(operation::claim);
  auto& f = fetch();
  f.reconnected();
  loop_.run_ready();
  EXPECT_EQ(broker_.count(operation::reconcile), 0u);
  broker_.stall(operation::reconcile);
  broker_.resume(operation::claim);
  loop_.run_ready();
  EXPECT_EQ(broker_.count(operation::reconcile), 1u);
  EXPECT_EQ(claims().size(), 1u);
  broker_.resume(operation::reconcile);
  loop_.run_ready();
  EXPECT_EQ(claims().size(), 2u);
}

TEST_F(fetcher_test, what_is_pushed_before_it_has_reconciled_is_dropped) {
  broker_.stall(operation::reconcile);
  auto& f = fetch();
  f.reconnected();
  push(f, "before");
  loop_.run_ready();
  push(f, "during");
  EXPECT_EQ(started_, strings{});
  broker_.resume(operation::reconcile);
  loop_.run_ready();
  // Both were unknown, and so are back in the queue and claimed.
  EXPECT_EQ(std::set<std::string>(started_.begin(), started_.end()),
            (std::set<std::string>{"before", "during"}));
  EXPECT_EQ(started_.size(), 2u);
}

TEST_F(fetcher_test, reconciles_again_after_an_error) {
  auto& f = fetch();
  broker_.fail(operation::reconcile);
  f.reconnected();
  loop_.run_ready();
  EXPECT_EQ(broker_.count(operation::reconcile), 1u);
  EXPECT_EQ(failures_, 1);
  pass(500ms);
  EXPECT_EQ(broker_.count(operation::reconcile), 2u);
  pass(10s);
  EXPECT_EQ(broker_.count(operation::reconcile), 2u);
}

TEST_F(fetcher_test, what_a_failed_claim_has_put_under_the_lease_is_handed_back_and_claimed_again) {
  put({"a", "b"});
  broker_.lose_answer_to_claim();
  fetch();
  EXPECT_EQ(started_, strings{});
  EXPECT_EQ(state_of("a"), job_state::queued);
  pass(settler::pause_after_error);
  EXPECT_EQ(std::set<std::string>(started_.begin(), started_.end()), (std::set<std::string>{"a", "b"}));
  EXPECT_EQ(claims().size(), 2u);
}

TEST_F(fetcher_test, claims_nothing_while_ends_are_not_recorded) {
  broker_.stall(operation::settle);
  auto& f = fetch();
  for (int i = 0; i < 10; ++i) {
    const auto id = "other" + std::to_string(i);
    settler_.hand_back(lease(), id);
  }
  put({"a"});
  f.work_ready(lease());
  pass(10min);
  EXPECT_EQ(started_, strings{});
  push(f, "pushed");
  EXPECT_EQ(started_, strings{});
  broker_.resume(operation::settle);
  loop_.run_ready();
  f.wake();
  loop_.run_ready();
  EXPECT_EQ(std::set<std::string>(started_.begin(), started_.end()), (std::set<std::string>{"a", "pushed"}));
}

TEST_F(fetcher_test, a_push_that_was_long_on_its_way_does_not_set_the_clock_back) {
  auto& f = fetch();
  const auto sent = broker_.now();
  pass(4s);
  put_held("a");
  broker::claimed_job job;
  job.id = "a";
  f.job_pushed(lease(), "token", std::move(job), sent);
  EXPECT_EQ(broker_time_.now(), broker_.now());
  EXPECT_EQ(claimed_at_, broker_.now());
}

TEST_F(fetcher_test, a_burst_ends_when_nothing_is_queued_and_nothing_runs) {
  put({"a"});
  make(true);
  auto& f = fetch();
  EXPECT_FALSE(f.is_stopped());
  slots_.job_ended();
  is_idle_ = true;
  f.wake();
  loop_.run_ready();
  EXPECT_TRUE(f.is_stopped());
  EXPECT_EQ(started_, strings{"a"});
}

TEST_F(fetcher_test, ends_when_as_many_jobs_were_started_as_may_be) {
  slots_ = workers::slot_table(5, 2);
  slots_.set_limit(level::loop, 5);
  put({"a", "b", "c"});
  const auto& f = fetch();
  EXPECT_TRUE(f.is_stopped());
  EXPECT_EQ(started_, (strings{"a", "b"}));
  EXPECT_EQ(state_of("c"), job_state::queued);
}

}  // namespace
}  // namespace quarq::test::fetcher_tests
