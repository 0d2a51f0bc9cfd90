// The arq broker alongside Python's clients and workers, which are played by hand.
#include <algorithm>
#include <cmath>
#include <regex>

#include <quarq/errors.hpp>
#include <quarq/msgpack.hpp>

#include "broker/arq/keys.hpp"
#include "integration/arq_broker.hpp"
#include "model/record.hpp"

namespace quarq::test::arq_broker_tests {

// ---- beside Python

ARQ_TEST(what_python_enqueues_is_found_though_it_tells_nobody, {}) {
  auto store = open_arq(server, loop);
  auto worker = co_await new_worker(store, "default");
  for (int round = 0; round < 3; ++round) {
    auto none = co_await claim_ids(worker, 1);
    EXPECT_TRUE(none.empty());
    const int before = worker.heard->work_ready;
    python_enqueue(server, "job");
    auto rung = [&] { return worker.heard->work_ready > before; };
    co_await until(rung);
    auto claimed = co_await store->claim(worker.held, 1);
    EXPECT_EQ(claimed.jobs.size(), 1u);
    const auto record = model::decode_record(claimed.jobs.at(0).record);
    EXPECT_EQ(record.task, "the_task");
    EXPECT_EQ(claimed.jobs.at(0).enqueued_at.time_since_epoch().count(), 1700000000000);
    co_await settle_one(worker, end("job"));
  }
}

ARQ_TEST(a_job_that_a_python_worker_runs_is_left_alone_until_its_time_is_over, {}) {
  auto store = open_arq(server, loop);
  auto worker = co_await new_worker(store, "default");
  python_enqueue(server, "job");
  python_start(server, "job", 300);
  auto ids = co_await claim_ids(worker, 10);
  EXPECT_TRUE(ids.empty());
  auto state = co_await state_of(*store, "default", "job");
  EXPECT_TRUE(state == job_state::running);
  auto answer = co_await renew(worker);
  EXPECT_FALSE(answer.work_ready);
  // It was killed: its key runs out, which is found by looking.
  auto again = co_await claim_until(worker, 1);
  EXPECT_EQ(again.at(0).id, "job");
  EXPECT_EQ(again.at(0).attempts, 2);
}

ARQ_TEST(python_s_workers_may_run_what_no_worker_of_ours_announces, {}) {
  auto store = open_arq(server, loop);
  auto nobody = co_await store->live_workers_of("default");
  EXPECT_TRUE(nobody.announcements.empty() && !nobody.others);
  ask(server, {"PSETEX", "arq:queue:health-check", "60000", "Nov-28 12:00:00 j_complete=0 j_failed=0"});
  auto python = co_await store->live_workers_of("default");
  EXPECT_TRUE(python.announcements.empty() && python.others);
  // Ours writes the health record anew, and knows who was there.
  auto worker = co_await new_worker(store, "default");
  auto both = co_await store->live_workers_of("default");
  EXPECT_TRUE(both.announcements.size() == 1 && both.others);
}

ARQ_TEST(a_thousand_running_jobs_hide_no_ready_one, {}) {
  auto store = open_arq(server, loop);
  for (int i = 0; i < 1'000; ++i) {
    const auto id = "python" + std::to_string(i);
    python_enqueue_at(server, id, std::to_string(1700000000000 + i));
    ask(server, {"PSETEX", "arq:in-progress:" + id, "310000", "1"});
  }
  co_await store->enqueue("default", numbered_jobs(1'000));
  auto busy = co_await new_worker(store, "default");
  auto ids = co_await claim_ids(busy, 1'000);
  EXPECT_EQ(ids.size(), 1'000u);
  co_await enqueue_ids(*store, "default", strings(1, "ready"));
  auto other = co_await new_worker(store, "default");
  ids = co_await claim_ids(other, 1);
  EXPECT_EQ(ids, strings(1, "ready"));
  auto summary = co_await summary_of(*store, "default");
  EXPECT_EQ(summary.running, 2'001u);
  EXPECT_EQ(summary.queued + summary.deferred, 0u);
}

ARQ_TEST(a_result_that_a_python_worker_left_is_found_by_those_who_wait, {}) {
  auto store = open_arq(server, loop);
  co_await enqueue_ids(*store, "default", strings(1, "id1"));
  auto waiting = start_waiting(loop, store, "default", "id1");
  co_await store->queues();
  python_start(server, "id1");
  EXPECT_FALSE(waiting->over);
  python_finish(server, "id1");
  auto notified = [&] { return waiting->over; };
  co_await until(notified);
  EXPECT_TRUE(waiting->outcome && waiting->outcome->state == job_state::succeeded);
  const auto outcome = model::decode_outcome(waiting->outcome->outcome);
  EXPECT_EQ(decoder(outcome.result, "result").integer(), 42);
  // Nothing of ours stays behind.
  auto gone = [&] { return ask_number(server, {"EXISTS", "arq:queue:quarq:waiters"}) == 0; };
  co_await until(gone);
}

ARQ_TEST(a_job_that_a_python_worker_ended_without_result_ends_the_wait, {}) {
  auto store = open_arq(server, loop);
  co_await enqueue_ids(*store, "default", strings(1, "job"));
  auto waiting = start_waiting(loop, store, "default", "job");
  co_await store->queues();
  ask(server, {"ZREM", "arq:queue", "job"});
  ask(server, {"DEL", "arq:job:job"});
  auto notified = [&] { return waiting->over; };
  co_await until(notified);
  EXPECT_TRUE(!waiting->outcome && waiting->error.empty());
}

ARQ_TEST(an_id_is_unique_among_python_and_quarq, {}) {
  auto store = open_arq(server, loop);
  python_enqueue(server, "queued");
  ask(server, {"SET", "arq:result:kept", python_result()});
  const strings ids = {"queued", "kept", "free"};
  auto answers = co_await store->enqueue("default", jobs_named(ids));
  const std::vector<accepted> expected = {accepted::duplicate, accepted::duplicate, accepted::yes};
  EXPECT_EQ(answers, expected);
  EXPECT_EQ(ask(server, {"GET", "arq:job:queued"}).text, python_payload());
}

// ---- counting

ARQ_TEST(the_number_of_starts_is_at_least_what_the_payload_says, {}) {
  auto store = open_arq(server, loop);
  auto worker = co_await new_worker(store, "default");
  // the_task(), _job_try=3
  python_enqueue(server, "job",
                 from_hex("80049532000000000000007d94288c0174944b038c0166948c087468655f7461736b948c016194298c"
                          "016b947d948c026574948a060068e5cf8b01752e"));
  auto claimed = co_await store->claim(worker.held, 1);
  EXPECT_EQ(claimed.jobs.at(0).attempts, 3);
  EXPECT_EQ(ask(server, {"GET", "arq:retry:job"}).text, "3");
  co_await settle_one(worker, retry_after("job", 0ms));
  auto again = co_await claim_until(worker, 1);
  EXPECT_EQ(again.at(0).attempts, 4);
}

// ---- aborts

ARQ_TEST(a_running_job_that_python_aborts_is_to_be_cancelled, {}) {
  auto store = open_arq(server, loop);
  auto worker = co_await new_worker(store, "default");
  python_enqueue(server, "job");
  co_await claim_ids(worker, 1);
  python_abort(server, "job");
  auto notified = [&] { return !worker.heard->cancels.empty(); };
  co_await until(notified);
  EXPECT_EQ(worker.heard->cancels.at(0), "job");
  auto answer = co_await renew(worker);
  EXPECT_EQ(answer.cancel_requests, strings(1, "job"));
  // It has pulled the job forward, as it thinks it deferred: nobody starts it again.
  auto other = co_await new_worker(store, "default");
  auto ids = co_await claim_ids(other, 1);
  EXPECT_TRUE(ids.empty());
  ids = co_await claim_ids(worker, 1);
  EXPECT_TRUE(ids.empty());
  const bool held = co_await settle_one(worker, end("job", job_state::cancelled, "aborted", 1h));
  EXPECT_TRUE(held);
  EXPECT_EQ(ask_number(server, {"EXISTS", "arq:abort"}), 0);
  EXPECT_EQ(read_end(server, "job").state, job_state::cancelled);
}

ARQ_TEST(a_job_that_python_aborts_before_it_starts_never_does, {}) {
  auto store = open_arq(server, loop);
  auto worker = co_await new_worker(store, "default");
  python_enqueue(server, "queued");
  python_enqueue(server, "deferred", python_payload(), hour);
  python_abort(server, "queued");
  python_abort(server, "deferred");
  auto ids = co_await claim_ids(worker, 10);
  EXPECT_TRUE(ids.empty());
  for (const char* id : {"queued", "deferred"}) {
    EXPECT_EQ(read_end(server, id).state, job_state::cancelled) << id;
    EXPECT_WITHIN(ask_number(server, {"PTTL", std::string("arq:result:") + id}), hour - leeway, hour);
    // Python's abort() is true only for this exception.
    const auto result = ask(server, {"GET", std::string("arq:result:") + id}).text;
    EXPECT_NE(result.find("CancelledError"), std::string::npos) << id;
    EXPECT_NE(result.find("the_task"), std::string::npos) << id;
  }
  EXPECT_EQ(ask_number(server, {"EXISTS", "arq:abort", "arq:queue"}), 0);
}

// What Job.abort() does to a job that it saw before it ended.
static void finish_abort(const redis_server& server, const std::string& id) {
  ask(server, {"ZADD", "arq:queue", "1", id});
  ask(server, {"ZADD", "arq:abort", std::to_string(now_ms()), id});
}

ARQ_TEST(a_job_that_ends_while_python_aborts_it_keeps_its_result, {}) {
  auto store = open_arq(server, loop);
  auto worker = co_await new_worker(store, "default");
  const strings ids = {"kept", "not kept"};
  for (const auto& id : ids) python_enqueue(server, id);
  co_await claim_ids(worker, 2);
  std::vector<settlement> ends;
  ends.push_back(end("kept", job_state::succeeded, "42", 1h));
  ends.push_back(end("not kept"));
  co_await store->settle(worker.held, ends);
  const auto before = ask(server, {"GET", "arq:result:kept"}).text;
  for (const auto& id : ids) finish_abort(server, id);
  auto none = co_await claim_ids(worker, 10);
  EXPECT_TRUE(none.empty());
  EXPECT_EQ(ask(server, {"GET", "arq:result:kept"}).text, before);
  EXPECT_EQ(ask_number(server, {"EXISTS", "arq:result:not kept", "arq:queue", "arq:abort"}), 0);
  // Where something stands at the front already, and where it was moved there a second ago.
  for (const auto& id : ids) ask(server, {"ZADD", "arq:queue", std::to_string(now_ms() - 10), id});
  none = co_await claim_ids(worker, 10);
  EXPECT_EQ(none, strings(1, "not kept"));
  EXPECT_FALSE(score_of(server, "kept")) << "it is no job";
  EXPECT_EQ(ask(server, {"GET", "arq:result:kept"}).text, before);
}

ARQ_TEST(python_s_workers_find_a_job_that_ended_while_it_was_aborted_taken, {}) {
  auto store = open_arq(server, loop);
  ask(server, {"PSETEX", "arq:queue:health-check", "3601000", "a Python worker's"});
  auto worker = co_await new_worker(store, "default");
  co_await renew(worker);
  python_enqueue(server, "job");
  co_await claim_ids(worker, 1);
  co_await settle_one(worker, end("job", job_state::succeeded, "42", 1h));
  EXPECT_EQ(ask_number(server, {"EXISTS", "arq:in-progress:job"}), 1);
  EXPECT_WITHIN(ask_number(server, {"PTTL", "arq:in-progress:job"}), 1, 1'000);
  finish_abort(server, "job");
  // It is gone before Python's workers may look at it.
  co_await renew(worker);
  EXPECT_EQ(ask_number(server, {"EXISTS", "arq:queue", "arq:abort"}), 0);
  // For us nothing runs.
  const auto state = co_await state_of(*store, "default", "job");
  EXPECT_TRUE(state == job_state::succeeded);
  ask(server, {"DEL", "arq:result:job"});
  python_enqueue(server, "job");
  const auto again = co_await claim_ids(worker, 1);
  EXPECT_EQ(again, strings(1, "job"));
}

ARQ_TEST(what_is_handed_back_beside_python_s_workers_is_left_to_them_for_a_moment, {}) {
  auto store = open_arq(server, loop);
  ask(server, {"PSETEX", "arq:queue:health-check", "3601000", "a Python worker's"});
  auto first = co_await new_worker(store, "default");
  auto second = co_await new_worker(store, "default");
  co_await renew(first);
  python_enqueue(server, "job");
  co_await claim_ids(first, 1);
  const auto handed_back = std::chrono::steady_clock::now();
  co_await settle_one(first, hand_back("job"));
  EXPECT_EQ(ask_number(server, {"EXISTS", "arq:in-progress:job", "arq:retry:job"}), 0);
  const auto ids = co_await claim_until(second, 1);
  EXPECT_EQ(ids.at(0).attempts, 1);
  EXPECT_GE(std::chrono::steady_clock::now() - handed_back, 590ms);
}

ARQ_TEST(what_is_handed_back_where_python_has_no_worker_is_taken_at_once, {}) {
  auto store = open_arq(server, loop);
  auto first = co_await new_worker(store, "default");
  python_enqueue(server, "job");
  co_await claim_ids(first, 1);
  co_await settle_one(first, hand_back("job"));
  const auto ids = co_await claim_ids(first, 1);
  EXPECT_EQ(ids, strings(1, "job"));
}

ARQ_TEST(an_in_progress_key_alone_is_a_running_job_as_for_arq, {}) {
  auto store = open_arq(server, loop);
  ask(server, {"PSETEX", "arq:in-progress:cron", "60000", "1"});
  auto state = co_await state_of(*store, "default", "cron");
  EXPECT_TRUE(state == job_state::running);
  ask(server, {"DEL", "arq:in-progress:cron"});
  state = co_await state_of(*store, "default", "cron");
  EXPECT_FALSE(state);
}

ARQ_TEST(a_negative_delay_is_a_moment_in_the_past, {}) {
  auto store = open_arq(server, loop);
  auto early = job_named("early");
  early.delay = -2s;
  std::vector<new_job> jobs = {job_named("late"), early};
  co_await store->enqueue("default", jobs);
  EXPECT_WITHIN(*score_of(server, "late") - *score_of(server, "early"), 1'999.0, 2'001.0);
  EXPECT_WITHIN(ask_number(server, {"PTTL", "arq:job:early"}), day - leeway, day);
  auto worker = co_await new_worker(store, "default");
  const auto ids = co_await claim_ids(worker, 2);
  const strings expected = {"early", "late"};
  EXPECT_EQ(ids, expected);
}

ARQ_TEST(an_abort_that_is_older_than_the_job_is_not_meant_for_it, {}) {
  auto store = open_arq(server, loop);
  auto worker = co_await new_worker(store, "default");
  python_abort(server, "job", 1699999999999);
  python_enqueue(server, "job");
  auto ids = co_await claim_ids(worker, 10);
  EXPECT_EQ(ids, strings(1, "job"));
  EXPECT_EQ(ask_number(server, {"EXISTS", "arq:abort"}), 0);
}

ARQ_TEST(stale_aborts_are_forgotten, {}) {
  auto store = open_arq(server, loop);
  auto worker = co_await new_worker(store, "default");
  python_enqueue(server, "waits", python_payload(), hour);
  ask(server, {"ZADD", "arq:abort", std::to_string(now_ms() - 61'000), "unknown",
               std::to_string(now_ms() - 61'000), "waits", std::to_string(now_ms() - 30'000), "young"});
  co_await renew(worker);
  strings left;
  for (const auto& id : ask(server, {"ZRANGE", "arq:abort", "0", "-1"}).items) left.push_back(id.text);
  std::sort(left.begin(), left.end());
  const strings expected = {"waits", "young"};
  EXPECT_EQ(left, expected);
}

ARQ_TEST(cancelling_what_a_python_worker_runs_asks_it_to_abort, {}) {
  auto store = open_arq(server, loop);
  python_enqueue(server, "job");
  python_start(server, "job");
  auto answer = co_await cancel(*store, "default", "job", "why", 1h);
  EXPECT_EQ(answer, cancel_result::requested);
  EXPECT_FALSE(ask(server, {"ZSCORE", "arq:abort", "job"}).is_nil());
}

ARQ_TEST(what_is_kept_of_tries_goes_when_python_s_worker_has_ended_the_job, {}) {
  auto store = open_arq(server, loop);
  auto worker = co_await new_worker(store, "default");
  python_enqueue(server, "job");
  co_await claim_ids(worker, 1);
  auto failed = retry_after("job", 1h);
  failed.outcome = "how it failed";
  co_await settle_one(worker, failed);
  co_await renew(worker);
  auto seen = co_await store->inspect("default", "job");
  EXPECT_EQ(seen.value_or(broker::job_details{}).outcome, "how it failed");
  // As finish_job() of a Python worker does.
  ask(server, {"DEL", "arq:retry:job", "arq:job:job"});
  ask(server, {"ZREM", "arq:queue", "job"});
  co_await renew(worker);
  EXPECT_EQ(ask_number(server, {"EXISTS", "arq:queue:quarq:first_due", "arq:queue:quarq:last_tries"}), 0);
}

}  // namespace quarq::test::arq_broker_tests
