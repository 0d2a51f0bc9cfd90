// Workers are woken when there is something to claim, by every broker.
#include <algorithm>
#include <numeric>
#include <utility>

#include <quarq/errors.hpp>

#include "integration/broker_conformance.hpp"

namespace quarq::test::broker_wakeups_tests {

namespace {

// A worker that waits is woken for each of twenty jobs.
awaitable<void> expect_wakeups(worker_end worker, std::shared_ptr<broker::broker> client, std::size_t max) {
  for (int round = 0; round < 20; ++round) {
    auto none = co_await claim_ids(worker, max);
    EXPECT_TRUE(none.empty());
    const int before = worker.heard->work_ready;
    co_await enqueue_one(*client, "q", job_named("job"));
    auto rung = [&] { return worker.heard->work_ready > before; };
    co_await until(rung);
    auto ids = co_await claim_ids(worker, max);
    EXPECT_EQ(ids, strings(1, "job"));
    co_await settle_one(worker, end("job"));
  }
}

struct two_workers {
  worker_end woken, asleep;
};

// Two workers that wait, of which these jobs have woken one.
awaitable<two_workers> wake_one_of_two(std::shared_ptr<broker::broker> store,
                                       std::shared_ptr<broker::broker> elsewhere, strings jobs) {
  auto first = co_await new_worker(store, "q");
  auto second = co_await new_worker(elsewhere, "q");
  for (const auto& one : {first, second}) {
    auto none = co_await claim_ids(one, 1);
    EXPECT_TRUE(none.empty());
  }
  co_await enqueue_ids(*store, "q", jobs);
  auto any = [&] { return first.heard->work_ready + second.heard->work_ready > 0; };
  co_await until(any);
  two_workers found{first, second};
  if (first.heard->work_ready == 0) std::swap(found.woken, found.asleep);
  co_return found;
}

}  // namespace

BROKER_TEST(a_claim_that_got_fewer_is_followed_by_an_event) {
  auto store = place.open(loop);
  auto worker = co_await new_worker(store, "q");
  co_await expect_wakeups(worker, store, 1);
}

BROKER_TEST(a_job_from_another_process_wakes_a_waiting_worker) {
  auto store = place.open(loop);
  auto elsewhere = place.open_apart(loop);
  auto worker = co_await new_worker(store, "q");
  co_await expect_wakeups(worker, elsewhere, 5);
}

BROKER_TEST(a_job_handed_back_elsewhere_wakes_a_waiting_worker) {
  auto store = place.open(loop);
  auto elsewhere = place.open_apart(loop);
  auto waiting = co_await new_worker(store, "q");
  auto holder = co_await new_worker(elsewhere, "q");
  co_await enqueue_ids(*elsewhere, "q", strings(1, "job"));
  auto ids = co_await claim_ids(holder, 1);
  EXPECT_EQ(ids.size(), 1u);
  auto none = co_await claim_ids(waiting, 1);
  EXPECT_TRUE(none.empty());
  const int before = waiting.heard->work_ready;
  co_await settle_one(holder, hand_back("job"));
  auto rung = [&] { return waiting.heard->work_ready > before; };
  co_await until(rung);
}

BROKER_TEST(a_worker_that_leaves_jobs_behind_does_not_leave_the_others_asleep) {
  const strings three = {"a", "b", "c"};
  auto store = place.open(loop);
  auto elsewhere = place.open_apart(loop);
  auto workers = co_await wake_one_of_two(store, elsewhere, three);
  auto ids = co_await claim_ids(workers.woken, 1);
  EXPECT_EQ(ids, strings(1, "a"));
  auto rung = [&] { return workers.asleep.heard->work_ready > 0; };
  co_await until(rung);
}

BROKER_TEST(a_worker_that_was_woken_and_stops_before_it_claims_wakes_another) {
  auto store = place.open(loop);
  auto elsewhere = place.open_apart(loop);
  auto workers = co_await wake_one_of_two(store, elsewhere, strings(1, "job"));
  co_await workers.woken.store->close_lease(workers.woken.held);
  auto rung = [&] { return workers.asleep.heard->work_ready > 0; };
  co_await until(rung);
}

BROKER_TEST(a_renewal_says_that_work_is_ready) {
  auto store = place.open(loop);
  auto worker = co_await new_worker(store, "q");
  auto nothing = co_await renew(worker);
  EXPECT_TRUE(nothing.held);
  EXPECT_FALSE(nothing.work_ready);
  co_await enqueue_ids(*store, "q", strings(1, "job"));
  auto something = co_await renew(worker);
  EXPECT_TRUE(something.work_ready);
}

namespace {

awaitable<void> claim_all(std::shared_ptr<broker::broker> store, std::shared_ptr<strings> all,
                          std::shared_ptr<std::size_t> left) {
  auto worker = co_await new_worker(store, "q");
  while (*left > 0) {
    auto ids = co_await claim_ids(worker, 7);
    all->insert(all->end(), ids.begin(), ids.end());
    *left -= std::min(*left, ids.size());
    if (ids.empty()) co_await sleep_for(1ms);
    std::vector<settlement> done;
    for (const auto& id : ids) done.push_back(end(id));
    auto held = co_await store->settle(worker.held, done);
    EXPECT_EQ(std::count(held.begin(), held.end(), true), static_cast<long>(ids.size()));
  }
}

}  // namespace

BROKER_TEST(fifty_workers_at_once_get_every_job_once) {
  const std::size_t count = 3'000;
  auto store = place.open(loop);
  auto elsewhere = place.open_apart(loop);
  co_await store->enqueue("q", numbered_jobs(count));
  auto all = std::make_shared<strings>();
  auto left = std::make_shared<std::size_t>(count);
  auto running = std::make_shared<int>(0);
  for (int i = 0; i < 50; ++i) start(loop, claim_all(i % 2 ? store : elsewhere, all, left), running);
  auto over = [&] { return *running == 0; };
  co_await until(over);
  EXPECT_EQ(all->size(), count);
  EXPECT_EQ(std::set<std::string>(all->begin(), all->end()).size(), count);
}

}  // namespace quarq::test::broker_wakeups_tests
