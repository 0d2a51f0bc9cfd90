// The Redis broker when answers, messages, connections and servers get lost.
#include <algorithm>

#include <quarq/errors.hpp>

#include "broker/redis_common/result_waiters.hpp"
#include "integration/redis_broker.hpp"

namespace quarq::test::redis_broker_tests {

// ---- answers and messages that get lost

REDIS_TEST(a_call_with_the_same_number_is_answered_again_and_done_once, {}) {
  auto connection = connect(server, loop);
  auto store = open(server, loop);
  auto worker = co_await new_worker(store, "q");
  const strings call_words = {somebody, "7", "",      "600000", terms_of(job_named("x")),
                              "",       "",  "x",     "record", "y",
                              "record", "x", "record"};
  auto first = co_await call(*connection, scripts().enqueue, call_words);
  EXPECT_EQ(first.text, "110");
  auto ids = co_await claim_ids(worker, 10);
  EXPECT_EQ(ids.size(), 2u);
  for (const auto& id : ids) co_await settle_one(worker, end(id));
  // The jobs have ended and are forgotten, and still the call is known.
  auto again = co_await call(*connection, scripts().enqueue, call_words);
  EXPECT_EQ(again.text, "110");
  auto none = co_await claim_ids(worker, 10);
  EXPECT_TRUE(none.empty());
  // Another call of the same says that the first was answered: now its number is forgotten.
  strings next_words = call_words;
  next_words[1] = "8";
  next_words[2] = "7 ";
  // After an outage it may say so of many.
  for (int number = 1000; number < 10'000; ++number) next_words[2] += std::to_string(number) + " ";
  co_await call(*connection, scripts().enqueue, next_words);
  const strings remembered = {"HKEYS", "quarq:{q}:sender:" + somebody};
  auto numbers = server.command(remembered);
  EXPECT_EQ(numbers.items.size(), 1u);
  EXPECT_EQ(numbers.items.at(0).text, "8");
}

REDIS_TEST(a_settlement_with_the_same_number_is_answered_again_and_done_once, {}) {
  auto connection = connect(server, loop);
  auto store = open(server, loop);
  auto worker = co_await new_worker(store, "q");
  const strings ids = {"a", "b"};
  co_await enqueue_ids(*store, "q", ids);
  co_await claim_ids(worker, 10);
  const auto retried = broker::redis::pack_settlement(retry_after("a", 0ms));
  const strings call_words = {worker.held.token, "77", "", retried, "a", "", "nobody's", ""};
  auto first = co_await call(*connection, scripts().settle, call_words);
  EXPECT_EQ(first.text, "10");
  auto again = co_await claim_until(worker, 1);
  EXPECT_EQ(again.at(0).attempts, 2);
  // It is held again by now; the repeated call is of the first time.
  auto repeated = co_await call(*connection, scripts().settle, call_words);
  EXPECT_EQ(repeated.text, "10");
  auto state = co_await state_of(*store, "q", "a");
  EXPECT_TRUE(state == job_state::running);
}

REDIS_TEST(what_operators_ask_for_with_the_same_number_is_answered_again_and_done_once, {}) {
  auto connection = connect(server, loop);
  auto store = open(server, loop);
  auto worker = co_await new_worker(store, "q");
  const strings ids = {"a", "b"};
  co_await enqueue_ids(*store, "q", ids);
  co_await claim_ids(worker, 2);
  for (const auto& id : ids) co_await settle_one(worker, end(id, job_state::dead, "why"));
  const strings requeue_a = {somebody, "1", "", "", "a"}, purge = {somebody, "3", "", "0"};
  const strings cancel_a = {somebody, "2", "", "a", broker::redis::pack_end(0ms, "why")};
  auto answer = co_await call(*connection, scripts().requeue, requeue_a);
  EXPECT_EQ(answer.items.at(0).integer, 1);
  answer = co_await call(*connection, scripts().requeue, requeue_a);
  EXPECT_EQ(answer.items.at(0).integer, 1);
  answer = co_await call(*connection, scripts().cancel, cancel_a);
  EXPECT_EQ(answer.text, "cancelled");
  co_await enqueue_ids(*store, "q", strings(1, "a"));
  answer = co_await call(*connection, scripts().cancel, cancel_a);
  EXPECT_EQ(answer.text, "cancelled");
  auto state = co_await state_of(*store, "q", "a");
  EXPECT_TRUE(state == job_state::queued) << "the second a was never to be cancelled";
  answer = co_await call(*connection, scripts().purge, purge);
  EXPECT_EQ(answer.items.at(0).integer, 1);
  co_await enqueue_ids(*store, "q", strings(1, "later"));
  answer = co_await call(*connection, scripts().purge, purge);
  EXPECT_EQ(answer.items.at(0).integer, 1);
  state = co_await state_of(*store, "q", "later");
  EXPECT_TRUE(state == job_state::queued) << "it came after the purge";
}

namespace {

awaitable<void> enqueue_one_by_one(std::shared_ptr<broker::broker> store, std::size_t count,
                                   std::string prefix) {
  auto many = numbered_jobs(count, prefix);
  for (auto& one : many) {
    one.id_is_fresh = true;
    auto answer = co_await enqueue_one(*store, "q", one);
    EXPECT_EQ(answer, accepted::yes);
  }
}

}  // namespace

REDIS_TEST(clients_whose_connections_break_again_and_again_send_every_job_once, {}) {
  constexpr std::size_t each = 60;
  auto store = open(server, loop);
  auto elsewhere = open(server, loop);
  auto worker = co_await new_worker(elsewhere, "q");
  auto running = std::make_shared<int>(0);
  for (const char* prefix : {"a", "b", "c"}) start(loop, enqueue_one_by_one(store, each, prefix), running);
  std::vector<std::string> seen;
  int round = 0;
  const auto deadline = std::chrono::steady_clock::now() + default_timeout;
  while ((*running > 0 || seen.size() < 3 * each) && std::chrono::steady_clock::now() < deadline) {
    // The worker has a subscription, so it is not a "normal" client. Now and then a connection lives long
    // enough to be set up, also where that is slow.
    const strings break_it = {"CLIENT", "KILL", "TYPE", "normal"};
    if (round++ % 8 == 0) server.command(break_it);
    auto ids = co_await claim_ids(worker, 10);
    for (const auto& id : ids) co_await settle_one(worker, end(id));
    seen.insert(seen.end(), ids.begin(), ids.end());
    co_await sleep_for(1ms);
  }
  EXPECT_EQ(*running, 0);
  EXPECT_EQ(seen.size(), 3 * each);
  EXPECT_EQ(std::set<std::string>(seen.begin(), seen.end()).size(), 3 * each);
}

REDIS_TEST(an_outcome_that_nobody_heard_waits_for_its_client, {}) {
  auto connection = connect(server, loop);
  auto store = open(server, loop);
  auto worker = co_await new_worker(store, "q");
  co_await enqueue_ids(*store, "q", strings(1, "job"));
  const strings question = {somebody, "1000", "1000", "job"};
  auto answer = co_await call(*connection, scripts().wait, question);
  EXPECT_EQ(answer.items.at(0).integer, 0);
  co_await claim_ids(worker, 1);
  co_await settle_one(worker, end("job", job_state::failed, "why"));  // not kept, and somebody is not there
  const strings time_left = {"PTTL", "quarq:{q}:mail:" + somebody};
  EXPECT_GT(server.command(time_left).integer, 0) << "a client that never comes back leaves nothing";
  answer = co_await call(*connection, scripts().wait, question);
  EXPECT_EQ(answer.items.at(0).text, "4" + outcome_saying("why", job_state::failed));
  // That answer may have got lost.
  answer = co_await call(*connection, scripts().wait, question);
  EXPECT_EQ(answer.items.at(0).text, "4" + outcome_saying("why", job_state::failed));
  // An end of an earlier job of this id is no answer.
  co_await enqueue_ids(*store, "q", strings(1, "job"));
  answer = co_await call(*connection, scripts().wait, question);
  EXPECT_EQ(answer.items.at(0).integer, 0);
  // Nor is it one when the later job has ended, and its client has heard that.
  int heard = 0;
  std::function<void(std::string_view)> receive = [&](std::string_view) { ++heard; };
  co_await connection->subscribe("quarq:{q}:client:" + somebody, receive);
  co_await claim_ids(worker, 1);
  co_await settle_one(worker, end("job"));
  auto notified = [&] { return heard == 1; };
  co_await until(notified);
  answer = co_await call(*connection, scripts().wait, question);
  EXPECT_EQ(answer.items.at(0).integer, 1);
}

REDIS_TEST(a_wait_whose_message_got_lost_is_asked_again, {}) {
  auto connection = connect(server, loop);
  auto payloads = connect(server, loop);
  auto waits = std::make_shared<broker::redis_common::result_waiters>(
      loop, *connection, broker::redis::scripts().wait, broker::redis::key_prefix, 30ms, payloads.get());
  auto store = open(server, loop);
  auto worker = co_await new_worker(store, "q");
  co_await enqueue_ids(*store, "q", strings(1, "job"));
  auto notified = std::make_shared<std::optional<std::string>>();
  auto running = std::make_shared<int>(0);
  auto waiting = [](auto on, auto into) -> awaitable<void> { *into = co_await on->wait("q", "job"); };
  start(loop, waiting(waits, notified), running);
  const strings waiters = {"HLEN", "quarq:{q}:waiters"};
  auto noted = [&] { return server.command(waiters).integer == 1; };
  co_await until(noted);
  co_await claim_ids(worker, 1);
  const strings lose = {"DEL", "quarq:{q}:waiters"};
  server.command(lose);
  co_await settle_one(worker, end("job", job_state::succeeded, "42", 1h));
  auto over = [&] { return *running == 0; };
  co_await until(over);
  EXPECT_TRUE(*notified && **notified == "3" + outcome_saying("42"));
  waits->close();
}

REDIS_TEST(waits_go_on_over_broken_connections, {}) {
  auto store = open(server, loop);
  auto elsewhere = open(server, loop);
  auto worker = co_await new_worker(elsewhere, "q");
  for (int round = 0; round < 10; ++round) {
    co_await enqueue_ids(*store, "q", strings(1, "job"));
    auto waiting = start_waiting(loop, store, "q", "job");
    const strings break_all = {"CLIENT", "KILL", "TYPE", "pubsub"};
    server.command(break_all);
    co_await claim_until(worker, 1);
    co_await settle_one(worker, end("job", job_state::succeeded, "42", 20s));
    auto notified = [&] { return waiting->over; };
    co_await until(notified);
    EXPECT_EQ(waiting->error, "");
    EXPECT_TRUE(waiting->outcome && said_in_outcome(waiting->outcome->outcome) == "42");
    co_await store->purge("q", job_state::succeeded);
  }
}

REDIS_TEST(client_and_worker_live_through_a_crash_of_the_server, appendonly()) {
  auto store = open(server, loop);
  auto elsewhere = open(server, loop);
  worker_end worker;
  worker.store = elsewhere;
  worker.held.queue = "q";
  worker.held.token = "T";
  int reconnected = 0, work_ready = 0;
  broker::worker_events events;
  events.reconnected = [&] { ++reconnected; };
  events.work_ready = [&](const std::string&) { ++work_ready; };
  lease_options terms;
  terms.duration = 60s;
  co_await elsewhere->open_lease(worker.held, terms, events);
  const strings ids = {"running", "queued"};
  co_await enqueue_ids(*store, "q", ids);
  auto claimed = co_await claim_ids(worker, 1);
  EXPECT_EQ(claimed, strings(1, "running"));
  auto first = start_waiting(loop, store, "q", "running");
  auto second = start_waiting(loop, store, "q", "queued");
  co_await store->queues();
  server.kill();
  server.restart();
  auto back = [&] { return reconnected > 0 && work_ready > 0; };
  co_await until(back);
  auto answer = co_await renew(worker);
  EXPECT_TRUE(answer.held);
  const strings known(1, "running");
  co_await elsewhere->reconcile(worker.held, known);
  const bool held = co_await settle_one(worker, end("running", job_state::succeeded, "1", 1h));
  EXPECT_TRUE(held);
  auto rest = co_await claim_ids(worker, 5);
  EXPECT_EQ(rest, strings(1, "queued"));
  co_await settle_one(worker, end("queued", job_state::succeeded, "2", 1h));
  auto notified = [&] { return first->over && second->over; };
  co_await until(notified);
  EXPECT_TRUE(first->outcome && said_in_outcome(first->outcome->outcome) == "1");
  EXPECT_TRUE(second->outcome && said_in_outcome(second->outcome->outcome) == "2");
}

REDIS_TEST(a_server_that_lost_everything_is_used_anew, {}) {
  auto store = open(server, loop);
  auto worker = co_await new_worker(store, "q");
  co_await enqueue_ids(*store, "q", strings(1, "job"));
  auto waiting = start_waiting(loop, store, "q", "job");
  co_await store->queues();
  server.kill();
  server.restart();
  auto notified = [&] { return waiting->over; };
  co_await until(notified);
  EXPECT_TRUE(waiting->error.empty() && !waiting->outcome);
  auto answer = co_await renew(worker);
  EXPECT_FALSE(answer.held);
  co_await enqueue_ids(*store, "q", strings(1, "job"));
  auto all = co_await store->queues();
  EXPECT_EQ(all.size(), 1u);
  for (const auto& key : server.keys()) {
    if (key.find(":sender:") == std::string::npos) continue;
    const strings time_left = {"PTTL", key};
    EXPECT_GT(server.command(time_left).integer, 0) << key;
  }
}

// ---- who is woken

REDIS_TEST(jobs_of_one_call_wake_one_worker_after_the_other, {}) {
  auto store = open(server, loop);
  auto first = co_await new_worker(store, "q");
  auto second = co_await new_worker(store, "q");
  co_await claim_ids(first, 1);
  co_await claim_ids(second, 1);
  const strings ids = {"a", "b"};
  co_await enqueue_ids(*store, "q", ids);
  auto one_rung = [&] { return first.heard->work_ready + second.heard->work_ready == 1; };
  co_await until(one_rung);
  const bool first_rung = first.heard->work_ready == 1;
  auto got = co_await claim_ids(first_rung ? first : second, 1);
  EXPECT_EQ(got, strings(1, "a"));
  // That one is full, and passes the word on.
  auto both_rung = [&] { return first.heard->work_ready == 1 && second.heard->work_ready == 1; };
  co_await until(both_rung);
}

REDIS_TEST(a_worker_that_vanished_is_passed_over, {}) {
  auto store = open(server, loop);
  {
    auto vanishes = open(server, loop);
    auto gone = co_await new_worker(vanishes, "q");
    co_await claim_ids(gone, 1);
    gone.store.reset();
  }
  auto worker = co_await new_worker(store, "q");
  co_await claim_ids(worker, 1);
  const strings channels = {"PUBSUB", "CHANNELS", "quarq:{q}:lease:*"};
  auto unsubscribed = [&] { return server.command(channels).items.size() == 1; };
  co_await until(unsubscribed);
  co_await enqueue_ids(*store, "q", strings(1, "job"));
  auto rung = [&] { return worker.heard->work_ready == 1; };
  co_await until(rung);
}

REDIS_TEST(when_the_one_that_watches_the_clock_gets_busy_another_is_woken, {}) {
  auto store = open(server, loop);
  auto later = job_named("later");
  later.delay = 1h;
  co_await enqueue_one(*store, "q", later);
  auto watches = co_await new_worker(store, "q");
  auto other = co_await new_worker(store, "q");
  auto promised = co_await store->claim(watches.held, 1);
  EXPECT_TRUE(promised.next_due.has_value());
  co_await claim_ids(other, 1);
  // The other is the one to be woken for what is ready now; the first keeps watching.
  co_await enqueue_ids(*store, "q", strings(1, "now"));
  auto rung = [&] { return other.heard->work_ready == 1; };
  co_await until(rung);
  EXPECT_EQ(watches.heard->work_ready, 0);
  auto none_left = co_await claim_ids(other, 1);
  EXPECT_EQ(none_left, strings(1, "now"));
  co_await settle_one(other, end("now"));
  co_await claim_ids(other, 1);
  // The first takes a job by chance, before anybody was woken for it, and is full.
  co_await enqueue_ids(*store, "q", strings(1, "more"));
  auto rung_again = [&] { return other.heard->work_ready == 2; };
  co_await until(rung_again);
  co_await claim_ids(watches, 1);
  co_await claim_ids(other, 1);
  const strings idle = {"ZRANGE", "quarq:{q}:idle", "0", "-1", "WITHSCORES"};
  auto left = server.command(idle);
  EXPECT_EQ(left.items.size(), 2u);
  EXPECT_EQ(left.items.at(0).text, other.held.token);
  EXPECT_LT(std::stod(left.items.at(1).text), 4e12) << "the other watches now";
}

REDIS_TEST(a_worker_that_watched_for_a_due_time_and_is_full_has_another_watch, {}) {
  auto store = open(server, loop);
  auto watches = co_await new_worker(store, "q");
  auto second = co_await new_worker(store, "q");
  auto third = co_await new_worker(store, "q");
  auto later = job_named("later");
  later.delay = 1h;
  co_await enqueue_one(*store, "q", later);
  for (const auto& one : {watches, second, third}) {
    auto none = co_await claim_ids(one, 1);
    EXPECT_TRUE(none.empty());
  }
  auto woken = [&] { return second.heard->work_ready + third.heard->work_ready; };
  co_await enqueue_ids(*store, "q", strings(1, "now"));
  auto one = [&] { return woken() == 1; };
  co_await until(one);
  // It comes before the one that was woken.
  auto now = co_await claim_ids(watches, 1);
  EXPECT_EQ(now, strings(1, "now"));
  auto both = [&] { return woken() == 2; };
  co_await until(both);
}

// ---- outages

REDIS_TEST(after_an_outage_every_worker_has_time_to_come_back, {}) {
  auto store = open(server, loop);
  auto elsewhere = open(server, loop);
  auto first = co_await new_worker(store, "q", 1s);
  auto second = co_await new_worker(elsewhere, "q", 1s);
  const strings ids = {"a", "b"};
  co_await enqueue_ids(*store, "q", ids);
  co_await claim_ids(first, 1);
  co_await claim_ids(second, 1);
  const strings now = {"TIME"}, last = {"ZRANGE", "quarq:leases", "-1", "-1", "WITHSCORES"};
  auto ran_out = [&] {
    const auto time = server.command(now);
    return std::stod(time.items.at(0).text) * 1000 > std::stod(server.command(last).items.at(1).text);
  };
  co_await until(ran_out);
  // Nobody has renewed in time, so it was not the second's fault.
  auto answer = co_await renew(first, 1s);
  EXPECT_TRUE(answer.held);
  answer = co_await renew(first, 1s);
  EXPECT_FALSE(answer.work_ready);
  answer = co_await renew(second, 1s);
  EXPECT_TRUE(answer.held);
  const bool held = co_await settle_one(second, end("b"));
  EXPECT_TRUE(held);
}

}  // namespace quarq::test::redis_broker_tests
