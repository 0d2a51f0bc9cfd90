// What is true of the Redis broker alone: its keys, its scripts, and what the server and the connection do to
// it.
#include <algorithm>

#include <quarq/errors.hpp>

#include "broker/redis/scripts.hpp"
#include "broker/redis_common/result_waiters.hpp"
#include "broker/redis_common/server_checks.hpp"
#include "integration/broker_conformance.hpp"
#include "redis/url.hpp"
#include "support/on_loop.hpp"
#include "support/redis_server.hpp"

namespace quarq::test::redis_broker_tests {

namespace {

using broker::redis::scripts;

redis_server_options appendonly() {
  redis_server_options options;
  options.appendonly = true;
  return options;
}

awaitable<void> on_this_loop(awaitable<void> (*test)(server_info&, any_io_executor), server_info& server) {
  auto loop = co_await boost::asio::this_coro::executor;
  co_await test(server, loop);
}

void run(redis_server_options options, awaitable<void> (*test)(server_info&, any_io_executor)) {
  server_info server(options);
  run_on_loop(on_this_loop(test, server));
}

#define REDIS_TEST(name, options)                              \
  static awaitable<void> name(server_info&, any_io_executor); \
  TEST(redis_broker, name) {                                   \
    run(options, name);                                        \
  }                                                            \
  static awaitable<void> name([[maybe_unused]] server_info& server, [[maybe_unused]] any_io_executor loop)

std::shared_ptr<broker::broker> open(const server_info& server, any_io_executor loop) {
  return broker::open(server.url(), loop);
}

std::unique_ptr<redis::connection> connect(const server_info& server, any_io_executor loop) {
  return std::make_unique<redis::connection>(loop, redis::parse_url(server.url()), scripts().all());
}

awaitable<redis::reply> call(redis::connection& connection, const redis::script& script, strings words) {
  strings keys(1, broker::redis::key_prefix("q"));
  auto reply = co_await connection.run(script, keys, words);
  co_return reply;
}

std::string all_lines(const strings& lines) {
  std::string text;
  for (const auto& line : lines) text += line + "\n";
  return text;
}

std::string terms_of(const new_job& job) {
  return broker::redis::pack_options(job);
}

const std::string somebody = "0123456789ABCDEFGHJKMNPQRS";  // a name as clients have it

}  // namespace

// ---- names

TEST(redis_broker, a_queue_name_can_not_end_the_hash_tag) {
  EXPECT_EQ(broker::redis::key_prefix("mails"), "quarq:{mails}:");
  EXPECT_EQ(broker::redis::key_prefix("a}b{c%"), "quarq:{a%7Db%7Bc%25}:");
  EXPECT_THROW(broker::redis::key_prefix(""), usage_error);
}

// ---- the server

TEST(redis_broker, an_old_server_is_refused_by_its_version) {
  EXPECT_THROW(broker::redis_common::check_version("# Server\r\nredis_version:6.0.16\r\nx:y\r\n"),
               broker_error);
  EXPECT_THROW(broker::redis_common::check_version("# Server\r\nredis_version:5.0.14\r\n"), broker_error);
  EXPECT_NO_THROW(broker::redis_common::check_version("# Server\r\nredis_version:6.2.0\r\n"));
  EXPECT_NO_THROW(broker::redis_common::check_version("# Server\r\nredis_version:10.0.1\r\n"));
  EXPECT_NO_THROW(broker::redis_common::check_version(""));
}

REDIS_TEST(a_server_that_writes_nothing_to_disk_is_reported, {}) {
  auto store = open(server, loop);
  auto lines = co_await store->warnings();
  EXPECT_EQ(lines.size(), 1u) << all_lines(lines);
  EXPECT_NE(all_lines(lines).find("appendonly yes"), std::string::npos) << all_lines(lines);
  const strings save = {"CONFIG", "SET", "save", "3600 1"};
  server.command(save);
  lines = co_await store->warnings();
  EXPECT_TRUE(lines.empty()) << all_lines(lines);
}

REDIS_TEST(what_could_not_be_checked_is_said, {}) {
  const strings no_config = {"ACL", "SETUSER", "default", "-config"};
  server.command(no_config);
  auto store = open(server, loop);
  auto lines = co_await store->warnings();
  EXPECT_NE(all_lines(lines).find("could not be checked"), std::string::npos) << all_lines(lines);
  const strings no_info = {"ACL", "SETUSER", "default", "-info"};
  server.command(no_info);
  auto other = open(server, loop);
  lines = co_await other->warnings();
  EXPECT_NE(all_lines(lines).find("could not be checked"), std::string::npos) << all_lines(lines);
  co_await enqueue_ids(*other, "q", strings(1, "job"));
}

REDIS_TEST(eviction_is_reported, appendonly()) {
  auto store = open(server, loop);
  const strings any = {"CONFIG", "SET", "maxmemory-policy", "allkeys-lru"};
  server.command(any);
  auto lines = co_await store->warnings();
  EXPECT_TRUE(lines.empty()) << "without a limit nothing is evicted: " << all_lines(lines);
  const strings limit = {"CONFIG", "SET", "maxmemory", "100mb"};
  server.command(limit);
  lines = co_await store->warnings();
  EXPECT_NE(all_lines(lines).find("allkeys-lru"), std::string::npos) << all_lines(lines);
  const strings some = {"CONFIG", "SET", "maxmemory-policy", "volatile-ttl"};
  server.command(some);
  lines = co_await store->warnings();
  EXPECT_NE(all_lines(lines).find("kept results"), std::string::npos) << all_lines(lines);
  const strings none = {"CONFIG", "SET", "maxmemory-policy", "noeviction"};
  server.command(none);
  lines = co_await store->warnings();
  EXPECT_TRUE(lines.empty()) << all_lines(lines);
}

REDIS_TEST(a_newer_format_is_refused_in_a_clear_line, {}) {
  const strings newer = {"SET", "quarq:{q}:format", "2"};
  server.command(newer);
  auto store = open(server, loop);
  auto text = co_await error_of<broker_error>(enqueue_one(*store, "q", job_named("a")));
  EXPECT_NE(text.find("quarq:{q}:* have format version 2"), std::string::npos) << text;
  text = co_await error_of<broker_error>(new_worker(store, "q"));
  EXPECT_NE(text.find("format version 2"), std::string::npos) << text;
  text = co_await error_of<broker_error>(store->wait_ended("q", "a"));
  EXPECT_NE(text.find("format version 2"), std::string::npos) << text;
  co_await enqueue_ids(*store, "another", strings(1, "a"));
  const strings expected = {"quarq:queues", "quarq:{another}:format", "quarq:{another}:jobs",
                            "quarq:{another}:ready:5", "quarq:{q}:format"};
  auto keys = server.keys();
  std::erase_if(keys, [](const auto& key) { return key.find(":sender:") != std::string::npos; });
  EXPECT_EQ(keys, expected);
}

REDIS_TEST(a_flushed_script_cache_is_filled_again, {}) {
  auto store = open(server, loop);
  auto worker = co_await new_worker(store, "q");
  for (int round = 0; round < 3; ++round) {
    const strings flush = {"SCRIPT", "FLUSH"};
    server.command(flush);
    co_await enqueue_ids(*store, "q", strings(1, "job"));
    server.command(flush);
    auto ids = co_await claim_ids(worker, 10);
    EXPECT_EQ(ids, strings(1, "job"));
    server.command(flush);
    const bool held = co_await settle_one(worker, end("job"));
    EXPECT_TRUE(held);
  }
}

// ---- no key stays behind

REDIS_TEST(when_all_jobs_have_ended_only_the_queue_itself_is_left, {}) {
  auto store = open(server, loop);
  auto elsewhere = open(server, loop);
  auto worker = co_await new_worker(store, "q");
  auto many = numbered_jobs(40);
  for (std::size_t i = 0; i < many.size(); ++i) {
    many[i].priority = static_cast<int>(i % 10);
    if (i % 4 == 0) many[i].delay = 5ms;
  }
  co_await store->enqueue("q", many);
  std::vector<std::shared_ptr<wait_under_way>> waits;
  for (std::size_t i = 0; i < many.size(); i += 3)
    waits.push_back(start_waiting(loop, elsewhere, "q", many[i].id));
  co_await elsewhere->queues();
  co_await claim_until(worker, 40);
  co_await store->cancel("q", many[1].id, "why", 20ms);
  co_await store->cancel("q", many[6].id, "why", 0ms);
  std::vector<settlement> batch;
  for (std::size_t i = 0; i < many.size(); ++i) {
    switch (i % 5) {
      case 0:
        batch.push_back(retry_after(many[i].id, 1ms));
        break;
      case 1:
        batch.push_back(hand_back(many[i].id));
        break;
      case 2:
        batch.push_back(end(many[i].id, job_state::dead, "why"));
        break;
      case 3:
        batch.push_back(end(many[i].id, job_state::succeeded, "42", 20ms));
        break;
      default:
        batch.push_back(end(many[i].id));
    }
  }
  co_await store->settle(worker.held, batch);
  co_await store->requeue("q", strings(1, many[2].id));
  co_await store->purge("q", job_state::dead);
  auto rest = co_await claim_until(worker, 15);
  for (const auto& one : rest) co_await settle_one(worker, end(one.id));
  auto all_told = [&] {
    return std::all_of(waits.begin(), waits.end(), [](const auto& one) { return one->over; });
  };
  co_await until(all_told);
  const auto deadline = std::chrono::steady_clock::now() + default_timeout;
  strings keys;
  const auto settled_by = "quarq:{q}:settled:" + worker.held.token;
  const strings expected = {"quarq:queues",   "quarq:{q}:cards",  "quarq:{q}:format",
                            "quarq:{q}:idle", "quarq:{q}:leases", settled_by};
  while (keys != expected && std::chrono::steady_clock::now() < deadline) {
    co_await renew(worker);  // tidies up what was kept
    auto none = co_await claim_ids(worker, 1);
    EXPECT_TRUE(none.empty());
    keys = server.keys();
    // Remembers the numbers of a client's last calls, for ten minutes.
    std::erase_if(keys, [&](const auto& key) {
      const strings ttl = {"PTTL", key};
      return key.find(":sender:") != std::string::npos && server.command(ttl).integer > 0;
    });
    co_await sleep_for(2ms);
  }
  EXPECT_EQ(keys, expected);
  co_await store->close_lease(worker.held);
  keys = server.keys();
  std::erase_if(keys, [](const auto& key) { return key.find(":sender:") != std::string::npos; });
  const strings closed = {"quarq:queues", "quarq:{q}:format"};
  EXPECT_EQ(keys, closed);
}

REDIS_TEST(kept_results_go_by_themselves_when_no_worker_comes, {}) {
  auto store = open(server, loop);
  auto worker = co_await new_worker(store, "q");
  co_await enqueue_ids(*store, "q", strings(1, "job"));
  co_await claim_ids(worker, 1);
  co_await settle_one(worker, end("job", job_state::succeeded, "42", 30ms));
  co_await store->close_lease(worker.held);
  auto gone = [&] {
    const auto keys = server.keys();
    return std::none_of(keys.begin(), keys.end(),
                        [](const auto& key) { return key.find("results") != std::string::npos; });
  };
  co_await until(gone);
}

// ---- answers and messages that get lost

REDIS_TEST(a_call_with_the_same_number_is_answered_again_and_done_once, {}) {
  auto connection = connect(server, loop);
  auto store = open(server, loop);
  auto worker = co_await new_worker(store, "q");
  const strings call_words = {somebody, "7",      "",  "600000", terms_of(job_named("x")), "", "x", "record",
                              "y",      "record", "x", "record"};
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
  const strings question = {somebody, "job"};
  auto answer = co_await call(*connection, scripts().wait, question);
  EXPECT_EQ(answer.items.at(0).integer, 0);
  co_await claim_ids(worker, 1);
  co_await settle_one(worker, end("job", job_state::failed, "why"));  // not kept, and somebody is not there
  answer = co_await call(*connection, scripts().wait, question);
  EXPECT_EQ(answer.items.at(0).text, "4" + outcome_saying("why", job_state::failed));
  answer = co_await call(*connection, scripts().wait, question);
  EXPECT_EQ(answer.items.at(0).integer, 1);
}

REDIS_TEST(a_wait_whose_message_got_lost_is_asked_again, {}) {
  auto connection = connect(server, loop);
  auto waits = std::make_shared<broker::redis_common::result_waiters>(
      loop, *connection, broker::redis::scripts().wait, broker::redis::key_prefix, 30ms);
  auto store = open(server, loop);
  auto worker = co_await new_worker(store, "q");
  co_await enqueue_ids(*store, "q", strings(1, "job"));
  auto told = std::make_shared<std::optional<std::string>>();
  auto running = std::make_shared<int>(0);
  auto waiting = [](auto on, auto into) -> awaitable<void> { *into = co_await on->wait("q", "job"); };
  start(loop, waiting(waits, told), running);
  const strings waiters = {"HLEN", "quarq:{q}:waiters"};
  auto noted = [&] { return server.command(waiters).integer == 1; };
  co_await until(noted);
  co_await claim_ids(worker, 1);
  const strings lose = {"DEL", "quarq:{q}:waiters"};
  server.command(lose);
  co_await settle_one(worker, end("job", job_state::succeeded, "42", 1h));
  auto over = [&] { return *running == 0; };
  co_await until(over);
  EXPECT_TRUE(*told && **told == "3" + outcome_saying("42"));
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
    auto told = [&] { return waiting->over; };
    co_await until(told);
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
  events.work_ready = [&] { ++work_ready; };
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
  auto told = [&] { return first->over && second->over; };
  co_await until(told);
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
  auto told = [&] { return waiting->over; };
  co_await until(told);
  EXPECT_TRUE(waiting->error.empty() && !waiting->outcome);
  auto answer = co_await renew(worker);
  EXPECT_FALSE(answer.held);
  co_await enqueue_ids(*store, "q", strings(1, "job"));
  auto all = co_await store->queues();
  EXPECT_EQ(all.size(), 1u);
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
  auto told = co_await store->claim(watches.held, 1);
  EXPECT_TRUE(told.next_due.has_value());
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
  const strings now = {"TIME"}, last = {"ZRANGE", "quarq:{q}:leases", "-1", "-1", "WITHSCORES"};
  auto ran_out = [&] {
    const auto time = server.command(now);
    return std::stod(time.items.at(0).text) * 1000 > std::stod(server.command(last).items.at(1).text);
  };
  co_await until(ran_out);
  // Nobody has renewed in time, so it was not the second's fault.
  auto answer = co_await renew(first);
  EXPECT_TRUE(answer.held);
  answer = co_await renew(first);
  EXPECT_FALSE(answer.work_ready);
  answer = co_await renew(second);
  EXPECT_TRUE(answer.held);
  const bool held = co_await settle_one(second, end("b"));
  EXPECT_TRUE(held);
}

// ---- jobs given to a lease that did not ask

namespace {

struct taker {
  worker_end worker;
  std::shared_ptr<std::vector<claimed_job>> given = std::make_shared<std::vector<claimed_job>>();
  std::shared_ptr<int> reconnected = std::make_shared<int>(0);
};

// A lease that takes given jobs, and is idle: it may hold `room` of them.
awaitable<taker> new_taker(std::shared_ptr<broker::broker> store, std::string token, std::size_t room) {
  taker made;
  made.worker.store = store;
  made.worker.held = lease{"q", token};
  made.worker.heard = std::make_shared<ears>();
  broker::worker_events events;
  events.work_ready = [heard = made.worker.heard] { ++heard->work_ready; };
  events.cancel_requested = [heard = made.worker.heard](std::string id) { heard->cancels.push_back(id); };
  events.on_job_pushed = [given = made.given](claimed_job job, broker::time_point) { given->push_back(job); };
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

REDIS_TEST(a_fresh_job_goes_straight_to_an_idle_lease_that_takes_it, {}) {
  auto store = open(server, loop);
  auto idle = co_await new_taker(store, "idle", 10);
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
  auto idle = co_await new_taker(store, "idle", 2);
  for (const char* id : {"a", "b", "c"}) co_await enqueue_one(*store, "q", fresh_job(id));
  auto told = [&] { return idle.given->size() == 2 && idle.worker.heard->work_ready == 1; };
  co_await until(told);
  auto rest = co_await claim_ids(idle.worker, 10);
  EXPECT_EQ(rest, strings(1, "c"));
}

REDIS_TEST(given_jobs_go_round_among_idle_leases, {}) {
  auto store = open(server, loop);
  auto first = co_await new_taker(store, "first", 10);
  auto second = co_await new_taker(store, "second", 10);
  for (const char* id : {"a", "b"}) {
    co_await sleep_for(2ms);  // who has been idle for longest is told in milliseconds
    co_await enqueue_one(*store, "q", fresh_job(id));
  }
  auto both = [&] { return first.given->size() == 1 && second.given->size() == 1; };
  co_await until(both);
}

REDIS_TEST(what_is_not_one_fresh_job_that_is_due_is_not_given, {}) {
  auto store = open(server, loop);
  auto idle = co_await new_taker(store, "idle", 10);
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
    auto gone = co_await new_taker(vanishes, "gone", 10);
  }
  auto idle = co_await new_taker(store, "idle", 10);
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
  auto idle = co_await new_taker(store, "idle", 10);
  co_await enqueue_one(*store, "q", fresh_job("a"));
  auto given = [&] { return idle.given->size() == 1; };
  co_await until(given);
  const strings run_out = {"ZADD", "quarq:{q}:leases", "1", "idle"};
  server.command(run_out);
  auto other = co_await new_worker(store, "q");
  co_await renew(other);
  auto got = co_await claim_until(other, 1);
  EXPECT_EQ(got.at(0).id, "a");
  EXPECT_EQ(got.at(0).attempts, 2);
  const bool held = co_await settle_one(idle.worker, end("a"));
  EXPECT_FALSE(held);
  const strings takers = {"EXISTS", "quarq:{q}:takers"};
  EXPECT_EQ(server.command(takers).integer, 0);
}

REDIS_TEST(what_was_given_into_a_broken_connection_is_given_back_by_reconcile, {}) {
  auto store = open(server, loop);
  auto elsewhere = open(server, loop);
  auto idle = co_await new_taker(store, "idle", 10);
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

REDIS_TEST(a_lease_that_hands_a_given_job_back_is_not_given_it_again, {}) {
  auto store = open(server, loop);
  auto idle = co_await new_taker(store, "idle", 10);
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
  co_await settle_one(worker, end("job", job_state::succeeded, "42", 0ms));
  auto over = co_await store->wait_ended("q", "job");
  EXPECT_TRUE(over && said_in_outcome(over->outcome) == "42");
}

}  // namespace quarq::test::redis_broker_tests
