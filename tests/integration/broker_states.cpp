// The table of allowed changes (quarq::may_change), against every broker.
#include <quarq/errors.hpp>
#include <quarq/job_state.hpp>

#include "integration/broker_conformance.hpp"

namespace quarq::test::broker_states_tests {

namespace {

constexpr job_state every_state[] = {job_state::queued,    job_state::deferred, job_state::running,
                                     job_state::succeeded, job_state::failed,   job_state::cancelled,
                                     job_state::expired,   job_state::dead};

std::string name_of(job_state state) {
  return "state " + std::to_string(static_cast<int>(state));
}

/// Enqueues the job and takes it to `state`. What has ended is kept, so that one can see that it stays.
awaitable<void> bring_to(job_state state, const worker_end& worker, std::string id = "job") {
  auto fresh = job_named(id);
  if (state == job_state::deferred) fresh.delay = 1h;
  co_await enqueue_one(*worker.store, worker.held.queue, fresh);
  if (state == job_state::queued || state == job_state::deferred) co_return;
  co_await claim_ids(worker, 1);
  if (state == job_state::running) co_return;
  co_await settle_one(worker, end(id, state, "outcome", 1h));
}

/// Does all that could take the job to `state`.
awaitable<void> try_to_bring_to(job_state state, const worker_end& worker, std::string id = "job") {
  const auto& queue = worker.held.queue;
  if (state == job_state::queued) {
    co_await settle_one(worker, hand_back(id));
    co_await worker.store->requeue(queue, strings(1, id));
  } else if (state == job_state::deferred) {
    co_await settle_one(worker, retry_after(id, 1h));
  } else if (state == job_state::running) {
    co_await claim_ids(worker, 1);
  } else {
    co_await settle_one(worker, end(id, state, "another outcome", 1h));
  }
}

}  // namespace

BROKER_TEST(settle_claim_and_requeue_make_the_allowed_changes_and_no_others) {
  auto store = place.open(loop);
  int number = 0;
  for (const auto from : every_state) {
    for (const auto to : every_state) {
      // These two are not in the hands of workers or operators: one is a matter of time, one of cancel().
      if (from == job_state::deferred && to == job_state::queued) continue;
      if (!is_final(from) && from != job_state::running && to == job_state::cancelled) continue;
      const auto id = "job" + std::to_string(++number);
      auto worker = co_await new_worker(store, "q" + std::to_string(number));
      co_await bring_to(from, worker, id);
      auto state = co_await state_of(*store, worker.held.queue, id);
      EXPECT_TRUE(state == from) << "could not bring a job to " << name_of(from);
      co_await try_to_bring_to(to, worker, id);
      state = co_await state_of(*store, worker.held.queue, id);
      const auto expected = may_change(from, to) ? to : from;
      EXPECT_TRUE(state == expected) << name_of(from) << " to " << name_of(to) << " ended in "
                                     << (state ? name_of(*state) : "nothing");
    }
  }
}

BROKER_TEST(an_end_does_not_change_and_keeps_its_outcome) {
  auto store = place.open(loop);
  auto worker = co_await new_worker(store, "q");
  for (const auto state : every_state) {
    if (!is_final(state)) continue;
    co_await bring_to(state, worker);
    for (const auto other : every_state) {
      if (other != job_state::queued) co_await try_to_bring_to(other, worker);
    }
    auto outcome = co_await store->wait_ended("q", "job");
    EXPECT_TRUE(outcome && outcome->state == state && said_in_outcome(outcome->outcome) == "outcome")
        << name_of(state);
    co_await store->purge("q", state);
  }
}

BROKER_TEST(a_deferred_job_becomes_queued_when_it_is_due) {
  auto store = place.open(loop);
  auto worker = co_await new_worker(store, "q");
  auto batch = numbered_jobs(2);
  for (auto& one : batch) one.delay = 20ms;
  co_await store->enqueue("q", batch);
  auto claimed = co_await claim_until(worker, 1);
  EXPECT_EQ(claimed.at(0).id, batch[0].id);
  auto state = co_await state_of(*store, "q", batch[1].id);
  EXPECT_TRUE(state == job_state::queued);
}

// ---- cancel

namespace {

/// It ended as cancelled, says `outcome`, and keeps its id for itself.
awaitable<void> expect_kept_as_cancelled(std::shared_ptr<broker::broker> store, std::string queue,
                                         std::string id, std::string outcome) {
  auto end = co_await store->wait_ended(queue, id);
  EXPECT_TRUE(end && end->state == job_state::cancelled && said_in_outcome(end->outcome) == outcome);
  auto details = co_await store->inspect(queue, id);
  EXPECT_TRUE(details && details->state == job_state::cancelled &&
              said_in_outcome(details->outcome) == outcome);
  auto listed = co_await store->list(queue, job_state::cancelled, 10);
  EXPECT_EQ(listed.size(), 1u);
  auto summary = co_await summary_of(*store, queue);
  EXPECT_EQ(summary.queued + summary.deferred + summary.running, 0u);
  EXPECT_EQ(summary.kept, 1u);
  auto same_id = co_await enqueue_one(*store, queue, job_named(id));
  EXPECT_EQ(same_id, accepted::duplicate);
}

/// Nothing is kept of it: the id is free for another.
awaitable<void> expect_gone(std::shared_ptr<broker::broker> store, std::string queue, std::string id) {
  auto end = co_await store->wait_ended(queue, id);
  EXPECT_FALSE(end);
  auto details = co_await store->inspect(queue, id);
  EXPECT_FALSE(details);
  auto summary = co_await summary_of(*store, queue);
  EXPECT_EQ(summary.queued + summary.deferred + summary.running + summary.kept, 0u);
  auto same_id = co_await enqueue_one(*store, queue, job_named(id));
  EXPECT_EQ(same_id, accepted::yes);
}

}  // namespace

BROKER_TEST(a_queued_or_deferred_job_that_is_cancelled_never_runs) {
  auto store = place.open(loop);
  auto worker = co_await new_worker(store, "q");
  const job_state not_started[] = {job_state::queued, job_state::deferred};
  for (const auto state : not_started) {
    co_await bring_to(state, worker);
    auto waiting = start_waiting(loop, store, "q", "job");
    co_await renew(worker);
    EXPECT_FALSE(waiting->over);
    const auto why = std::string("w\0hy", 4) + name_of(state);
    auto answer = co_await cancel(*store, "q", "job", why, 1h);
    EXPECT_EQ(answer, cancel_result::cancelled);
    auto notified = [&] { return waiting->over; };
    co_await until(notified);
    EXPECT_TRUE(waiting->outcome && waiting->outcome->state == job_state::cancelled);
    EXPECT_TRUE(waiting->outcome && said_in_outcome(waiting->outcome->outcome) == why);
    auto ids = co_await claim_ids(worker, 10);
    EXPECT_TRUE(ids.empty());
    co_await expect_kept_as_cancelled(store, "q", "job", why);
    answer = co_await cancel(*store, "q", "job", "again", 1h);
    EXPECT_EQ(answer, cancel_result::ended);
    co_await expect_kept_as_cancelled(store, "q", "job", why);
    const auto purged = co_await store->purge("q", job_state::cancelled);
    EXPECT_EQ(purged, 1u);
    co_await expect_gone(store, "q", "job");
    co_await store->purge("q", job_state::queued);
  }
}

BROKER_TEST(a_cancelled_job_is_kept_not_at_all_for_a_while_or_for_ever) {
  auto store = place.open(loop);
  auto worker = co_await new_worker(store, "q");
  const job_state not_started[] = {job_state::queued, job_state::deferred};
  for (const auto state : not_started) {
    co_await bring_to(state, worker);
    auto waiting = start_waiting(loop, store, "q", "job");
    co_await renew(worker);
    co_await cancel(*store, "q", "job", "why", 0ms);
    auto notified = [&] { return waiting->over; };
    co_await until(notified);
    EXPECT_TRUE(waiting->outcome && waiting->outcome->state == job_state::cancelled);
    EXPECT_TRUE(waiting->outcome && said_in_outcome(waiting->outcome->outcome) == "why");
    co_await expect_gone(store, "q", "job");

    co_await cancel(*store, "q", "job", "why", 20ms);
    auto same_id = accepted::duplicate;
    const auto deadline = std::chrono::steady_clock::now() + default_timeout;
    while (same_id == accepted::duplicate && std::chrono::steady_clock::now() < deadline) {
      same_id = co_await enqueue_one(*store, "q", job_named("job"));
    }
    EXPECT_EQ(same_id, accepted::yes);

    co_await cancel(*store, "q", "job", "for ever", std::nullopt);
    co_await renew(worker);
    co_await expect_kept_as_cancelled(store, "q", "job", "for ever");
    co_await store->purge("q", job_state::cancelled);
  }
}

BROKER_TEST(cancelling_a_running_job_tells_its_worker) {
  auto store = place.open(loop);
  auto elsewhere = place.open_apart(loop);
  auto worker = co_await new_worker(store, "q");
  co_await bring_to(job_state::running, worker);
  auto answer = co_await cancel(*elsewhere, "q", "job", "why", 1h);
  EXPECT_EQ(answer, cancel_result::requested);
  auto notified = [&] { return !worker.heard->cancels.empty(); };
  co_await until(notified);
  EXPECT_EQ(worker.heard->cancels.at(0), "job");
  auto answered = co_await renew(worker);
  EXPECT_EQ(answered.cancel_requests, strings(1, "job"));
  auto again = co_await cancel(*store, "q", "job", "why", 1h);
  EXPECT_EQ(again, cancel_result::requested);
  // It is the worker who decides: here it had succeeded by then.
  const bool held = co_await settle_one(worker, end("job", job_state::succeeded, "yes", 1h));
  EXPECT_TRUE(held);
  auto outcome = co_await store->wait_ended("q", "job");
  EXPECT_TRUE(outcome && outcome->state == job_state::succeeded &&
              said_in_outcome(outcome->outcome) == "yes");
  auto late = co_await cancel(*store, "q", "job", "why", 1h);
  EXPECT_EQ(late, cancel_result::ended);
  auto after = co_await renew(worker);
  EXPECT_TRUE(after.cancel_requests.empty());
}

BROKER_TEST(cancelling_what_is_not_there_says_so) {
  auto store = place.open(loop);
  auto answer = co_await cancel(*store, "q", "job", "why", 1h);
  EXPECT_EQ(answer, cancel_result::not_found);
  auto worker = co_await new_worker(store, "q");
  co_await bring_to(job_state::running, worker);
  co_await settle_one(worker, end("job"));
  answer = co_await cancel(*store, "q", "job", "why", 1h);
  EXPECT_EQ(answer, cancel_result::not_found);
}

BROKER_TEST(a_cancel_request_does_not_outlive_the_try_it_was_made_in) {
  auto store = place.open(loop);
  auto worker = co_await new_worker(store, "q");
  co_await bring_to(job_state::running, worker);
  co_await cancel(*store, "q", "job", "why", 1h);
  co_await settle_one(worker, end("job", job_state::dead, "why"));
  co_await store->requeue("q", strings(1, "job"));
  auto ids = co_await claim_ids(worker, 1);
  EXPECT_EQ(ids, strings(1, "job"));
  auto answered = co_await renew(worker);
  EXPECT_TRUE(answered.cancel_requests.empty());
  const bool held = co_await settle_one(worker, hand_back("job"));
  EXPECT_TRUE(held);
  auto state = co_await state_of(*store, "q", "job");
  EXPECT_TRUE(state == job_state::queued);
}

BROKER_TEST(a_worker_that_ends_a_job_as_cancelled_has_its_own_outcome_recorded) {
  auto store = place.open(loop);
  auto worker = co_await new_worker(store, "q");
  co_await bring_to(job_state::running, worker);
  co_await cancel(*store, "q", "job", "the request's", 1h);
  co_await settle_one(worker, end("job", job_state::cancelled, "the worker's", 2h));
  co_await expect_kept_as_cancelled(store, "q", "job", "the worker's");
}

BROKER_TEST(of_two_cancel_requests_the_first_counts) {
  auto store = place.open(loop);
  auto worker = co_await new_worker(store, "q");
  co_await bring_to(job_state::running, worker);
  co_await cancel(*store, "q", "job", "first", 1h);
  co_await cancel(*store, "q", "job", "second", 0ms);
  co_await settle_one(worker, hand_back("job"));
  co_await expect_kept_as_cancelled(store, "q", "job", "first");
}

BROKER_TEST(a_job_that_is_to_be_cancelled_does_not_run_again_however_its_try_ends) {
  auto store = place.open(loop);
  const std::optional<milliseconds> keeps[] = {1h, std::nullopt, 0ms};
  int number = 0;
  for (int way = 0; way < 4; ++way) {
    for (const auto keep : keeps) {
      const auto queue = "q" + std::to_string(++number), id = "job" + std::to_string(number);
      auto other = co_await new_worker(store, queue);
      auto worker = co_await new_worker(store, queue);
      co_await bring_to(job_state::running, worker, id);
      auto waiting = start_waiting(loop, store, queue, id);
      co_await cancel(*store, queue, id, "why", keep);
      if (way == 0) co_await settle_one(worker, retry_after(id, 0ms));
      if (way == 1) co_await settle_one(worker, hand_back(id));
      if (way == 2) co_await store->reconcile(worker.held, strings());
      if (way == 3) co_await store->close_lease(worker.held);
      auto notified = [&] { return waiting->over; };
      co_await until(notified);
      EXPECT_TRUE(waiting->outcome && waiting->outcome->state == job_state::cancelled) << "way " << way;
      EXPECT_TRUE(waiting->outcome && said_in_outcome(waiting->outcome->outcome) == "why") << "way " << way;
      auto ids = co_await claim_ids(other, 10);
      EXPECT_TRUE(ids.empty()) << "way " << way;
      if (keep == 0ms) {
        co_await expect_gone(store, queue, id);
      } else {
        co_await expect_kept_as_cancelled(store, queue, id, "why");
      }
    }
  }
}

BROKER_TEST(in_one_batch_some_jobs_end_some_go_on_and_some_are_cancelled) {
  auto store = place.open(loop);
  auto worker = co_await new_worker(store, "q");
  const strings ids = {"ends", "retried", "handed back", "cancelled", "gone"};
  co_await enqueue_ids(*store, "q", ids);
  co_await claim_ids(worker, ids.size());
  co_await cancel(*store, "q", "cancelled", "why", 1h);
  co_await cancel(*store, "q", "gone", "why", 0ms);
  std::vector<settlement> batch;
  batch.push_back(end("ends", job_state::succeeded, "42", 1h));
  batch.push_back(retry_after("retried", 1h));
  batch.push_back(hand_back("handed back"));
  batch.push_back(retry_after("cancelled", 1h));
  batch.push_back(hand_back("gone"));
  auto held = co_await store->settle(worker.held, batch);
  EXPECT_EQ(held, std::vector<bool>(ids.size(), true));
  const std::optional<job_state> expected[] = {job_state::succeeded, job_state::deferred, job_state::queued,
                                               job_state::cancelled, std::nullopt};
  for (std::size_t i = 0; i < ids.size(); ++i) {
    auto state = co_await state_of(*store, "q", ids[i]);
    EXPECT_TRUE(state == expected[i]) << ids[i];
  }
  auto ended = co_await store->wait_ended("q", "ends");
  EXPECT_TRUE(ended && said_in_outcome(ended->outcome) == "42");
  auto cancelled = co_await store->wait_ended("q", "cancelled");
  EXPECT_TRUE(cancelled && said_in_outcome(cancelled->outcome) == "why");
}

}  // namespace quarq::test::broker_states_tests
