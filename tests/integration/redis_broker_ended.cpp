// What becomes of jobs that have ended: kept for their time, listed, swept; and dead ones, up to a bound.
#include <algorithm>
#include <set>

#include <quarq/errors.hpp>

#include "integration/redis_broker.hpp"

namespace quarq::test::redis_broker_tests {

namespace {

std::int64_t number(const redis_server& server, strings words) {
  return server.command(words).integer;
}

// Runs `count` jobs of these names, all of which end alike.
awaitable<void> run_jobs(worker_end worker, std::size_t count, std::string prefix, job_state state,
                         milliseconds keep) {
  auto jobs = numbered_jobs(count, prefix);
  co_await worker.store->enqueue("q", jobs);
  co_await claim_until(worker, count);
  std::vector<settlement> batch;
  for (const auto& job : jobs) batch.push_back(end(job.id, state, "why", keep));
  co_await worker.store->settle(worker.held, batch);
}

std::set<std::string> ids_of(const std::vector<broker::job_details>& jobs) {
  std::set<std::string> ids;
  for (const auto& one : jobs) ids.insert(one.id);
  return ids;
}

}  // namespace

REDIS_TEST(outcomes_go_as_fast_as_they_come, {}) {
  auto store = open(server, loop);
  auto worker = co_await new_worker(store, "q");
  for (int round = 0; round < 20; ++round) {
    co_await run_jobs(worker, 500, "r" + std::to_string(round) + "-", job_state::succeeded, 1ms);
    co_await sleep_for(2ms);
  }
  // Nobody has renewed, and still all but the last of 10,000 are gone.
  const auto left = number(server, {"HLEN", "quarq:{q}:results"});
  EXPECT_LE(left, 1000);
  EXPECT_EQ(number(server, {"ZCARD", "quarq:{q}:ended:3"}), left);
}

REDIS_TEST(outcomes_of_jobs_that_end_one_by_one_go_as_fast_as_they_come, {}) {
  auto store = open(server, loop);
  auto worker = co_await new_worker(store, "q");
  // So many that the hash does not expire as a whole: from then on an end may take the short way through settle.lua.
  co_await run_jobs(worker, 5'500, "kept", job_state::succeeded, 1h);
  for (int i = 0; i < 200; ++i) {
    co_await enqueue_ids(*store, "q", strings(1, "n" + std::to_string(i)));
    co_await claim_until(worker, 1);
    co_await settle_one(worker, end("n" + std::to_string(i), job_state::succeeded, "why", 1ms));
  }
  // Nobody has renewed.
  EXPECT_LE(number(server, {"HLEN", "quarq:{q}:results"}), 5'500 + 50);
}

REDIS_TEST(many_outcomes_do_not_expire_at_once_and_renewals_remove_them, {}) {
  auto store = open(server, loop);
  auto worker = co_await new_worker(store, "q");
  co_await run_jobs(worker, 4000, "a", job_state::succeeded, 5s);
  EXPECT_GT(number(server, {"PTTL", "quarq:{q}:results"}), 0) << "few expire by themselves";
  co_await run_jobs(worker, 4000, "b", job_state::succeeded, 5s);
  for (const char* key : {"quarq:{q}:results", "quarq:{q}:ended:3"}) {
    const auto left = number(server, {"PTTL", key});
    EXPECT_TRUE(left == -1 || number(server, {"EXISTS", key}) == 0) << key << " " << left;
  }
  const auto deadline = std::chrono::steady_clock::now() + default_timeout;
  while (number(server, {"EXISTS", "quarq:{q}:results", "quarq:{q}:ended:3"}) > 0 &&
         std::chrono::steady_clock::now() < deadline) {
    co_await renew(worker);
    co_await sleep_for(5ms);
  }
  EXPECT_EQ(number(server, {"EXISTS", "quarq:{q}:results", "quarq:{q}:ended:3"}), 0);
}

REDIS_TEST(no_key_of_kept_outcomes_stays_where_those_of_one_state_come_later, {}) {
  auto store = open(server, loop);
  auto worker = co_await new_worker(store, "q");
  co_await run_jobs(worker, 1, "first", job_state::succeeded, 1h);
  co_await run_jobs(worker, 1, "second", job_state::failed, 1min);  // alone
  co_await run_jobs(worker, 2, "third", job_state::expired, 1min);  // several
  for (const char* key : {"quarq:{q}:results", "quarq:{q}:ended:3", "quarq:{q}:ended:4", "quarq:{q}:ended:6"})
    EXPECT_GT(number(server, {"PTTL", key}), 0) << key;
}

REDIS_TEST(an_id_that_ends_again_in_another_state_is_kept_as_the_last_end_says, {}) {
  auto store = open(server, loop);
  auto worker = co_await new_worker(store, "q");
  co_await run_jobs(worker, 1, "x", job_state::succeeded, 1ms);
  co_await sleep_for(3ms);
  co_await run_jobs(worker, 1, "x", job_state::failed, 1h);
  co_await renew(worker);
  const auto id = numbered_jobs(1, "x").front().id;
  auto kept = co_await store->wait_ended("q", id);
  EXPECT_TRUE(kept && kept->state == job_state::failed);
  auto failed = co_await store->list("q", job_state::failed, 10);
  EXPECT_EQ(failed.size(), 1u);
  auto succeeded = co_await store->list("q", job_state::succeeded, 10);
  EXPECT_TRUE(succeeded.empty());
}

namespace {

// Ends of which only that they succeeded is to be kept.
std::vector<settlement> successes(const strings& ids) {
  std::vector<settlement> batch;
  for (const auto& id : ids) {
    batch.push_back(end(id, job_state::succeeded, "what waiters hear", 1min));
    batch.back().keeps_state_only = true;
  }
  return batch;
}

awaitable<void> end_well(worker_end worker, strings ids) {
  co_await enqueue_ids(*worker.store, "q", ids);
  co_await claim_until(worker, ids.size());
  auto batch = successes(ids);
  const auto held = co_await worker.store->settle(worker.held, std::move(batch));
  EXPECT_EQ(held, std::vector<bool>(ids.size(), true));
}

}  // namespace

REDIS_TEST(a_success_may_leave_nothing_but_an_id, {}) {
  auto store = open(server, loop);
  auto worker = co_await new_worker(store, "q");
  const strings alone = {"a"}, together = {"b", "c"}, not_alike = {"d", "e"};
  co_await end_well(worker, alone);
  co_await end_well(worker, together);
  co_await enqueue_ids(*store, "q", not_alike);
  co_await claim_until(worker, 2);
  auto batch = successes({"d"});
  batch.push_back(end("e", job_state::failed, "why", 1h));
  co_await store->settle(worker.held, std::move(batch));
  for (const char* id : {"a", "b", "c", "d"}) {
    auto kept = co_await store->wait_ended("q", id);
    EXPECT_TRUE(kept && kept->state == job_state::succeeded && kept->outcome.empty()) << id;
    auto state = co_await state_of(*store, "q", id);
    EXPECT_TRUE(state == job_state::succeeded) << id;
    const auto said = co_await cancel(*store, "q", id, "late", 1h);
    EXPECT_EQ(said, cancel_result::ended) << id;
  }
  auto none = co_await store->wait_ended("q", "never there");
  EXPECT_FALSE(none);
  auto before = co_await summary_of(*store, "q");
  EXPECT_EQ(before.kept, 5u);
  const auto purged = co_await store->purge("q", job_state::succeeded);
  EXPECT_EQ(purged, 4u);
  auto gone = co_await store->wait_ended("q", "a");
  EXPECT_FALSE(gone);
}

REDIS_TEST(those_who_wait_hear_the_whole_outcome_of_which_only_the_state_is_kept, {}) {
  auto store = open(server, loop);
  auto worker = co_await new_worker(store, "q");
  const strings ids = {"a", "b"};
  co_await enqueue_ids(*store, "q", ids);
  co_await claim_until(worker, 2);
  const auto first = start_waiting(loop, store, "q", "a");
  const auto second = start_waiting(loop, store, "q", "b");
  const auto waiters = [&] { return number(server, {"HLEN", "quarq:{q}:waiters"}) == 2; };
  co_await until(waiters);
  for (const auto& id : ids) {
    auto one = successes({id});
    co_await store->settle(worker.held, std::move(one));
  }
  const auto both = [&] { return first->over && second->over; };
  co_await until(both);
  EXPECT_TRUE(first->outcome && said_in_outcome(first->outcome->outcome) == "what waiters hear");
  EXPECT_TRUE(second->outcome && said_in_outcome(second->outcome->outcome) == "what waiters hear");
}

REDIS_TEST(successes_go_when_their_time_is_over, {}) {
  auto store = open(server, loop);
  auto worker = co_await new_worker(store, "q");
  const strings one = {"a"};
  co_await end_well(worker, one);
  const auto seconds = std::stoll(server.command({"TIME"}).items.at(0).text);
  const auto key = [&](std::int64_t n) { return "quarq:{q}:succeeded:" + std::to_string(n); };
  const auto ends_at = (seconds + 60) / 4 + 1;
  EXPECT_EQ(number(server, {"EXISTS", key(ends_at - 1), key(ends_at), key(ends_at + 1)}), 1);
  const auto left =
      std::max(number(server, {"PTTL", key(ends_at)}), number(server, {"PTTL", key(ends_at + 1)}));
  EXPECT_GT(left, 60'000);
  EXPECT_LE(left, 72'000);
  // Another's, whose time is over.
  number(server, {"SADD", key(seconds / 4 - 1), "b"});
  auto over = co_await store->wait_ended("q", "b");
  EXPECT_FALSE(over);
  co_await renew(worker);
  EXPECT_EQ(number(server, {"EXISTS", key(seconds / 4 - 1)}), 0);
}

REDIS_TEST(lists_longer_than_a_call_are_whole, {}) {
  constexpr std::size_t count = 1300;
  auto store = open(server, loop);
  auto worker = co_await new_worker(store, "q");
  co_await run_jobs(worker, count, "done", job_state::succeeded, 1h);
  co_await run_jobs(worker, 3, "failed", job_state::failed, 1h);
  co_await run_jobs(worker, count, "dead", job_state::dead, 0ms);
  auto running = numbered_jobs(count, "running");
  co_await store->enqueue("q", running);
  co_await claim_until(worker, count);
  auto queued = numbered_jobs(count, "queued");
  for (std::size_t i = 0; i < count; ++i) queued[i].priority = static_cast<int>(i % 3);
  co_await store->enqueue("q", queued);
  auto deferred = numbered_jobs(count, "deferred");
  for (auto& one : deferred) one.delay = 1h;
  co_await store->enqueue("q", deferred);
  for (const auto state :
       {job_state::queued, job_state::deferred, job_state::running, job_state::succeeded, job_state::dead}) {
    auto all = co_await store->list("q", state, 100'000);
    EXPECT_EQ(all.size(), count) << static_cast<int>(state);
    EXPECT_EQ(ids_of(all).size(), count) << static_cast<int>(state);
    auto some = co_await store->list("q", state, 700);
    EXPECT_EQ(ids_of(some).size(), 700u) << static_cast<int>(state);
  }
  // What is asked for costs what there is of it: the others are not looked at.
  const strings reset = {"CONFIG", "RESETSTAT"};
  server.command(reset);
  auto failed = co_await store->list("q", job_state::failed, 100);
  EXPECT_EQ(failed.size(), 3u);
  EXPECT_NE(server.info("commandstats", "cmdstat_hget").find("calls=3,"), std::string::npos)
      << server.info("commandstats", "cmdstat_hget");
  auto purged = co_await store->purge("q", job_state::succeeded);
  EXPECT_EQ(purged, count);
  EXPECT_EQ(number(server, {"HLEN", "quarq:{q}:results"}), 3);
}

REDIS_TEST(purging_removes_what_is_over_as_well_and_does_not_count_it, {}) {
  auto store = open(server, loop);
  auto worker = co_await new_worker(store, "q");
  co_await run_jobs(worker, 5, "kept", job_state::failed, 1h);
  co_await run_jobs(worker, 20, "over", job_state::failed, 1ms);
  co_await sleep_for(3ms);
  auto purged = co_await store->purge("q", job_state::failed);
  EXPECT_EQ(purged, 5u);
  EXPECT_EQ(number(server, {"EXISTS", "quarq:{q}:results", "quarq:{q}:ended:4"}), 0);
}

REDIS_TEST(the_dead_set_is_bounded_by_number_and_age, {}) {
  auto store = broker::open(server.url() + "?dead_jobs=3", loop);
  auto worker = co_await new_worker(store, "q");
  co_await run_jobs(worker, 5, "dead", job_state::dead, 0ms);
  co_await renew(worker);
  auto left = co_await store->list("q", job_state::dead, 10);
  EXPECT_EQ(left.size(), 3u);
  EXPECT_EQ(number(server, {"HLEN", "quarq:{q}:jobs"}), 3);
  EXPECT_EQ(number(server, {"HLEN", "quarq:{q}:dead_outcomes"}), 3);
  // Half a day later than a day after they died.
  for (const auto& one : left) server.command(strings{"ZINCRBY", "quarq:{q}:dead", "-129600000", one.id});
  auto other = broker::open(server.url() + "?dead_days=1", loop);
  auto next = co_await new_worker(other, "q");
  co_await renew(next);
  EXPECT_EQ(number(server, {"EXISTS", "quarq:{q}:dead", "quarq:{q}:dead_outcomes", "quarq:{q}:jobs"}), 0);
  for (const char* wrong : {"?dead_jobs=0", "?dead_jobs=many", "?dead_days=40000"}) {
    EXPECT_THROW(broker::check_url(server.url() + wrong), usage_error) << wrong;
  }
}

// ---- cancelling

REDIS_TEST(a_cancelled_job_is_dropped_where_it_stands, {}) {
  auto store = open(server, loop);
  auto worker = co_await new_worker(store, "q");
  const strings ids = {"a", "b", "c"};
  co_await enqueue_ids(*store, "q", ids);
  auto answer = co_await cancel(*store, "q", "b", "why", 0ms);
  EXPECT_EQ(answer, cancel_result::cancelled);
  auto counts = co_await summary_of(*store, "q");
  EXPECT_EQ(counts.queued, 2u);
  // The same id may come again, and again be cancelled, while the first still stands there.
  co_await enqueue_ids(*store, "q", strings(1, "b"));
  co_await cancel(*store, "q", "b", "why", 0ms);
  co_await enqueue_ids(*store, "q", strings(1, "b"));
  auto listed = co_await store->list("q", job_state::queued, 10);
  strings order;
  for (const auto& one : listed) order.push_back(one.id);
  const strings expected = {"a", "c", "b"};
  EXPECT_EQ(order, expected);
  auto claimed = co_await claim_ids(worker, 10);
  EXPECT_EQ(claimed, expected);
  EXPECT_EQ(number(server, {"EXISTS", "quarq:{q}:cancelled", "quarq:{q}:ready:5"}), 0);
}

REDIS_TEST(a_purge_leaves_a_job_whose_id_was_cancelled_before_and_came_again, {}) {
  auto store = open(server, loop);
  const strings ids = {"a", "b"};
  co_await enqueue_ids(*store, "q", ids);
  co_await cancel(*store, "q", "b", "why", 0ms);
  auto again = job_named("b");
  again.delay = 1h;
  co_await enqueue_one(*store, "q", again);
  // The first b still stands among the queued ones, and the second is deferred.
  auto purged = co_await store->purge("q", job_state::queued);
  EXPECT_EQ(purged, 1u);
  auto state = co_await state_of(*store, "q", "b");
  EXPECT_TRUE(state == job_state::deferred);
}

REDIS_TEST(a_purge_passes_over_what_was_cancelled, {}) {
  auto store = open(server, loop);
  const strings ids = {"a", "b", "c"};
  co_await enqueue_ids(*store, "q", ids);
  co_await cancel(*store, "q", "b", "why", 0ms);
  auto purged = co_await store->purge("q", job_state::queued);
  EXPECT_EQ(purged, 2u);
  EXPECT_EQ(number(server, {"EXISTS", "quarq:{q}:cancelled", "quarq:{q}:ready:5", "quarq:{q}:jobs"}), 0);
}

}  // namespace quarq::test::redis_broker_tests
