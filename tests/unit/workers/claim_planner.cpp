#include "workers/claim_planner.hpp"

#include <gtest/gtest.h>

namespace quarq::test::claim_planner_tests {
namespace {

using namespace std::chrono_literals;
using workers::claim_planner;
using step = claim_planner::step;

constexpr claim_planner::time_point start{1h};

workers::queue_leases leases_of(std::vector<int> weights) {
  workers::queue_leases leases;
  for (const int weight : weights) {
    workers::queue_lease l;
    l.index = leases.size();
    l.served = {"queue" + std::to_string(l.index), weight};
    l.lease = {l.served.name, "token"};
    leases.push_back(std::move(l));
  }
  return leases;
}

const claim_planner::claim* claim_in(const step& s) {
  return std::get_if<claim_planner::claim>(&s);
}

class claim_planner_test : public testing::Test {
 protected:
  void serve(std::vector<int> weights, bool burst = false) {
    leases = leases_of(std::move(weights));
    planner = claim_planner(leases.size(), burst);
  }

  step next() { return planner.next(now, leases, random); }
  /// The next step as text: "claim 0 10", "wait 60000", "wait for a slot", "done".
  std::string said() {
    const auto s = next();
    if (const auto* c = claim_in(s)) {
      asked = c->max;
      return "claim " + std::to_string(c->queue) + " " + std::to_string(c->max);
    }
    const auto* w = std::get_if<claim_planner::wait>(&s);
    if (w == nullptr) return "done";
    if (!w->until) return "wait for a slot";
    return "wait " +
           std::to_string(std::chrono::duration_cast<workers::milliseconds>(*w->until - now.now).count());
  }
  void answer(std::size_t got, std::optional<workers::milliseconds> next_due = std::nullopt) {
    planner.claimed(0, now.now, got == asked, next_due);
  }

  workers::queue_leases leases = leases_of({1});
  claim_planner planner{1, false};
  claim_planner::situation now{start, 10, false, false};
  std::mt19937_64 random{1};
  std::size_t asked = 0;
};

TEST_F(claim_planner_test, asks_for_as_many_jobs_as_there_are_slots) {
  EXPECT_EQ(said(), "claim 0 10");
}

TEST_F(claim_planner_test, asks_for_no_more_than_a_batch) {
  now.room = 1'000;
  EXPECT_EQ(said(), "claim 0 256");
}

TEST_F(claim_planner_test, waits_for_a_slot_when_there_is_none) {
  now.room = 0;
  EXPECT_EQ(said(), "wait for a slot");
  now.room = 1;
  EXPECT_EQ(said(), "claim 0 1");
}

TEST_F(claim_planner_test, asks_again_at_once_after_a_full_claim) {
  EXPECT_EQ(said(), "claim 0 10");
  answer(10);
  EXPECT_EQ(said(), "claim 0 10");
}

TEST_F(claim_planner_test, leaves_a_queue_alone_that_has_promised_to_tell_of_jobs) {
  said();
  answer(3);
  EXPECT_EQ(said(), "wait 60000");
  now.now += 59'999ms;
  EXPECT_EQ(said(), "wait 1");
  now.now += 1ms;
  EXPECT_EQ(said(), "claim 0 10");
}

TEST_F(claim_planner_test, asks_again_when_the_next_deferred_job_is_due) {
  said();
  answer(0, 40ms);
  EXPECT_EQ(said(), "wait 40");
  now.now += 40ms;
  EXPECT_EQ(said(), "claim 0 10");
  answer(0, std::chrono::hours(2));
  EXPECT_EQ(said(), "wait 60000");
}

TEST_F(claim_planner_test, asks_again_when_it_is_told_of_jobs) {
  said();
  answer(0);
  EXPECT_EQ(said(), "wait 60000");
  planner.work_ready(0);
  EXPECT_EQ(said(), "claim 0 10");
}

TEST_F(claim_planner_test, asks_again_when_it_was_told_of_jobs_during_the_claim) {
  said();
  planner.work_ready(0);
  answer(0);
  EXPECT_EQ(said(), "claim 0 10");
}

TEST_F(claim_planner_test, after_an_error_it_waits_for_a_while) {
  said();
  planner.failed(0, now.now, 500ms);
  EXPECT_EQ(said(), "wait 500");
  now.now += 500ms;
  EXPECT_EQ(said(), "claim 0 10");
}

TEST_F(claim_planner_test, a_queue_may_be_left_to_others_for_a_while) {
  planner.leave_until(0, now.now + 200ms);
  EXPECT_EQ(said(), "wait 200");
}

TEST_F(claim_planner_test, a_queue_that_is_left_to_others_is_not_asked_before_whatever_it_tells) {
  planner.leave_until(0, now.now + 600ms);
  planner.work_ready(0);
  EXPECT_EQ(said(), "wait 600");
  now.now += 600ms;
  EXPECT_EQ(said(), "claim 0 10");
}

TEST_F(claim_planner_test, does_not_ask_under_a_lease_that_may_have_run_out) {
  leases[0].sure_until = start + 7s;
  now.now += 8s;
  EXPECT_EQ(said(), "wait 60000");
  leases[0].sure_until = start + 14s;
  EXPECT_EQ(said(), "claim 0 10");
}

TEST_F(claim_planner_test, the_promise_of_a_queue_whose_lease_is_lost_is_not_waited_for) {
  said();
  answer(0, 40ms);
  now.now += 50ms;
  leases[0].lease.token.clear();
  EXPECT_EQ(said(), "wait 60000");
}

TEST_F(claim_planner_test, a_burst_is_not_over_while_a_lease_is_lost) {
  serve({1}, true);
  now.is_idle = true;
  leases[0].lease.token.clear();
  EXPECT_EQ(said(), "wait 60000");
  leases[0].lease.token = "another";
  EXPECT_EQ(said(), "claim 0 10");
  answer(0);
  EXPECT_EQ(said(), "done");
}

TEST_F(claim_planner_test, a_burst_can_wait_for_deferred_jobs) {
  planner = claim_planner(1, true, true);
  now.is_idle = true;
  EXPECT_EQ(said(), "claim 0 10");
  answer(0, 40ms);
  EXPECT_EQ(said(), "wait 40");
  now.now += 40ms;
  EXPECT_EQ(said(), "claim 0 10");
  answer(1);
  EXPECT_EQ(said(), "done");
}

TEST_F(claim_planner_test, does_not_ask_under_a_lease_that_it_does_not_hold) {
  leases[0].lease.token.clear();
  EXPECT_EQ(said(), "wait 60000");
  leases[0].lease.token = "another";
  EXPECT_EQ(said(), "claim 0 10");
}

TEST_F(claim_planner_test, a_claim_under_a_lost_lease_leaves_no_promise) {
  said();
  EXPECT_TRUE(planner.is_claiming());
  planner.lost();
  EXPECT_FALSE(planner.is_claiming());
  EXPECT_EQ(said(), "wait 60000");
  EXPECT_EQ(said(), "claim 0 10");
}

TEST_F(claim_planner_test, a_burst_ends_when_a_pass_brings_nothing_and_the_worker_is_idle) {
  serve({1}, true);
  EXPECT_EQ(said(), "claim 0 10");
  answer(10);
  EXPECT_EQ(said(), "claim 0 10");
  answer(3);
  EXPECT_EQ(said(), "wait 60000");  // for what runs
  now.is_idle = true;
  // Only a claim can say whether it is over: what ran may have brought new jobs.
  EXPECT_EQ(said(), "claim 0 10");
  answer(0);
  EXPECT_EQ(said(), "done");
}

TEST_F(claim_planner_test, ends_when_as_many_jobs_were_started_as_may_be) {
  said();
  answer(10);
  now.is_spent = true;
  now.room = 0;
  EXPECT_EQ(said(), "done");
}

TEST_F(claim_planner_test, ends_when_it_is_stopped) {
  said();
  answer(10);
  planner.stop();
  EXPECT_EQ(said(), "done");
}

TEST_F(claim_planner_test, asks_each_queue_once_in_a_pass) {
  serve({1, 1, 1});
  std::vector<int> times(3);
  for (int i = 0; i < 3; ++i) {
    const auto s = next();
    const auto* c = claim_in(s);
    ASSERT_NE(c, nullptr);
    ++times[c->queue];
    planner.claimed(c->queue, now.now, false, std::nullopt);
  }
  EXPECT_EQ(times, (std::vector<int>{1, 1, 1}));
  EXPECT_EQ(said(), "wait 60000");
}

TEST_F(claim_planner_test, asks_the_next_queue_for_the_slots_that_are_left) {
  serve({1, 1});
  const auto first = next();
  ASSERT_NE(claim_in(first), nullptr);
  EXPECT_EQ(claim_in(first)->max, 10u);
  planner.claimed(claim_in(first)->queue, now.now, false, std::nullopt);
  now.room = 4;
  const auto second = next();
  ASSERT_NE(claim_in(second), nullptr);
  EXPECT_EQ(claim_in(second)->max, 4u);
  EXPECT_NE(claim_in(second)->queue, claim_in(first)->queue);
}

TEST_F(claim_planner_test, waits_for_the_earliest_promise_of_all_queues) {
  serve({1, 1});
  for (int i = 0; i < 2; ++i) {
    const auto s = next();
    const auto queue = claim_in(s)->queue;
    planner.claimed(queue, now.now, false, queue == 0 ? 700ms : 300ms);
  }
  EXPECT_EQ(said(), "wait 300");
}

TEST_F(claim_planner_test, a_queues_chance_to_be_asked_first_is_its_weight) {
  serve({3, 1});
  now.room = 1;
  constexpr int passes = 4'000;
  int heavier_first = 0;
  for (int i = 0; i < passes; ++i) {
    const auto s = next();
    const auto* c = claim_in(s);
    ASSERT_NE(c, nullptr);
    if (c->queue == 0) ++heavier_first;
    planner.claimed(c->queue, now.now, true, std::nullopt);
    // The slot was taken: the pass is over. Then it is free again.
    now.room = 0;
    EXPECT_EQ(said(), "wait for a slot");
    now.room = 1;
  }
  EXPECT_NEAR(heavier_first, passes * 3 / 4, 150);
}

}  // namespace
}  // namespace quarq::test::claim_planner_tests
