// What every broker offers to operators.
#include <algorithm>

#include <quarq/errors.hpp>

#include "integration/broker_conformance.hpp"

namespace quarq::test::broker_admin_tests {

namespace {

/// Two queued, one deferred, two running, two dead, three kept; and a queue with one job besides.
awaitable<worker_end> busy_queue(std::shared_ptr<broker::broker> store, int priority = 5) {
  auto worker = co_await new_worker(store, "q");
  const strings first = {"kept1", "kept2", "kept3", "dead1", "dead2", "running1", "running2"};
  co_await enqueue_ids(*store, "q", first);
  co_await claim_ids(worker, first.size());
  std::vector<settlement> ends;
  ends.push_back(end("kept1", job_state::succeeded, "1", 1h));
  ends.push_back(end("kept2", job_state::failed, "2", 1h));
  ends.push_back(end("kept3", job_state::expired, "3", 1h));
  ends.push_back(end("dead1", job_state::dead, "reason 1"));
  ends.push_back(end("dead2", job_state::dead, "reason 2"));
  co_await store->settle(worker.held, ends);
  const strings more = {"queued1", "queued2"};
  co_await enqueue_ids(*store, "q", more);
  auto later = job_named("deferred", priority);
  later.delay = 1h;
  later.expires = 2h;
  co_await enqueue_one(*store, "q", later);
  co_await enqueue_ids(*store, "another", strings(1, "elsewhere1"));
  co_return worker;
}

strings ids_of(const std::vector<broker::job_details>& all) {
  strings ids;
  for (const auto& one : all) ids.push_back(one.id);
  std::sort(ids.begin(), ids.end());
  return ids;
}

}  // namespace

BROKER_TEST(the_summary_counts_jobs_by_state_and_live_workers) {
  auto store = place.open(loop);
  auto elsewhere = place.open_apart(loop);
  auto none = co_await store->queues();
  EXPECT_TRUE(none.empty());
  auto worker = co_await busy_queue(store);
  auto second = co_await new_worker(elsewhere, "q");
  auto all = co_await elsewhere->queues();
  EXPECT_EQ(all.size(), 2u);
  auto q = co_await summary_of(*elsewhere, "q");
  EXPECT_EQ(q.queued, 2u);
  EXPECT_EQ(q.deferred, 1u);
  EXPECT_EQ(q.running, 2u);
  EXPECT_EQ(q.dead, 2u);
  EXPECT_EQ(q.kept, 3u);
  EXPECT_EQ(q.workers, 2u);
  auto another = co_await summary_of(*elsewhere, "another");
  EXPECT_EQ(another.name, "another");
  EXPECT_EQ(another.queued, 1u);
  EXPECT_EQ(another.workers, 0u);
  co_await elsewhere->close_lease(second.held);
  q = co_await summary_of(*store, "q");
  EXPECT_EQ(q.workers, 1u);
}

BROKER_TEST(inspect_shows_a_job_in_every_state) {
  auto store = place.open(loop);
  const int priority = place.powers().priorities ? 7 : 5;
  auto worker = co_await busy_queue(store, priority);
  auto queued = co_await store->inspect("q", "queued1");
  EXPECT_TRUE(queued && queued->state == job_state::queued &&
              said_in_record(queued->record) == "record of queued1");
  EXPECT_TRUE(queued && queued->id == "queued1" && queued->attempts == 0 && queued->priority == 5);
  EXPECT_TRUE(queued && queued->enqueued_at && queued->holder.empty() && queued->outcome.empty());
  auto deferred = co_await store->inspect("q", "deferred");
  EXPECT_TRUE(deferred && deferred->state == job_state::deferred && deferred->priority == priority);
  EXPECT_TRUE(deferred && deferred->due_at && deferred->due_at == *deferred->enqueued_at + 1h);
  EXPECT_TRUE(deferred && deferred->expires_at && deferred->expires_at == *deferred->due_at + 2h);
  auto running = co_await store->inspect("q", "running1");
  EXPECT_TRUE(running && running->state == job_state::running && running->attempts == 1);
  EXPECT_TRUE(running && running->holder == worker.held.token &&
              said_in_record(running->record) == "record of running1");
  auto dead = co_await store->inspect("q", "dead1");
  EXPECT_TRUE(dead && dead->state == job_state::dead && said_in_outcome(dead->outcome) == "reason 1");
  EXPECT_TRUE(dead && said_in_record(dead->record) == "record of dead1");
  auto kept = co_await store->inspect("q", "kept2");
  EXPECT_TRUE(kept && kept->state == job_state::failed && said_in_outcome(kept->outcome) == "2");
  auto nobody = co_await store->inspect("q", "nobody");
  EXPECT_FALSE(nobody);
  auto elsewhere = co_await store->inspect("another", "dead1");
  EXPECT_FALSE(elsewhere);
}

BROKER_TEST(jobs_are_listed_by_state) {
  auto store = place.open(loop);
  co_await busy_queue(store);
  const strings queued = {"queued1", "queued2"}, running = {"running1", "running2"},
                dead = {"dead1", "dead2"};
  auto all = co_await store->list("q", job_state::queued, 10);
  EXPECT_EQ(ids_of(all), queued);
  for (const auto& one : all) EXPECT_EQ(said_in_record(one.record), "record of " + one.id);
  all = co_await store->list("q", job_state::running, 10);
  EXPECT_EQ(ids_of(all), running);
  all = co_await store->list("q", job_state::dead, 10);
  EXPECT_EQ(ids_of(all), dead);
  for (const auto& one : all) EXPECT_EQ(said_in_outcome(one.outcome), "reason " + one.id.substr(4));
  all = co_await store->list("q", job_state::deferred, 10);
  EXPECT_EQ(ids_of(all), strings(1, "deferred"));
  all = co_await store->list("q", job_state::failed, 10);
  EXPECT_EQ(ids_of(all), strings(1, "kept2"));
  all = co_await store->list("q", job_state::cancelled, 10);
  EXPECT_TRUE(all.empty());
  all = co_await store->list("q", job_state::dead, 1);
  EXPECT_EQ(all.size(), 1u);
  all = co_await store->list("no such queue", job_state::queued, 10);
  EXPECT_TRUE(all.empty());
}

BROKER_TEST(live_workers_are_listed_with_what_they_say_of_themselves) {
  auto store = place.open(loop);
  auto elsewhere = place.open_apart(loop);
  auto worker = co_await busy_queue(store);
  auto second = co_await new_worker(elsewhere, "q");
  auto all = co_await elsewhere->workers("q");
  EXPECT_EQ(all.size(), 2u);
  for (const auto& one : all) {
    EXPECT_EQ(one.worker_info, "info of " + one.token);
    EXPECT_EQ(one.running, one.token == worker.held.token ? 2u : 0u);
    EXPECT_GT(one.expires_in, 30s);
    EXPECT_LE(one.expires_in, 60s);
  }
  auto none = co_await store->workers("another");
  EXPECT_TRUE(none.empty());
}

BROKER_TEST(dead_jobs_can_be_sent_again_by_name_or_all) {
  auto store = place.open(loop);
  auto worker = co_await busy_queue(store);
  const strings names = {"dead1", "kept1", "running1", "queued1", "nobody"};
  auto count = co_await store->requeue("q", names);
  EXPECT_EQ(count, 1u);
  auto again = co_await store->inspect("q", "dead1");
  EXPECT_TRUE(again && again->state == job_state::queued && again->attempts == 0 && again->outcome.empty());
  count = co_await store->requeue("q", strings());
  EXPECT_EQ(count, 1u);
  count = co_await store->requeue("q", strings());
  EXPECT_EQ(count, 0u);
  auto claimed = co_await store->claim(worker.held, 10);
  EXPECT_EQ(claimed.jobs.size(), 4u);
  for (const auto& one : claimed.jobs) {
    EXPECT_EQ(one.attempts, 1);
    EXPECT_EQ(said_in_record(one.record), "record of " + one.id);
  }
}

BROKER_TEST(dead_jobs_that_are_sent_again_keep_their_order) {
  auto store = place.open(loop);
  auto worker = co_await new_worker(store, "q");
  const strings ids = {"c", "a", "b"};
  for (const auto& id : ids) co_await enqueue_ids(*store, "q", strings(1, id));
  co_await claim_until(worker, ids.size());
  for (const auto& id : ids) co_await settle_one(worker, end(id, job_state::dead, "why"));
  const auto count = co_await store->requeue("q", ids);
  EXPECT_EQ(count, ids.size());
  auto claimed = co_await claim_ids(worker, 10);
  EXPECT_EQ(claimed, ids);
}

BROKER_TEST(a_dead_job_that_is_sent_again_has_its_time_to_expire_anew) {
  // On arq's keys that time is its payload's, which ended with the job.
  if (!place.powers().an_id_in_each_queue) co_return;
  auto store = place.open(loop);
  auto worker = co_await new_worker(store, "q");
  auto job = job_named("job");
  job.expires = 1h;
  co_await enqueue_one(*store, "q", job);
  co_await claim_ids(worker, 1);
  co_await settle_one(worker, end("job", job_state::dead, "why"));
  co_await sleep_for(20ms);
  co_await store->requeue("q", strings(1, "job"));
  auto again = co_await store->claim(worker.held, 1);
  const auto& claimed = again.jobs.at(0);
  EXPECT_TRUE(claimed.expires_at && *claimed.expires_at == claimed.due_at + 1h);
}

BROKER_TEST(requeueing_wakes_a_waiting_worker) {
  auto store = place.open(loop);
  auto elsewhere = place.open_apart(loop);
  auto worker = co_await new_worker(store, "q");
  co_await enqueue_ids(*store, "q", strings(1, "job"));
  co_await claim_ids(worker, 1);
  co_await settle_one(worker, end("job", job_state::dead, "why"));
  auto none = co_await claim_ids(worker, 1);
  EXPECT_TRUE(none.empty());
  const int before = worker.heard->work_ready;
  co_await elsewhere->requeue("q", strings());
  auto rung = [&] { return worker.heard->work_ready > before; };
  co_await until(rung);
}

BROKER_TEST(a_state_can_be_purged_but_not_what_is_running) {
  auto store = place.open(loop);
  auto worker = co_await busy_queue(store);
  auto text = co_await error_of<usage_error>(store->purge("q", job_state::running));
  EXPECT_NE(text.find("running"), std::string::npos) << text;
  auto count = co_await store->purge("q", job_state::dead);
  EXPECT_EQ(count, 2u);
  count = co_await store->purge("q", job_state::queued);
  EXPECT_EQ(count, 2u);
  count = co_await store->purge("q", job_state::deferred);
  EXPECT_EQ(count, 1u);
  count = co_await store->purge("q", job_state::succeeded);
  EXPECT_EQ(count, 1u);
  count = co_await store->purge("q", job_state::cancelled);
  EXPECT_EQ(count, 0u);
  auto q = co_await summary_of(*store, "q");
  EXPECT_EQ(q.queued + q.deferred + q.dead, 0u);
  EXPECT_EQ(q.running, 2u);
  EXPECT_EQ(q.kept, 2u);
  auto another = co_await summary_of(*store, "another");
  EXPECT_EQ(another.queued, 1u);
  auto accepted_again = co_await enqueue_one(*store, "q", job_named("dead1"));
  EXPECT_EQ(accepted_again, accepted::yes);
  auto ids = co_await claim_ids(worker, 10);
  EXPECT_EQ(ids, strings(1, "dead1"));
}

}  // namespace quarq::test::broker_admin_tests
