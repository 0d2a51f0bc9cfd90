// Queues that are paused and resumed, on every broker.
#include <fmt/format.h>

#include "integration/broker_conformance.hpp"

namespace quarq::test::broker_pause_tests {

namespace {

/// Returns when the worker has been told once more that work is ready.
awaitable<void> until_notified(worker_end worker, int before) {
  auto rung = [&] { return worker.heard->work_ready > before; };
  co_await until(rung);
}

/// The paused queue q gives nothing until it is resumed; then it has this job.
awaitable<void> expect_given_when_resumed(std::shared_ptr<broker::broker> store, worker_end worker,
                                          std::string id) {
  auto none = co_await claim_ids(worker, 10);
  EXPECT_TRUE(none.empty());
  co_await store->set_paused("q", false);
  co_await until_notified(worker, 0);
  auto ids = co_await claim_ids(worker, 10);
  EXPECT_EQ(ids, strings(1, id));
}

/// A job in another queue wakes its worker: what was to be told before has been told.
awaitable<void> until_news_have_come(std::shared_ptr<broker::broker> store,
                                     std::shared_ptr<broker::broker> elsewhere) {
  static int number = 0;
  auto other = co_await new_worker(store, "other");
  auto none = co_await claim_ids(other, 10);
  EXPECT_TRUE(none.empty());
  co_await enqueue_ids(*elsewhere, "other", strings(1, fmt::format("news{}", ++number)));
  co_await until_notified(other, 0);
  auto one = co_await claim_ids(other, 10);
  EXPECT_EQ(one.size(), 1u);
  for (auto& id : one) co_await settle_one(other, end(std::move(id)));
  co_await store->close_lease(other.held);
}

}  // namespace

BROKER_TEST(a_paused_queue_gives_no_jobs_until_it_is_resumed) {
  auto store = place.open(loop);
  auto elsewhere = place.open_apart(loop);
  auto worker = co_await new_worker(store, "q");
  co_await enqueue_ids(*store, "q", strings(1, "before"));
  bool changed = co_await elsewhere->set_paused("q", true);
  EXPECT_TRUE(changed);
  changed = co_await store->set_paused("q", true);
  EXPECT_FALSE(changed);
  co_await enqueue_ids(*elsewhere, "q", strings(1, "during"));
  auto none = co_await claim_ids(worker, 10);
  EXPECT_TRUE(none.empty());
  auto q = co_await summary_of(*store, "q");
  EXPECT_TRUE(q.paused);
  EXPECT_EQ(q.queued, 2u);
  bool paused = co_await store->is_paused("q");
  EXPECT_TRUE(paused);
  paused = co_await store->is_paused("other");
  EXPECT_FALSE(paused);
  const int before = worker.heard->work_ready;
  changed = co_await elsewhere->set_paused("q", false);
  EXPECT_TRUE(changed);
  co_await until_notified(worker, before);
  const strings both = {"before", "during"};
  auto ids = co_await claim_ids(worker, 10);
  EXPECT_EQ(ids, both);
  changed = co_await store->set_paused("q", false);
  EXPECT_FALSE(changed);
  q = co_await summary_of(*elsewhere, "q");
  EXPECT_FALSE(q.paused);
}

BROKER_TEST(claims_and_renewals_say_that_a_queue_with_jobs_is_paused) {
  auto store = place.open(loop);
  auto worker = co_await new_worker(store, "q");
  co_await enqueue_ids(*store, "q", strings(1, "a"));
  co_await store->set_paused("q", true);
  auto claimed = co_await store->claim(worker.held, 10);
  EXPECT_TRUE(claimed.paused);
  lease_options terms;
  terms.duration = 60s;
  auto renewed = co_await store->renew(worker.held, terms);
  EXPECT_EQ(renewed.paused, strings(1, "q"));
  EXPECT_TRUE(renewed.work_ready.empty());
  co_await store->set_paused("q", false);
  renewed = co_await store->renew(worker.held, terms);
  EXPECT_TRUE(renewed.paused.empty());
  EXPECT_EQ(renewed.work_ready, strings(1, "q"));
  claimed = co_await store->claim(worker.held, 10);
  EXPECT_FALSE(claimed.paused);
  EXPECT_EQ(claimed.jobs.size(), 1u);
  co_await store->set_paused("q", true);
  renewed = co_await store->renew(worker.held, terms);
  EXPECT_TRUE(renewed.paused.empty()) << "nobody misses a job";
}

BROKER_TEST(a_worker_is_told_nothing_of_the_jobs_of_a_paused_queue) {
  auto store = place.open(loop);
  auto elsewhere = place.open_apart(loop);
  auto idle_before = co_await new_worker(store, "q");
  auto none = co_await claim_ids(idle_before, 10);
  EXPECT_TRUE(none.empty());
  co_await store->set_paused("q", true);
  auto idle_since = co_await new_worker(store, "q");
  none = co_await claim_ids(idle_since, 10);
  EXPECT_TRUE(none.empty());
  for (int i = 0; i < 20; ++i) {
    co_await enqueue_ids(i % 2 ? *store : *elsewhere, "q", strings(1, fmt::format("job{}", i)));
  }
  auto soon = job_named("soon");
  soon.delay = 1ms;
  co_await enqueue_one(*elsewhere, "q", soon);
  auto later = job_named("later");
  later.delay = 1h;
  co_await enqueue_one(*store, "q", later);
  co_await until_news_have_come(store, elsewhere);
  for (auto* each : {&idle_before, &idle_since}) {
    EXPECT_EQ(each->heard->work_ready, 0);
    auto renewed = co_await renew(*each);
    EXPECT_TRUE(renewed.held);
    EXPECT_FALSE(renewed.work_ready);
    const auto claimed = co_await store->claim(each->held, 10);
    EXPECT_TRUE(claimed.jobs.empty());
    EXPECT_FALSE(claimed.next_due) << "it would claim then, in vain";
  }
  co_await elsewhere->set_paused("q", false);
  co_await until_notified(idle_before, 0);
  co_await until_notified(idle_since, 0);
  auto all = co_await claim_until(idle_since, 21);
  EXPECT_EQ(all.size(), 21u);
}

BROKER_TEST(jobs_become_due_while_their_queue_is_paused) {
  auto store = place.open(loop);
  auto worker = co_await new_worker(store, "q");
  co_await store->set_paused("q", true);
  auto due = job_named("due");
  due.delay = 5ms;
  co_await enqueue_one(*store, "q", due);
  co_await until_run_out(5ms);
  co_await expect_given_when_resumed(store, worker, "due");
}

BROKER_TEST(a_resumed_queue_says_when_the_next_job_is_due) {
  auto store = place.open(loop);
  auto elsewhere = place.open_apart(loop);
  auto worker = co_await new_worker(store, "q");
  co_await store->set_paused("q", true);
  auto none = co_await claim_ids(worker, 10);
  EXPECT_TRUE(none.empty());
  auto later = job_named("later");
  later.delay = 1h;
  co_await enqueue_one(*elsewhere, "q", later);
  co_await elsewhere->set_paused("q", false);
  co_await until_notified(worker, 0);
  const auto claimed = co_await store->claim(worker.held, 10);
  EXPECT_TRUE(claimed.jobs.empty());
  EXPECT_TRUE(claimed.next_due && *claimed.next_due > 30min);
}

BROKER_TEST(jobs_that_run_go_on_and_end_while_their_queue_is_paused) {
  auto store = place.open(loop);
  auto worker = co_await new_worker(store, "q");
  const strings ids = {"ends", "is retried", "is handed back", "is held"};
  co_await enqueue_ids(*store, "q", ids);
  co_await claim_until(worker, ids.size());
  co_await store->set_paused("q", true);
  bool held = co_await settle_one(worker, end("ends", job_state::succeeded, "well", 1h));
  EXPECT_TRUE(held);
  held = co_await settle_one(worker, retry_after("is retried", 1h));
  EXPECT_TRUE(held);
  held = co_await settle_one(worker, hand_back("is handed back"));
  EXPECT_TRUE(held);
  auto answer = co_await cancel(*store, "q", "is held", "over", 1h);
  EXPECT_EQ(answer, cancel_result::requested);
  auto state = co_await state_of(*store, "q", "ends");
  EXPECT_EQ(state, job_state::succeeded);
  state = co_await state_of(*store, "q", "is retried");
  EXPECT_EQ(state, job_state::deferred);
  state = co_await state_of(*store, "q", "is handed back");
  EXPECT_EQ(state, job_state::queued);
  auto none = co_await claim_ids(worker, 10);
  EXPECT_TRUE(none.empty());
  // Of a worker that ends, nothing is left that would be told later.
  co_await store->close_lease(worker.held);
  auto next = co_await new_worker(store, "q");
  co_await store->set_paused("q", false);
  // On arq's keys it is Python's for a moment.
  auto back = co_await claim_until(next, 1);
  EXPECT_EQ(back.at(0).id, "is handed back");
}

BROKER_TEST(a_paused_queue_stays_so_when_the_store_is_opened_again) {
  const bool stays_in_process = place.url() == "sqlite::memory:";
  {
    auto store = place.open(loop);
    co_await store->set_paused("empty", true);
    co_await enqueue_ids(*store, "q", strings(1, "job"));
    co_await store->set_paused("q", true);
    if (stays_in_process) co_return;
  }
  place.kill_and_restart();
  auto again = place.open(loop);
  auto worker = co_await new_worker(again, "q");
  auto empty = co_await summary_of(*again, "empty");
  EXPECT_TRUE(empty.paused);
  co_await expect_given_when_resumed(again, worker, "job");
}

BROKER_TEST(operators_manage_the_jobs_of_a_paused_queue) {
  auto store = place.open(loop);
  auto worker = co_await new_worker(store, "q");
  co_await enqueue_ids(*store, "q", strings(1, "dead"));
  co_await claim_until(worker, 1);
  co_await settle_one(worker, end("dead", job_state::dead, "why"));
  co_await store->set_paused("q", true);
  const strings two = {"cancelled", "purged"};
  co_await enqueue_ids(*store, "q", two);
  auto answer = co_await cancel(*store, "q", "cancelled", "over", 1h);
  EXPECT_EQ(answer, cancel_result::cancelled);
  auto count = co_await store->purge("q", job_state::queued);
  EXPECT_EQ(count, 1u);
  count = co_await store->requeue("q", strings());
  EXPECT_EQ(count, 1u);
  EXPECT_EQ(worker.heard->work_ready, 0);
  co_await expect_given_when_resumed(store, worker, "dead");
}

BROKER_TEST(of_a_paused_queue_is_said_that_nobody_gets_its_jobs) {
  auto store = place.open(loop);
  auto worker = co_await new_worker(store, "q");
  auto those = co_await store->live_workers_of("q");
  EXPECT_FALSE(those.paused);
  co_await store->set_paused("q", true);
  those = co_await store->live_workers_of("q");
  EXPECT_TRUE(those.paused);
  EXPECT_EQ(those.announcements.size(), 1u);
}

}  // namespace quarq::test::broker_pause_tests
