// The keys that the arq broker shares with Python's arq.
#include "integration/arq_broker.hpp"

#include <algorithm>
#include <cmath>
#include <regex>

#include <quarq/errors.hpp>
#include <quarq/msgpack.hpp>

#include "broker/arq/keys.hpp"
#include "broker/arq/scripts.hpp"
#include "model/record.hpp"
#include "redis/connection.hpp"
#include "redis/url.hpp"
#include "support/captured_log.hpp"

namespace quarq::test::arq_broker_tests {

// ---- keys

ARQ_TEST(a_job_is_stored_as_arqs_clients_do, {}) {
  auto store = open_arq(server, loop);
  const auto before = now_ms();
  co_await enqueue_ids(*store, "default", strings(1, "job"));
  const auto after = now_ms();
  EXPECT_EQ(ask(server, {"TYPE", "arq:queue"}).text, "zset");
  EXPECT_WITHIN(*score_of(server, "job"), static_cast<double>(before - 2), static_cast<double>(after + 1));
  EXPECT_WITHIN(ask_number(server, {"PTTL", "arq:job:job"}), day - leeway, day);
  auto payload = arq_payloads(arq_codec::pickle).read_job(ask(server, {"GET", "arq:job:job"}).text);
  EXPECT_EQ(said_in_record(payload.record), "record of job");
  EXPECT_EQ(static_cast<double>(payload.enqueued_ms), std::floor(*score_of(server, "job")));
  strings keys = server.keys();
  EXPECT_EQ(std::count_if(keys.begin(), keys.end(),
                          [](const auto& k) { return k.starts_with("arq:queue:quarq:sender:"); }),
            1);
  std::erase_if(keys, [](const auto& k) { return k.starts_with("arq:queue:quarq:sender:"); });
  const strings expected = {"arq:job:job", "arq:quarq:queues", "arq:queue"};
  EXPECT_EQ(keys, expected);
}

ARQ_TEST(delay_moment_and_expiry_become_score_and_time_to_live, {}) {
  auto store = open_arq(server, loop, "?expires_extra=100");
  auto later = job_named("later");
  later.delay = 1h;
  auto past = job_named("past");
  past.at = broker::time_point(milliseconds(0));
  auto brief = job_named("brief");
  brief.delay = 10s;
  brief.expires = 20s;
  std::vector<new_job> batch = {later, past, brief};
  co_await store->enqueue("default", batch);
  const auto now = static_cast<double>(now_ms());
  EXPECT_WITHIN(*score_of(server, "later"), now + hour - leeway, now + hour + 1);
  EXPECT_WITHIN(ask_number(server, {"PTTL", "arq:job:later"}), hour + 100'000 - leeway, hour + 100'000);
  // 0 would never run.
  EXPECT_EQ(*score_of(server, "past"), 1);
  EXPECT_WITHIN(ask_number(server, {"PTTL", "arq:job:past"}), 100'000 - leeway, 100'000);
  EXPECT_WITHIN(ask_number(server, {"PTTL", "arq:job:brief"}), 30'000 - leeway, 30'000);
}

ARQ_TEST(a_running_job_stays_in_its_queue_and_is_seen_as_in_progress, {}) {
  auto store = open_arq(server, loop);
  python_enqueue(server, "job");
  auto worker = co_await new_worker(store, "default", 7s);
  auto ids = co_await claim_ids(worker, 10);
  EXPECT_EQ(ids, strings(1, "job"));
  EXPECT_EQ(ask(server, {"GET", "arq:in-progress:job"}).text, worker.held.token);
  EXPECT_WITHIN(ask_number(server, {"PTTL", "arq:in-progress:job"}), 9'334 - leeway, 9'334);
  EXPECT_EQ(ask(server, {"GET", "arq:retry:job"}).text, "1");
  EXPECT_WITHIN(ask_number(server, {"TTL", "arq:retry:job"}), 88'390, 88'400);
  // Where other workers don't look before the lease is over.
  const auto now = static_cast<double>(now_ms());
  EXPECT_WITHIN(*score_of(server, "job"), now + 9'334 - leeway, now + 9'336);
  EXPECT_EQ(ask_number(server, {"EXISTS", "arq:job:job"}), 1);
}

ARQ_TEST(the_end_of_a_job_leaves_its_result_alone, {}) {
  auto store = open_arq(server, loop);
  auto worker = co_await new_worker(store, "default");
  for (const char* id : {"kept", "for ever", "not"}) python_enqueue(server, id);
  co_await claim_ids(worker, 10);
  ask(server, {"ZADD", "arq:abort", std::to_string(now_ms()), "kept"});
  std::vector<settlement> ends;
  ends.push_back(end("kept", job_state::succeeded, "42", 1h));
  ends.push_back(end("for ever", job_state::failed, "boom", std::nullopt));
  ends.push_back(end("not"));
  co_await store->settle(worker.held, ends);
  EXPECT_WITHIN(ask_number(server, {"PTTL", "arq:result:kept"}), hour - leeway, hour);
  EXPECT_EQ(ask_number(server, {"PTTL", "arq:result:for ever"}), -1);
  EXPECT_EQ(ask_number(server, {"EXISTS", "arq:result:not"}), 0);
  co_await store->close_lease(worker.held);
  strings keys = server.keys();
  const strings expected = {"arq:quarq:queues", "arq:result:for ever", "arq:result:kept"};
  EXPECT_EQ(keys, expected);
  auto kept = read_end(server, "kept");
  EXPECT_EQ(kept.queue, "arq:queue");
  EXPECT_EQ(kept.id, "kept");
  EXPECT_EQ(kept.state, job_state::succeeded);
}

ARQ_TEST(a_retry_moves_the_score_by_its_delay_and_keeps_its_count, {}) {
  auto store = open_arq(server, loop);
  auto worker = co_await new_worker(store, "default");
  python_enqueue(server, "job");
  co_await claim_ids(worker, 1);
  co_await settle_one(worker, retry_after("job", 30s));
  const auto now = static_cast<double>(now_ms());
  EXPECT_WITHIN(*score_of(server, "job"), now + 30'000 - leeway, now + 30'001);
  EXPECT_EQ(ask_number(server, {"EXISTS", "arq:in-progress:job"}), 0);
  EXPECT_EQ(ask(server, {"GET", "arq:retry:job"}).text, "1");
  EXPECT_EQ(ask_number(server, {"EXISTS", "arq:job:job"}), 1);
}

ARQ_TEST(what_a_stopped_worker_hands_back_stands_where_it_stood_and_is_no_try, {}) {
  auto store = open_arq(server, loop);
  auto worker = co_await new_worker(store, "default");
  python_enqueue_at(server, "a", "1700000000000");
  python_enqueue_at(server, "b", "1700000000001");
  co_await claim_ids(worker, 2);
  co_await settle_one(worker, hand_back("a"));
  co_await store->close_lease(worker.held);
  EXPECT_EQ(*score_of(server, "a"), 1700000000000);
  EXPECT_EQ(*score_of(server, "b"), 1700000000001);
  EXPECT_EQ(
      ask_number(server, {"EXISTS", "arq:retry:a", "arq:retry:b", "arq:in-progress:a", "arq:in-progress:b"}),
      0);
}

ARQ_TEST(a_lease_that_could_not_be_opened_leaves_nothing, {}) {
  auto store = open_arq(server, loop);
  co_await expect_unopened_leases_leave_nothing(server, store, "default", "arq:quarq:leases",
                                                "arq:queue:quarq:lease:*");
}

ARQ_TEST(a_call_with_the_same_number_is_answered_again_and_done_once, {}) {
  redis::connection connection(loop, redis::parse_url(server.url()));
  auto store = open_arq(server, loop);
  auto worker = co_await new_worker(store, "default");
  const auto& scripts = broker::arq::scripts();
  const strings keys(1, "arq:queue:quarq:");
  const auto terms = broker::arq::enqueue_terms(false, 1h, static_cast<double>(now_ms()));
  const auto payload = python_payload();
  const strings twice_x = {"0123456789ABCDEFGHJKMNPQRS",
                           "7",
                           "",
                           "600000",
                           terms,
                           "",
                           "",
                           "x",
                           payload,
                           "y",
                           payload,
                           "x",
                           payload};
  auto first = co_await connection.run(scripts.enqueue, keys, twice_x);
  EXPECT_EQ(first.text, "110");
  auto claimed = co_await claim_until(worker, 2);
  for (const auto& one : claimed) co_await settle_one(worker, end(one.id));
  auto again = co_await connection.run(scripts.enqueue, keys, twice_x);
  EXPECT_EQ(again.text, "110");
  auto none = co_await claim_ids(worker, 10);
  EXPECT_TRUE(none.empty());

  python_enqueue(server, "a");
  co_await claim_until(worker, 1);
  const auto retried = broker::arq::settle_terms(retry_after("a", 0ms));
  const strings settle_a = {worker.held.token, "77", "", "a", retried, "", "nobody's", retried, ""};
  auto settled = co_await connection.run(scripts.settle, keys, settle_a);
  EXPECT_EQ(settled.text, "10");
  co_await claim_until(worker, 1);
  // It is held again by now; the repeated call is of the first time.
  auto repeated = co_await connection.run(scripts.settle, keys, settle_a);
  EXPECT_EQ(repeated.text, "10");
  auto state = co_await state_of(*store, "default", "a");
  EXPECT_TRUE(state == job_state::running);
}

ARQ_TEST(a_hand_back_after_the_first_try_leaves_a_count_that_goes_by_itself, {}) {
  auto store = open_arq(server, loop);
  auto worker = co_await new_worker(store, "default");
  python_enqueue(server, "job");
  co_await claim_ids(worker, 1);
  co_await settle_one(worker, retry_after("job", 0ms));
  auto second = co_await claim_until(worker, 1);
  EXPECT_EQ(second.at(0).attempts, 2);
  co_await settle_one(worker, hand_back("job"));
  EXPECT_EQ(ask(server, {"GET", "arq:retry:job"}).text, "1");
  EXPECT_WITHIN(ask_number(server, {"TTL", "arq:retry:job"}), 88'390, 88'400);
  // Nor does the moment stay at which it was due first: another job of this id has its own.
  EXPECT_EQ(ask_number(server, {"EXISTS", "arq:queue:quarq:first_due"}), 1);
  co_await claim_until(worker, 1);
  co_await settle_one(worker, end("job"));
  EXPECT_EQ(ask_number(server, {"EXISTS", "arq:queue:quarq:first_due"}), 0);
}

ARQ_TEST(renewals_keep_python_s_workers_from_what_is_running, {}) {
  auto store = open_arq(server, loop);
  auto worker = co_await new_worker(store, "default", 3s);
  python_enqueue(server, "job");
  co_await claim_ids(worker, 1);
  // When a third of the lease is over, and the job's key has almost gone.
  ask(server, {"HSET", "arq:quarq:extended", worker.held.token, std::to_string(now_ms() - 1'001)});
  ask(server, {"PEXPIRE", "arq:in-progress:job", "100"});
  co_await renew(worker, 3s);
  EXPECT_EQ(ask(server, {"GET", "arq:in-progress:job"}).text, worker.held.token);
  EXPECT_WITHIN(ask_number(server, {"PTTL", "arq:in-progress:job"}), 101, 4'001);
}

ARQ_TEST(who_waits_for_a_job_that_never_ends_is_forgotten_after_two_days, {}) {
  auto store = open_arq(server, loop);
  auto worker = co_await new_worker(store, "default");
  // Who has waited often is noted together with the job.
  for (int i = 0; i < 40; ++i) {
    auto one = job_named("job" + std::to_string(i));
    one.id_is_fresh = true;
    co_await enqueue_one(*store, "default", one);
    co_await claim_ids(worker, 1);
    co_await settle_one(worker, end(one.id, job_state::succeeded, "42", 1h));
    auto over = co_await store->wait_ended("default", one.id);
    EXPECT_TRUE(over.has_value());
  }
  auto last = job_named("never ends");
  last.id_is_fresh = true;
  co_await enqueue_one(*store, "default", last);
  EXPECT_EQ(ask_number(server, {"HEXISTS", "arq:queue:quarq:waiters", last.id}), 1);
  EXPECT_WITHIN(ask_number(server, {"PTTL", "arq:queue:quarq:waiters"}), 2 * day - leeway, 2 * day);
}

ARQ_TEST(a_result_that_python_can_not_have_is_warned_of_as_arq_warns, {}) {
  auto store = open_arq(server, loop);
  auto worker = co_await new_worker(store, "default");
  python_enqueue(server, "odd");
  co_await claim_ids(worker, 1);
  model::outcome result;
  encoder(result.result).extension(5, "xyz");
  auto its_end = end("odd", job_state::succeeded, "", 1h);
  its_end.outcome = model::encode(result);
  const captured_log log;
  co_await settle_one(worker, its_end);
  EXPECT_EQ(log.count("error serializing result of odd: value: an extension of type 5"), 1u) << log.text();
}

ARQ_TEST(the_health_record_counts_what_has_become_of_jobs_as_arq_does, {}) {
  auto store = open_arq(server, loop, "?health_check_interval=0.001");
  auto worker = co_await new_worker(store, "default");
  for (const char* id : {"good", "bad", "again", "too often", "runs"}) python_enqueue(server, id);
  co_await claim_until(worker, 5);
  auto last_retry = end("too often", job_state::dead, "", std::nullopt);
  model::outcome of_last;
  of_last.error_type = "quarq::retry_after";
  last_retry.outcome = model::encode(of_last);
  const std::vector<settlement> ends = {end("good", job_state::succeeded, "42", 1h),
                                        end("bad", job_state::failed, "why", 1h), retry_after("again", 1h),
                                        last_retry};
  co_await store->settle(worker.held, ends);
  // arq starts the job once more, to find that it has been retried too often: that is a retry and a failure.
  const std::string counts = "j_complete=1 j_failed=2 j_retried=2 j_ongoing=1 queued=2";
  std::string record;
  const auto deadline = std::chrono::steady_clock::now() + default_timeout;
  while (record.find(counts) == record.npos && std::chrono::steady_clock::now() < deadline) {
    co_await renew(worker);
    record = ask(server, {"GET", "arq:queue:health-check"}).text;
    co_await sleep_for(1ms);
  }
  EXPECT_NE(record.find(counts), record.npos) << record;
}

}  // namespace quarq::test::arq_broker_tests
