// Leases: the fence round running jobs, and how a lost worker's jobs come back, on every broker.
#include <algorithm>
#include <map>

#include <quarq/errors.hpp>

#include "integration/broker_conformance.hpp"

namespace quarq::test::broker_leases_tests {

namespace {

/// Renews `other` until the job whose lease has run out comes to it.
awaitable<claimed_job> take_over(const worker_end& other) {
  const auto deadline = std::chrono::steady_clock::now() + default_timeout;
  while (std::chrono::steady_clock::now() < deadline) {
    auto answer = co_await renew(other);
    EXPECT_TRUE(answer.held);
    auto claimed = co_await other.store->claim(other.held, 1);
    if (!claimed.jobs.empty()) co_return claimed.jobs[0];
    co_await sleep_for(5ms);
  }
  throw std::runtime_error("the job did not come back");
}

awaitable<int> tries_after_claim(const worker_end& worker) {
  auto claimed = co_await worker.store->claim(worker.held, 1);
  EXPECT_EQ(claimed.jobs.size(), 1u);
  const int attempts = claimed.jobs.empty() ? -1 : claimed.jobs[0].attempts;
  co_return attempts;
}

}  // namespace

// ---- a lease that ran out

BROKER_TEST(the_jobs_of_a_lease_that_ran_out_go_to_others_and_its_holder_is_refused) {
  auto store = place.open(loop);
  auto elsewhere = place.open_apart(loop);
  co_await enqueue_ids(*store, "q", strings(1, "job"));
  auto zombie = co_await new_worker(store, "q", 40ms);
  auto ids = co_await claim_ids(zombie, 1);
  EXPECT_EQ(ids, strings(1, "job"));

  // For a second: who comes when no lease is left gives those that ran out as much as its own, on arq's keys.
  auto other = co_await new_worker(elsewhere, "q", 1s);
  auto again = co_await take_over(other);
  EXPECT_EQ(again.id, "job");
  EXPECT_EQ(said_in_record(again.record), "record of job");
  EXPECT_EQ(again.attempts, 1);
  EXPECT_EQ(again.losses, 1);

  const bool held = co_await settle_one(zombie, end("job", job_state::succeeded, "the zombie's", 1h));
  EXPECT_FALSE(held);
  const bool put_off = co_await settle_one(zombie, retry_after("job", 1h));
  EXPECT_FALSE(put_off);
  const bool handed_back = co_await settle_one(zombie, hand_back("job"));
  EXPECT_FALSE(handed_back);
  auto details = co_await store->inspect("q", "job");
  EXPECT_TRUE(details && details->state == job_state::running && details->holder == other.held.token);

  auto text = co_await error_of<broker_error>(store->claim(zombie.held, 1));
  EXPECT_NE(text.find("lease"), std::string::npos) << text;
  auto answer = co_await renew(zombie);
  EXPECT_FALSE(answer.held);

  const bool ended = co_await settle_one(other, end("job", job_state::succeeded, "the second's", 1h));
  EXPECT_TRUE(ended);
  auto outcome = co_await store->wait_ended("q", "job");
  EXPECT_TRUE(outcome && said_in_outcome(outcome->outcome) == "the second's");
}

BROKER_TEST(a_lease_that_ran_out_but_was_not_taken_away_is_revived_by_its_renewal) {
  auto store = place.open(loop);
  auto worker = co_await new_worker(store, "q", 10ms);
  co_await enqueue_ids(*store, "q", strings(1, "job"));
  co_await claim_ids(worker, 1);
  co_await until_run_out(10ms);
  auto answer = co_await renew(worker);
  EXPECT_TRUE(answer.held);
  auto other = co_await new_worker(store, "q");
  co_await renew(other);
  auto ids = co_await claim_ids(other, 1);
  EXPECT_TRUE(ids.empty());
  const bool held = co_await settle_one(worker, end("job"));
  EXPECT_TRUE(held);
}

BROKER_TEST(a_running_job_to_be_cancelled_whose_worker_is_lost_ends_cancelled) {
  auto store = place.open(loop);
  auto elsewhere = place.open_apart(loop);
  co_await enqueue_ids(*store, "q", strings(1, "job"));
  auto lost = co_await new_worker(elsewhere, "q", 300ms);
  co_await claim_ids(lost, 1);
  auto waiting = start_waiting(loop, store, "q", "job");
  auto answer = co_await cancel(*store, "q", "job", "why", 1h);
  EXPECT_EQ(answer, cancel_result::requested);
  auto other = co_await new_worker(store, "q", 1s);  // as above
  const auto deadline = std::chrono::steady_clock::now() + default_timeout;
  while (!waiting->over && std::chrono::steady_clock::now() < deadline) {
    co_await renew(other);
    auto ids = co_await claim_ids(other, 1);
    EXPECT_TRUE(ids.empty());
    co_await sleep_for(5ms);
  }
  EXPECT_TRUE(waiting->outcome && waiting->outcome->state == job_state::cancelled);
  EXPECT_TRUE(waiting->outcome && said_in_outcome(waiting->outcome->outcome) == "why");
  auto kept = co_await store->wait_ended("q", "job");
  EXPECT_TRUE(kept && kept->state == job_state::cancelled && said_in_outcome(kept->outcome) == "why");
  auto same_id = co_await enqueue_one(*store, "q", job_named("job"));
  EXPECT_EQ(same_id, accepted::duplicate);
}

BROKER_TEST(an_unknown_lease_holds_nothing) {
  auto store = place.open(loop);
  lease unknown;
  unknown.queue = "q";
  unknown.token = "never opened";
  auto text = co_await error_of<broker_error>(store->claim(unknown, 1));
  EXPECT_NE(text.find("lease"), std::string::npos) << text;
  auto answer = co_await store->renew(unknown, lease_options());
  EXPECT_FALSE(answer.held);
  co_await store->close_lease(unknown);
  co_await store->reconcile(unknown, strings());
}

BROKER_TEST(a_worker_settles_only_what_it_holds) {
  auto store = place.open(loop);
  co_await enqueue_ids(*store, "q", strings(1, "mine"));
  auto worker = co_await new_worker(store, "q");
  co_await claim_ids(worker, 1);
  co_await enqueue_ids(*store, "q", strings(1, "others"));
  auto other = co_await new_worker(store, "q");
  co_await claim_ids(other, 1);
  co_await enqueue_ids(*store, "q", strings(1, "queued"));
  std::vector<settlement> batch;
  for (const char* id : {"others", "mine", "queued", "nobody's", "mine"}) batch.push_back(end(id));
  auto held = co_await store->settle(worker.held, batch);
  const std::vector<bool> expected = {false, true, false, false, false};
  EXPECT_EQ(held, expected);
  auto others = co_await state_of(*store, "q", "others");
  EXPECT_TRUE(others == job_state::running);
  auto queued = co_await state_of(*store, "q", "queued");
  EXPECT_TRUE(queued == job_state::queued);
}

// ---- giving back

BROKER_TEST(a_job_handed_back_goes_before_the_others_of_its_priority) {
  auto store = place.open(loop);
  auto worker = co_await new_worker(store, "q");
  const strings first = {"a", "b", "c"};
  co_await enqueue_ids(*store, "q", first);
  co_await claim_ids(worker, 2);
  const strings more = {"d", "e"};
  co_await enqueue_ids(*store, "q", more);
  strings expected = {"b", "c", "d", "e"};
  if (place.powers().priorities) {
    co_await enqueue_one(*store, "q", job_named("urgent", 6));
    expected.insert(expected.begin(), "urgent");
  }
  const bool held = co_await settle_one(worker, hand_back("b"));
  EXPECT_TRUE(held);
  auto ids = co_await claim_ids(worker, 10);
  EXPECT_EQ(ids, expected);
}

BROKER_TEST(jobs_that_are_handed_back_together_keep_their_order) {
  auto store = place.open(loop);
  auto worker = co_await new_worker(store, "q");
  const strings ids = {"c", "a", "d", "b"};
  for (const auto& id : ids) co_await enqueue_ids(*store, "q", strings(1, id));
  co_await claim_until(worker, 3);
  std::vector<settlement> batch;
  for (const char* id : {"c", "a", "d"}) batch.push_back(hand_back(id));
  co_await store->settle(worker.held, batch);
  auto again = co_await claim_ids(worker, 10);
  EXPECT_EQ(again, ids);
}

BROKER_TEST(closing_a_lease_gives_its_jobs_back_at_once_and_uncounted) {
  auto store = place.open(loop);
  auto worker = co_await new_worker(store, "q");
  const strings ids = {"a", "b"};
  co_await enqueue_ids(*store, "q", ids);
  co_await claim_ids(worker, 10);
  auto other = co_await new_worker(store, "q");
  auto none = co_await claim_ids(other, 10);
  EXPECT_TRUE(none.empty());
  const int before = other.heard->work_ready;
  co_await store->close_lease(worker.held);
  auto rung = [&] { return other.heard->work_ready > before; };
  co_await until(rung);
  auto claimed = co_await store->claim(other.held, 10);
  EXPECT_EQ(claimed.jobs.size(), 2u);
  for (const auto& one : claimed.jobs) EXPECT_EQ(one.attempts, 1) << one.id;
  const bool held = co_await settle_one(worker, end("a"));
  EXPECT_FALSE(held);
  auto text = co_await error_of<broker_error>(store->claim(worker.held, 1));
  EXPECT_NE(text.find("lease"), std::string::npos) << text;
}

BROKER_TEST(reconciling_gives_back_what_the_worker_does_not_know_of) {
  auto store = place.open(loop);
  auto worker = co_await new_worker(store, "q");
  const strings ids = {"a", "b", "c"};
  co_await enqueue_ids(*store, "q", ids);
  co_await claim_ids(worker, 10);
  const strings known = {"b", "never heard of"};
  co_await store->reconcile(worker.held, known);
  auto other = co_await new_worker(store, "q");
  auto claimed = co_await store->claim(other.held, 10);
  EXPECT_EQ(claimed.jobs.size(), 2u);
  for (const auto& one : claimed.jobs) {
    EXPECT_NE(one.id, "b");
    EXPECT_EQ(one.attempts, 1);
  }
  const bool held = co_await settle_one(worker, end("b"));
  EXPECT_TRUE(held);
}

// ---- counting

BROKER_TEST(retries_count_as_attempts_lost_leases_as_losses_and_handing_back_as_neither) {
  auto store = place.open(loop);
  co_await enqueue_ids(*store, "q", strings(1, "job"));
  auto worker = co_await new_worker(store, "q");
  int attempts = co_await tries_after_claim(worker);
  EXPECT_EQ(attempts, 1);
  co_await settle_one(worker, hand_back("job"));
  attempts = co_await tries_after_claim(worker);
  EXPECT_EQ(attempts, 1);
  co_await settle_one(worker, retry_after("job", 0ms));
  attempts = co_await tries_after_claim(worker);
  EXPECT_EQ(attempts, 2);
  co_await settle_one(worker, hand_back("job"));
  auto short_lived = co_await new_worker(store, "q", 20ms);
  attempts = co_await tries_after_claim(short_lived);
  EXPECT_EQ(attempts, 2);
  auto again = co_await take_over(worker);
  EXPECT_EQ(again.attempts, 2);
  EXPECT_EQ(again.losses, 1);
  auto running = co_await store->inspect("q", "job");
  EXPECT_TRUE(running && running->attempts == 2 && running->losses == 1);
  co_await settle_one(worker, retry_after("job", 0ms));
  auto third = co_await claim_until(worker, 1);
  EXPECT_EQ(third.at(0).attempts, 3);
  EXPECT_EQ(third.at(0).losses, 1);
  co_await settle_one(worker, end("job", job_state::dead, "why"));
  co_await store->requeue("q", strings(1, "job"));
  auto anew = co_await store->claim(worker.held, 1);
  EXPECT_EQ(anew.jobs.at(0).attempts, 1);
  EXPECT_EQ(anew.jobs.at(0).losses, 0);
}

BROKER_TEST(what_is_known_of_a_jobs_losses_goes_with_it) {
  auto store = place.open(loop);
  auto worker = co_await new_worker(store, "q");
  for (int i = 0; i < 2; ++i) {
    co_await enqueue_ids(*store, "q", strings(1, "job"));
    auto short_lived = co_await new_worker(store, "q", 20ms);
    auto first = co_await store->claim(short_lived.held, 1);
    EXPECT_EQ(first.jobs.at(0).losses, 0);
    auto again = co_await take_over(worker);
    EXPECT_EQ(again.losses, 1);
    co_await settle_one(worker, end("job", job_state::succeeded, "done"));
  }
}

// ---- jobs of which the worker says when they begin

BROKER_TEST(what_was_lost_before_counts_as_lost_only_when_it_has_begun) {
  auto store = place.open(loop);
  auto worker = co_await new_worker(store, "q", 1s);
  co_await enqueue_ids(*store, "q", strings(1, "job"));
  struct round {
    bool begins;
    int losses;
  };
  for (const auto& [begins, losses] : {round{false, 1}, {false, 1}, {false, 1}, {true, 2}, {false, 2}}) {
    auto lost = co_await new_worker(store, "q", 20ms, 1);
    auto claimed = co_await lost.store->claim(lost.held, 1);
    EXPECT_EQ(claimed.jobs.size(), 1u);
    if (begins) {
      const bool held = co_await settle_one(lost, begin("job"));
      EXPECT_TRUE(held);
    }
    auto again = co_await take_over(worker);
    EXPECT_EQ(again.losses, losses);
    EXPECT_EQ(again.attempts, 1);
    co_await settle_one(worker, hand_back("job"));
  }
}

BROKER_TEST(where_the_worker_says_so_of_each_job_no_job_begins_with_its_claim) {
  auto store = place.open(loop);
  auto worker = co_await new_worker(store, "q", 1s);
  const strings ids = {"a", "b", "c"};
  co_await enqueue_ids(*store, "q", ids);
  auto lost = co_await new_worker(store, "q", 20ms, 0);
  co_await claim_until(lost, 3);
  std::vector<settlement> batch;
  batch.push_back(begin("a"));
  batch.push_back(end("b"));
  batch.push_back(begin("nobody's"));
  auto held = co_await store->settle(lost.held, batch);
  EXPECT_EQ(held, (std::vector<bool>{true, true, false}));
  std::map<std::string, int> losses;
  for (int i = 0; i < 2; ++i) {
    auto again = co_await take_over(worker);
    losses[again.id] = again.losses;
  }
  const std::map<std::string, int> expected = {{"a", 1}, {"c", 0}};
  EXPECT_EQ(losses, expected);
  const bool not_its = co_await settle_one(lost, begin("a"));
  EXPECT_FALSE(not_its);
}

BROKER_TEST(a_job_has_to_begin_again_in_each_try) {
  auto store = place.open(loop);
  auto worker = co_await new_worker(store, "q", 1s);
  co_await enqueue_ids(*store, "q", strings(1, "job"));
  auto lost = co_await new_worker(store, "q", 1s, 0);
  co_await claim_ids(lost, 1);
  co_await settle_one(lost, begin("job"));
  const bool held = co_await settle_one(lost, begin("job"));
  EXPECT_TRUE(held) << "as if its answer had been lost";
  co_await settle_one(lost, retry_after("job", 1ms));
  co_await claim_until(lost, 1);
  auto again = co_await take_over(worker);
  EXPECT_EQ(again.losses, 0);
  EXPECT_EQ(again.attempts, 2);
  const bool ended = co_await settle_one(worker, end("job"));
  EXPECT_TRUE(ended);
}

BROKER_TEST(a_job_that_has_begun_and_is_to_be_cancelled_stays_held) {
  auto store = place.open(loop);
  co_await enqueue_ids(*store, "q", strings(1, "job"));
  auto worker = co_await new_worker(store, "q", 60s, 0);
  co_await claim_ids(worker, 1);
  co_await cancel(*store, "q", "job", "why", 1h);
  const bool held = co_await settle_one(worker, begin("job"));
  EXPECT_TRUE(held);
  auto state = co_await state_of(*store, "q", "job");
  EXPECT_TRUE(state == job_state::running);
  const bool ended = co_await settle_one(worker, end("job", job_state::succeeded, "done", 1h));
  EXPECT_TRUE(ended);
}

BROKER_TEST(what_is_handed_back_with_a_delay_waits_for_it_and_is_not_counted) {
  auto store = place.open(loop);
  co_await enqueue_ids(*store, "q", strings(1, "job"));
  auto worker = co_await new_worker(store, "q");
  co_await store->claim(worker.held, 1);
  auto later = hand_back("job");
  later.delay = 1s;
  const bool held = co_await settle_one(worker, later);
  EXPECT_TRUE(held);
  auto waits = co_await store->inspect("q", "job");
  EXPECT_EQ(waits->state, job_state::deferred);
  EXPECT_EQ(waits->attempts, 0);
  auto again = co_await claim_until(worker, 1);
  EXPECT_EQ(again.at(0).id, "job");
  EXPECT_EQ(again.at(0).attempts, 1);
  EXPECT_EQ(again.at(0).losses, 0);
}

BROKER_TEST(a_retry_waits_for_its_delay) {
  auto store = place.open(loop);
  co_await enqueue_ids(*store, "q", strings(1, "job"));
  auto worker = co_await new_worker(store, "q");
  auto first = co_await store->claim(worker.held, 1);
  co_await settle_one(worker, retry_after("job", 1s));
  auto state = co_await state_of(*store, "q", "job");
  EXPECT_TRUE(state == job_state::deferred);
  auto early = co_await store->claim(worker.held, 1);
  EXPECT_TRUE(early.jobs.empty());
  EXPECT_GT(early.next_due.value_or(0ms), 0ms);
  EXPECT_LE(early.next_due.value_or(1h), 1s);
  auto second = co_await claim_until(worker, 1);
  EXPECT_EQ(second.at(0).attempts, 2);
  // When it was first due is its own, whatever became of its tries.
  EXPECT_EQ(second.at(0).due_at, first.jobs.at(0).due_at);
  EXPECT_EQ(second.at(0).enqueued_at, first.jobs.at(0).enqueued_at);
}

}  // namespace quarq::test::broker_leases_tests
