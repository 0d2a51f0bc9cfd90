// Jobs that Redis pushes to leases, and results that it pushes to clients.
#include <algorithm>
#include <thread>

#include <quarq/errors.hpp>

#include "integration/redis_broker.hpp"

namespace quarq::test::redis_broker_tests {

// ---- jobs given to a lease that did not ask

namespace {

struct push_target {
  worker_end worker;
  std::shared_ptr<std::vector<claimed_job>> given = std::make_shared<std::vector<claimed_job>>();
  std::shared_ptr<std::vector<broker::time_point>> given_at =
      std::make_shared<std::vector<broker::time_point>>();
  std::shared_ptr<int> reconnected = std::make_shared<int>(0);
};

// A lease that takes given jobs, and is idle: it may hold `room` of them.
awaitable<push_target> new_push_target(std::shared_ptr<broker::broker> store, std::string token,
                                       std::size_t room) {
  push_target made;
  made.worker.store = store;
  made.worker.held = lease{"q", token};
  made.worker.heard = std::make_shared<recorded_events>();
  broker::worker_events events;
  events.work_ready = [heard = made.worker.heard](const std::string&) { ++heard->work_ready; };
  events.cancel_requested = [heard = made.worker.heard](const std::string&, const std::string& id) {
    heard->cancels.push_back(id);
  };
  events.on_job_pushed = [given = made.given, at = made.given_at](const std::string&, claimed_job job,
                                                                  broker::time_point now) {
    given->push_back(job);
    at->push_back(now);
  };
  events.reconnected = [reconnected = made.reconnected] { ++*reconnected; };
  lease_options terms;
  terms.duration = 60s;
  co_await store->open_lease(made.worker.held, terms, std::move(events));
  auto none = co_await claim_ids(made.worker, room);
  EXPECT_TRUE(none.empty());
  co_return made;
}

new_job fresh_job(std::string id) {
  auto made = job_named(std::move(id), 7);
  made.id_is_fresh = true;
  made.expires = 1h;
  return made;
}

}  // namespace

REDIS_TEST(nothing_is_pushed_while_the_queue_is_paused, {}) {
  auto store = open(server, loop);
  auto before = co_await new_push_target(store, "before", 10);
  co_await store->set_paused("q", true);
  auto since = co_await new_push_target(store, "since", 10);
  co_await enqueue_one(*store, "q", fresh_job("a"));
  auto summary = co_await summary_of(*store, "q");
  EXPECT_EQ(summary.queued, 1u);
  EXPECT_EQ(summary.running, 0u);
  co_await store->set_paused("q", false);
  auto both_notified = [&] {
    return before.worker.heard->work_ready > 0 && since.worker.heard->work_ready > 0;
  };
  co_await until(both_notified);
  auto ids = co_await claim_ids(before.worker, 10);
  EXPECT_EQ(ids, strings(1, "a"));
  auto none = co_await claim_ids(since.worker, 10);
  EXPECT_TRUE(none.empty());
  co_await enqueue_one(*store, "q", fresh_job("b"));
  auto given = [&] { return before.given->size() + since.given->size() == 1; };
  co_await until(given);
  EXPECT_EQ(before.worker.heard->work_ready, 1);
}

REDIS_TEST(a_fresh_job_goes_straight_to_an_idle_lease_that_takes_it, {}) {
  auto store = open(server, loop);
  auto idle = co_await new_push_target(store, "idle", 10);
  co_await enqueue_one(*store, "q", fresh_job("a"));
  auto given = [&] { return idle.given->size() == 1; };
  co_await until(given);
  const auto& got = idle.given->front();
  EXPECT_EQ(got.id, "a");
  EXPECT_EQ(said_in_record(got.record), "record of a");
  EXPECT_EQ(got.attempts, 1);
  EXPECT_EQ(got.priority, 7);
  EXPECT_EQ(got.due_at, got.enqueued_at);
  EXPECT_TRUE(got.expires_at && *got.expires_at == got.enqueued_at + 1h);
  auto details = co_await store->inspect("q", "a");
  EXPECT_TRUE(details && details->state == job_state::running && details->holder == "idle");
  // It is nobody else's.
  auto other = co_await new_worker(store, "q");
  auto none = co_await claim_ids(other, 10);
  EXPECT_TRUE(none.empty());
  const bool refused = co_await settle_one(other, end("a"));
  EXPECT_FALSE(refused);
  const bool settled = co_await settle_one(idle.worker, end("a"));
  EXPECT_TRUE(settled);
  const bool again = co_await settle_one(idle.worker, end("a"));
  EXPECT_FALSE(again);
}

REDIS_TEST(a_lease_is_given_no_more_than_it_has_room_for, {}) {
  auto store = open(server, loop);
  auto idle = co_await new_push_target(store, "idle", 2);
  for (const char* id : {"a", "b", "c"}) co_await enqueue_one(*store, "q", fresh_job(id));
  auto notified = [&] { return idle.given->size() == 2 && idle.worker.heard->work_ready == 1; };
  co_await until(notified);
  auto rest = co_await claim_ids(idle.worker, 10);
  EXPECT_EQ(rest, strings(1, "c"));
}

REDIS_TEST(given_jobs_go_round_among_idle_leases, {}) {
  auto store = open(server, loop);
  auto first = co_await new_push_target(store, "first", 10);
  auto second = co_await new_push_target(store, "second", 10);
  for (const char* id : {"a", "b"}) {
    co_await sleep_for(2ms);  // who has been idle for longest is told in milliseconds
    co_await enqueue_one(*store, "q", fresh_job(id));
  }
  auto both = [&] { return first.given->size() == 1 && second.given->size() == 1; };
  co_await until(both);
}

REDIS_TEST(what_is_not_one_fresh_job_that_is_due_is_not_given, {}) {
  auto store = open(server, loop);
  auto idle = co_await new_push_target(store, "idle", 10);
  auto later = fresh_job("later");
  later.delay = 1h;
  co_await enqueue_one(*store, "q", later);
  co_await enqueue_one(*store, "q", job_named("named"));
  // Something is ready now, which comes first.
  co_await enqueue_one(*store, "q", fresh_job("fresh"));
  auto rung = [&] { return idle.worker.heard->work_ready > 0; };
  co_await until(rung);
  auto found = co_await claim_ids(idle.worker, 10);
  EXPECT_EQ(found.size(), 2u);
  EXPECT_TRUE(idle.given->empty());
}

REDIS_TEST(a_lease_whose_worker_vanished_is_given_nothing, {}) {
  auto store = open(server, loop);
  {
    auto vanishes = open(server, loop);
    auto gone = co_await new_push_target(vanishes, "gone", 10);
  }
  auto idle = co_await new_push_target(store, "idle", 10);
  const strings channels = {"PUBSUB", "CHANNELS", "quarq:{q}:lease:*"};
  auto unsubscribed = [&] { return server.command(channels).items.size() == 1; };
  co_await until(unsubscribed);
  co_await enqueue_one(*store, "q", fresh_job("a"));
  auto given = [&] { return idle.given->size() == 1; };
  co_await until(given);
  const strings held = {"EXISTS", "quarq:{q}:running:gone"};
  EXPECT_EQ(server.command(held).integer, 0);
  // And when there is nobody at all, the job waits in its list.
  const strings forget_idle = {"DEL", "quarq:{q}:idle"};
  server.command(forget_idle);
  const strings pretend = {"ZADD", "quarq:{q}:idle", "9007199254740000", "gone"};
  server.command(pretend);
  co_await enqueue_one(*store, "q", fresh_job("b"));
  auto found = co_await claim_ids(idle.worker, 10);
  EXPECT_EQ(found, strings(1, "b"));
}

REDIS_TEST(given_jobs_of_a_lost_lease_go_to_others_and_its_holder_is_refused, {}) {
  auto store = open(server, loop);
  auto idle = co_await new_push_target(store, "idle", 10);
  co_await enqueue_one(*store, "q", fresh_job("a"));
  auto given = [&] { return idle.given->size() == 1; };
  co_await until(given);
  const strings not_come = {"LLEN", "quarq:{q}:pushed:idle"};
  auto confirmed = [&] { return server.command(not_come).integer == 0; };
  co_await until(confirmed);
  const strings on_its_way = {"RPUSH", "quarq:{q}:pushed:idle", std::string(8, '\0') + "b"};
  co_await enqueue_one(*store, "q", fresh_job("b"));
  auto second = [&] { return idle.given->size() == 2; };
  co_await until(second);
  co_await until(confirmed);
  server.command(on_its_way);
  const strings run_out = {"ZADD", "quarq:leases", "1", "idle"};
  server.command(run_out);
  auto other = co_await new_worker(store, "q");
  co_await renew(other);
  auto got = co_await claim_until(other, 2);
  EXPECT_EQ(got.at(0).id, "a");
  EXPECT_EQ(got.at(0).attempts, 1);
  EXPECT_EQ(got.at(0).losses, 1);
  // For all that is known, this one lay in a socket.
  EXPECT_EQ(got.at(1).id, "b");
  EXPECT_EQ(got.at(1).losses, 0);
  const strings left = {"EXISTS", "quarq:{q}:pushed:idle", "quarq:{q}:pushed:other"};
  EXPECT_EQ(server.command(left).integer, 0);
  const bool held = co_await settle_one(idle.worker, end("a"));
  EXPECT_FALSE(held);
  const strings push_capacity = {"EXISTS", "quarq:{q}:takers"};
  EXPECT_EQ(server.command(push_capacity).integer, 0);
}

// Of many workers each renews less often.
REDIS_TEST(of_a_thousand_leases_one_that_was_silent_for_two_seconds_is_given_jobs, {}) {
  auto store = open(server, loop);
  auto silent = co_await new_push_target(store, "silent", 10);
  const strings of_a_thousand = {
      "EVAL",
      "for i = 1, 999 do redis.call('ZADD', 'quarq:leases', '9007199254740000', i) end "
      "redis.call('HSET', 'quarq:heard', 'silent', redis.call('TIME')[1] * 1000 - 2000)",
      "0"};
  server.command(of_a_thousand);
  co_await enqueue_one(*store, "q", fresh_job("a"));
  auto given = [&] { return silent.given->size() == 1; };
  co_await until(given);
  auto answer = co_await renew(silent.worker);
  EXPECT_EQ(answer.workers, 1'000u);
}

REDIS_TEST(a_lease_that_seems_to_stand_still_is_given_nothing, {}) {
  auto store = open(server, loop);
  auto silent = co_await new_push_target(store, "silent", 10);
  const strings long_ago = {"HSET", "quarq:heard", "silent", "1000"};
  server.command(long_ago);
  co_await enqueue_one(*store, "q", fresh_job("a"));
  auto well = co_await new_worker(store, "q");
  auto first = co_await claim_until(well, 1);
  EXPECT_EQ(first.at(0).id, "a");

  auto busy = co_await new_push_target(store, "busy", 10);
  // What it was pushed a while ago has not come yet.
  const strings pushed = {"RPUSH", "quarq:{q}:pushed:busy", std::string(8, '\0') + "earlier"};
  server.command(pushed);
  co_await enqueue_one(*store, "q", fresh_job("b"));
  auto second = co_await claim_until(well, 1);
  EXPECT_EQ(second.at(0).id, "b");
  EXPECT_TRUE(silent.given->empty());
  EXPECT_TRUE(busy.given->empty());
}

REDIS_TEST(a_lease_that_another_thread_renews_is_given_nothing_until_its_loop_does, {}) {
  auto store = open(server, loop);
  auto blocked = co_await new_push_target(store, "blocked", 10);
  const strings long_ago = {"HSET", "quarq:heard", "blocked", "1000"};
  server.command(long_ago);
  auto apart = open(server, loop);
  lease_options by_thread;
  by_thread.duration = 60s;
  by_thread.takes_jobs = false;
  auto answer = co_await apart->renew(blocked.worker.held, by_thread);
  EXPECT_TRUE(answer.held);
  auto well = co_await new_worker(store, "q");
  co_await enqueue_one(*store, "q", fresh_job("a"));
  auto first = co_await claim_until(well, 1);
  EXPECT_EQ(first.at(0).id, "a");
  EXPECT_TRUE(blocked.given->empty());

  co_await renew(blocked.worker);
  auto none = co_await claim_ids(blocked.worker, 10);
  EXPECT_TRUE(none.empty());
  co_await enqueue_one(*store, "q", fresh_job("b"));
  auto given = [&] { return blocked.given->size() == 1; };
  co_await until(given);
}

REDIS_TEST(a_job_that_comes_late_comes_with_the_time_of_its_coming, {}) {
  auto store = open(server, loop);
  auto idle = co_await new_push_target(store, "idle", 10);
  // This process stands still, while the message lies in its socket.
  const strings what_time = {"TIME"};
  const auto time = server.command(what_time);
  const auto now = std::stoll(time.items.at(0).text) * 1000 + std::stoll(time.items.at(1).text) / 1000;
  std::string moment;
  for (int i = 0; i < 8; ++i) moment += static_cast<char>(now >> (8 * i));
  const auto never = std::string(8, '\0');
  const strings push = {"PUBLISH", "quarq:{q}:lease:idle", "j\1a" + moment + moment + never + "\5record"};
  server.command(push);
  std::this_thread::sleep_for(300ms);
  auto given = [&] { return idle.given->size() == 1; };
  co_await until(given);
  EXPECT_GE(idle.given_at->front() - idle.given->front().enqueued_at, 250ms);
  EXPECT_LE(idle.given_at->front() - idle.given->front().enqueued_at, default_timeout);
}

REDIS_TEST(what_was_given_into_a_broken_connection_is_given_back_by_reconcile, {}) {
  auto store = open(server, loop);
  auto elsewhere = open(server, loop);
  auto idle = co_await new_push_target(store, "idle", 10);
  const strings break_it = {"CLIENT", "KILL", "TYPE", "pubsub"};
  server.command(break_it);
  auto back = [&] { return *idle.reconnected == 1; };
  co_await until(back);
  // As if the message had been on its way when the connection broke.
  co_await enqueue_one(*elsewhere, "q", fresh_job("a"));
  co_await store->reconcile(idle.worker.held, strings());
  auto state = co_await state_of(*store, "q", "a");
  EXPECT_TRUE(state == job_state::queued);
  // Until it claims again it is given nothing, as it would not know what that is.
  const auto before = idle.given->size();
  co_await enqueue_one(*elsewhere, "q", fresh_job("b"));
  auto claimed = co_await claim_ids(idle.worker, 10);
  EXPECT_EQ(claimed, (strings{"a", "b"}));
  EXPECT_EQ(idle.given->size(), before);
}

REDIS_TEST(a_lease_that_has_reconciled_is_given_nothing_until_it_claims, {}) {
  auto store = open(server, loop);
  auto elsewhere = open(server, loop);
  auto idle = co_await new_push_target(store, "idle", 10);
  co_await store->reconcile(idle.worker.held, strings());
  co_await enqueue_one(*elsewhere, "q", fresh_job("a"));
  auto state = co_await state_of(*store, "q", "a");
  EXPECT_TRUE(state == job_state::queued);
  auto claimed = co_await claim_ids(idle.worker, 10);
  EXPECT_EQ(claimed, strings(1, "a"));
  EXPECT_TRUE(idle.given->empty());
}

REDIS_TEST(a_lease_that_hands_a_given_job_back_is_not_given_it_again, {}) {
  auto store = open(server, loop);
  auto idle = co_await new_push_target(store, "idle", 10);
  auto other = co_await new_worker(store, "q");
  co_await sleep_for(2ms);
  co_await claim_ids(other, 10);
  co_await enqueue_one(*store, "q", fresh_job("a"));
  auto given = [&] { return idle.given->size() == 1; };
  co_await until(given);
  co_await settle_one(idle.worker, hand_back("a"));
  auto rung = [&] { return other.heard->work_ready == 1; };
  co_await until(rung);
  auto got = co_await claim_until(other, 1);
  EXPECT_EQ(got.at(0).attempts, 1);
}

// ---- waits that are told with the job

namespace {

// Makes the store believe that who enqueues here waits for the end.
awaitable<void> wait_often(std::shared_ptr<broker::broker> store, worker_end worker) {
  for (int i = 0; i < 40; ++i) {
    const auto id = "warm-up-" + std::to_string(i);
    auto one = fresh_job(id);
    co_await enqueue_one(*store, "q", one);
    co_await claim_ids(worker, 1);
    co_await settle_one(worker, end(id, job_state::succeeded, "", 1h));
    auto over = co_await store->wait_ended("q", id);
    EXPECT_TRUE(over.has_value());
  }
}

}  // namespace

REDIS_TEST(who_usually_waits_is_told_without_asking, {}) {
  auto store = open(server, loop);
  auto worker = co_await new_worker(store, "q");
  co_await wait_often(store, worker);
  const strings waiters = {"HKEYS", "quarq:{q}:waiters"};
  for (const bool ends_before_anybody_asks : {false, true}) {
    const std::string id = ends_before_anybody_asks ? "before" : "after";
    co_await enqueue_one(*store, "q", fresh_job(id));
    EXPECT_EQ(server.command(waiters).items.size(), 1u);
    co_await claim_ids(worker, 1);
    std::shared_ptr<wait_under_way> waiting;
    if (!ends_before_anybody_asks) waiting = start_waiting(loop, store, "q", id);
    // Not kept: only who is told knows it.
    co_await settle_one(worker, end(id, job_state::failed, "42", 0ms));
    if (ends_before_anybody_asks) waiting = start_waiting(loop, store, "q", id);
    auto over = [&] { return waiting->over; };
    co_await until(over);
    EXPECT_TRUE(waiting->outcome && said_in_outcome(waiting->outcome->outcome) == "42")
        << id << waiting->error;
  }
  EXPECT_EQ(server.command(waiters).items.size(), 0u);
}

REDIS_TEST(a_wait_that_was_told_with_the_job_goes_on_over_a_broken_connection, {}) {
  auto store = open(server, loop);
  auto elsewhere = open(server, loop);
  auto worker = co_await new_worker(elsewhere, "q");
  co_await wait_often(store, worker);
  co_await enqueue_one(*store, "q", fresh_job("job"));
  co_await claim_ids(worker, 1);
  const strings break_it = {"CLIENT", "KILL", "TYPE", "pubsub"};
  server.command(break_it);
  // Kept: the connection may be back before the wait begins.
  co_await settle_one(worker, end("job", job_state::succeeded, "42", 1min));
  auto over = co_await store->wait_ended("q", "job");
  EXPECT_TRUE(over && said_in_outcome(over->outcome) == "42");
}

}  // namespace quarq::test::redis_broker_tests
