// How every broker tells those who wait for a job, and for how long an outcome can be looked up.
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>

#include <quarq/errors.hpp>

#include "integration/broker_conformance.hpp"

namespace quarq::test::broker_waiting_tests {

namespace {

awaitable<worker_end> worker_with_running_job(std::shared_ptr<broker::broker> store) {
  co_await enqueue_ids(*store, "q", strings(1, "job"));
  auto worker = co_await new_worker(store, "q");
  auto ids = co_await claim_ids(worker, 1);
  EXPECT_EQ(ids, strings(1, "job"));
  co_return worker;
}

awaitable<void> wait_for_job(std::shared_ptr<broker::broker> store) {
  co_await store->wait_ended("q", "job");
}

}  // namespace

BROKER_TEST(who_waits_before_the_end_is_told_the_outcome_though_it_is_not_kept) {
  auto store = place.open(loop);
  auto elsewhere = place.open_apart(loop);
  co_await enqueue_ids(*store, "q", strings(1, "job"));
  std::vector<std::shared_ptr<wait_under_way>> waits;
  for (int i = 0; i < 30; ++i) waits.push_back(start_waiting(loop, i % 2 ? store : elsewhere, "q", "job"));
  auto worker = co_await new_worker(store, "q");
  co_await claim_ids(worker, 1);
  // Answers come in the order of the questions, so by now both brokers have the waits.
  co_await store->queues();
  co_await elsewhere->queues();
  for (const auto& one : waits) EXPECT_FALSE(one->over);
  co_await settle_one(worker, end("job", job_state::failed, std::string("no\0pe", 5)));
  co_await until_all_are_over(waits);
  for (const auto& one : waits) {
    EXPECT_EQ(one->error, "");
    EXPECT_TRUE(one->outcome && one->outcome->state == job_state::failed);
    EXPECT_TRUE(one->outcome && said_in_outcome(one->outcome->outcome) == std::string("no\0pe", 5));
  }
  auto late = co_await store->wait_ended("q", "job");
  EXPECT_FALSE(late);
}

// Where a store notes who waits for a job, it notes so many in another way.
BROKER_TEST(twenty_clients_of_one_job_are_all_told) {
  auto store = place.open(loop);
  auto worker = co_await worker_with_running_job(store);
  std::vector<std::shared_ptr<broker::broker>> clients;
  std::vector<std::shared_ptr<wait_under_way>> waits;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(place.open_apart(loop));
    waits.push_back(start_waiting(loop, clients.back(), "q", "job"));
    co_await clients.back()->queues();
  }
  co_await settle_one(worker, end("job", job_state::succeeded, "told to all"));
  co_await until_all_are_over(waits);
  for (const auto& one : waits)
    EXPECT_TRUE(one->outcome && said_in_outcome(one->outcome->outcome) == "told to all");
}

BROKER_TEST(waiting_survives_retries_and_a_change_of_worker) {
  auto store = place.open(loop);
  auto elsewhere = place.open_apart(loop);
  auto worker = co_await worker_with_running_job(store);
  auto here = start_waiting(loop, store, "q", "job");
  auto there = start_waiting(loop, elsewhere, "q", "job");
  co_await elsewhere->queues();
  co_await settle_one(worker, retry_after("job", 1ms));
  co_await claim_until(worker, 1);
  co_await settle_one(worker, hand_back("job"));
  auto other = co_await new_worker(elsewhere, "q");
  co_await claim_until(other, 1);
  EXPECT_FALSE(here->over);
  EXPECT_FALSE(there->over);
  co_await settle_one(other, end("job", job_state::succeeded, "at last", 1h));
  auto notified = [&] { return here->over && there->over; };
  co_await until(notified);
  EXPECT_TRUE(here->outcome && said_in_outcome(here->outcome->outcome) == "at last");
  EXPECT_TRUE(there->outcome && said_in_outcome(there->outcome->outcome) == "at last");
}

BROKER_TEST(many_waits_for_many_jobs_are_each_told_their_own) {
  auto store = place.open(loop);
  auto elsewhere = place.open_apart(loop);
  const std::size_t count = 300;
  auto many = numbered_jobs(count);
  co_await store->enqueue("q", many);
  std::vector<std::shared_ptr<wait_under_way>> waits;
  for (const auto& one : many) waits.push_back(start_waiting(loop, elsewhere, "q", one.id));
  auto worker = co_await new_worker(store, "q");
  std::size_t done = 0;
  while (done < count) {
    auto claimed = co_await store->claim(worker.held, 16);
    std::vector<settlement> ends;
    for (const auto& one : claimed.jobs) {
      // Kept, so that a wait that comes late is told all the same.
      ends.push_back(end(one.id, job_state::succeeded, "outcome of " + one.id, 1h));
    }
    co_await store->settle(worker.held, ends);
    done += ends.size();
  }
  co_await until_all_are_over(waits);
  for (std::size_t i = 0; i < count; ++i) {
    EXPECT_TRUE(waits[i]->outcome &&
                said_in_outcome(waits[i]->outcome->outcome) == "outcome of " + many[i].id)
        << i;
  }
}

BROKER_TEST(waits_for_jobs_whose_queues_and_ids_read_alike_together_are_told_apart) {
  auto store = place.open(loop);
  auto worker = co_await new_worker(store, "q1");
  co_await enqueue_ids(*store, "q", strings(1, "1x"));
  co_await enqueue_ids(*store, "q1", strings(1, "x"));
  auto of_q = start_waiting(loop, store, "q", "1x");
  auto of_q1 = start_waiting(loop, store, "q1", "x");
  co_await store->queues();
  co_await claim_ids(worker, 1);
  co_await settle_one(worker, end("x", job_state::succeeded, "42", 1h));
  auto notified = [&] { return of_q1->over; };
  co_await until(notified);
  co_await store->queues();
  EXPECT_FALSE(of_q->over);
}

BROKER_TEST(a_wait_for_what_is_not_there_ends_at_once_with_nothing) {
  auto store = place.open(loop);
  auto never = co_await store->wait_ended("q", "never was");
  EXPECT_FALSE(never);
  auto worker = co_await worker_with_running_job(store);
  co_await settle_one(worker, end("job", job_state::succeeded, "42"));
  auto forgotten = co_await store->wait_ended("q", "job");
  EXPECT_FALSE(forgotten);
}

BROKER_TEST(a_wait_for_a_dead_job_is_told_so) {
  auto store = place.open(loop);
  auto worker = co_await worker_with_running_job(store);
  auto before = start_waiting(loop, store, "q", "job");
  co_await store->queues();
  // A dead job is kept whatever `keep` says.
  co_await settle_one(worker, end("job", job_state::dead, "why", 0ms));
  auto notified = [&] { return before->over; };
  co_await until(notified);
  EXPECT_TRUE(before->outcome && before->outcome->state == job_state::dead &&
              said_in_outcome(before->outcome->outcome) == "why");
  auto after = co_await store->wait_ended("q", "job");
  EXPECT_TRUE(after && after->state == job_state::dead && said_in_outcome(after->outcome) == "why");
}

BROKER_TEST(a_wait_for_a_purged_job_ends_with_nothing) {
  auto store = place.open(loop);
  auto elsewhere = place.open_apart(loop);
  co_await enqueue_ids(*store, "q", strings(1, "job"));
  auto here = start_waiting(loop, store, "q", "job");
  auto there = start_waiting(loop, elsewhere, "q", "job");
  co_await store->queues();
  co_await elsewhere->queues();
  EXPECT_FALSE(here->over);
  co_await store->purge("q", job_state::queued);
  auto notified = [&] { return here->over && there->over; };
  co_await until(notified);
  EXPECT_TRUE(!here->outcome && here->error.empty());
  EXPECT_TRUE(!there->outcome && there->error.empty());
}

BROKER_TEST(cancelling_the_await_forgets_the_wait_and_nothing_else) {
  auto store = place.open(loop);
  auto worker = co_await worker_with_running_job(store);
  boost::asio::cancellation_signal stop;
  std::exception_ptr failure;
  bool over = false;
  auto note = [&](std::exception_ptr e) {
    failure = e;
    over = true;
  };
  boost::asio::co_spawn(loop, wait_for_job(store), boost::asio::bind_cancellation_slot(stop.slot(), note));
  auto stays = start_waiting(loop, store, "q", "job");
  co_await store->queues();
  EXPECT_FALSE(over);
  stop.emit(boost::asio::cancellation_type::terminal);
  auto cancelled = [&] { return over; };
  co_await until(cancelled);
  EXPECT_TRUE(failure);
  EXPECT_FALSE(stays->over);
  const bool held = co_await settle_one(worker, end("job", job_state::succeeded, "42", 1h));
  EXPECT_TRUE(held);
  auto notified = [&] { return stays->over; };
  co_await until(notified);
  EXPECT_TRUE(stays->outcome && said_in_outcome(stays->outcome->outcome) == "42");
}

// ---- keeping

BROKER_TEST(a_kept_outcome_can_be_looked_up_until_its_time_is_over) {
  auto store = place.open(loop);
  auto elsewhere = place.open_apart(loop);
  auto worker = co_await worker_with_running_job(store);
  co_await settle_one(worker, end("job", job_state::succeeded, "42", 2s));
  auto found = co_await elsewhere->wait_ended("q", "job");
  EXPECT_TRUE(found && found->state == job_state::succeeded && said_in_outcome(found->outcome) == "42");
  auto details = co_await store->inspect("q", "job");
  EXPECT_TRUE(details && details->state == job_state::succeeded && said_in_outcome(details->outcome) == "42");
  EXPECT_TRUE(details && details->record.empty());
  const auto deadline = std::chrono::steady_clock::now() + default_timeout;
  while (details && std::chrono::steady_clock::now() < deadline) {
    co_await sleep_for(5ms);
    details = co_await store->inspect("q", "job");
  }
  EXPECT_FALSE(details);
  found = co_await elsewhere->wait_ended("q", "job");
  EXPECT_FALSE(found);
  co_await renew(worker);
  auto summary = co_await summary_of(*store, "q");
  EXPECT_EQ(summary.kept, 0u);
}

BROKER_TEST(an_outcome_can_be_kept_for_ever_or_not_at_all) {
  auto store = place.open(loop);
  auto worker = co_await new_worker(store, "q");
  const strings ids = {"for ever", "not at all"};
  co_await enqueue_ids(*store, "q", ids);
  co_await claim_ids(worker, 2);
  std::vector<settlement> ends;
  ends.push_back(end("for ever", job_state::expired, "too late", std::nullopt));
  ends.push_back(end("not at all", job_state::succeeded, "42", 0ms));
  co_await store->settle(worker.held, ends);
  co_await renew(worker);
  auto kept = co_await store->wait_ended("q", "for ever");
  EXPECT_TRUE(kept && kept->state == job_state::expired && said_in_outcome(kept->outcome) == "too late");
  auto gone = co_await store->inspect("q", "not at all");
  EXPECT_FALSE(gone);
  auto summary = co_await summary_of(*store, "q");
  EXPECT_EQ(summary.kept, 1u);
  EXPECT_EQ(summary.dead, 0u);
}

}  // namespace quarq::test::broker_waiting_tests
