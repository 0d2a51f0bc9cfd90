// What is true of the arq broker alone: the keys it shares with Python's arq, and how it gets on with
// Python's clients and workers, played by hand.
#include <algorithm>
#include <cmath>
#include <regex>

#include <quarq/errors.hpp>
#include <quarq/msgpack.hpp>

#include "broker/arq/keys.hpp"
#include "broker/arq/payload/payloads.hpp"
#include "broker/arq/url.hpp"
#include "integration/arq_python.hpp"
#include "integration/broker_conformance.hpp"
#include "model/record.hpp"
#include "support/on_loop.hpp"

namespace quarq::test::arq_broker_tests {

namespace {

using broker::arq::arq_codec;
using broker::arq::arq_payloads;

awaitable<void> on_this_loop(awaitable<void> (*test)(server_info&, any_io_executor), server_info& server) {
  auto loop = co_await boost::asio::this_coro::executor;
  co_await test(server, loop);
}

void run_with_server(redis_server_options options, awaitable<void> (*test)(server_info&, any_io_executor)) {
  server_info server(options);
  run_on_loop(on_this_loop(test, server));
}

std::shared_ptr<broker::broker> open_arq(const server_info& server, any_io_executor loop,
                                         std::string_view parameters = "") {
  return broker::open(arq_url(server, parameters), loop);
}

#define ARQ_TEST(name, options)                                \
  static awaitable<void> name(server_info&, any_io_executor); \
  TEST(arq_broker, name) {                                     \
    run_with_server(options, name);                            \
  }                                                            \
  static awaitable<void> name([[maybe_unused]] server_info& server, [[maybe_unused]] any_io_executor loop)

broker::arq::arq_end_in read_end(const server_info& server, const std::string& id) {
  return arq_payloads(arq_codec::pickle).read_end(ask(server, {"GET", "arq:result:" + id}).text);
}

#define EXPECT_WITHIN(value, min, max) \
  do {                                 \
    const auto v = (value);            \
    EXPECT_GE(v, (min));               \
    EXPECT_LE(v, (max));               \
  } while (false)

constexpr std::int64_t day = 86'400'000, hour = 3'600'000;
constexpr std::int64_t leeway = 5'000;  // ms that a slow machine may take

redis_server_options on_disk() {
  redis_server_options options;
  options.appendonly = true;
  return options;
}

/// What is wrong with an unreadable job, in the words of its end.
std::string reason_of(const claimed_job& job) {
  try {
    model::decode_record(job.record);
  } catch (const decode_error& e) {
    return e.what();
  }
  return "";
}

}  // namespace

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
  auto told = [&] { return waiting->over; };
  co_await until(told);
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
  auto told = [&] { return waiting->over; };
  co_await until(told);
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
  auto told = [&] { return !worker.heard->cancels.empty(); };
  co_await until(told);
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

// ---- what must harm nobody

ARQ_TEST(what_can_not_be_run_is_one_job_with_its_reason, {}) {
  auto store = open_arq(server, loop);
  auto worker = co_await new_worker(store, "default");
  struct bad_job {
    std::string id, score, payload, reason;
  };
  const std::string now = std::to_string(now_ms());
  // {'t': None, 'f': 'x', 'a': (), 'k': {}, 'et': 'soon'}
  static constexpr char et_is_text[] =
      "\x80\x04}(X\1\0\0\0tNX\1\0\0\0fX\1\0\0\0xX\1\0\0\0a)X\1\0\0\0k}X\2\0\0\0etX\4\0\0\0soonu.";
  const std::vector<bad_job> bad = {
      {"et", now, std::string(et_is_text, sizeof et_is_text - 1), "et"},
      {"global", now, "cos\nsystem\n(S'true'\ntR.", "os.system"},
      {"noise", now, "no pickle", "payload"},
      {"zero", "0", python_payload(), "score"},
      {"not \xff UTF-8", now, python_payload(), "UTF-8"},
  };
  for (const auto& one : bad) python_enqueue_at(server, one.id, one.score, one.payload);
  python_enqueue(server, "good");
  ask(server, {"ZADD", "arq:queue", now, "gone", now, "a list"});
  ask(server, {"RPUSH", "arq:job:a list", "x"});

  auto claimed = co_await store->claim(worker.held, 100);
  EXPECT_EQ(claimed.jobs.size(), bad.size() + 3);
  std::vector<settlement> ends;
  for (const auto& one : claimed.jobs) {
    if (one.id == "good") {
      EXPECT_EQ(reason_of(one), "");
      ends.push_back(end(one.id, job_state::succeeded, "42", 1h));
    } else if (one.id == "gone" || one.id == "a list") {
      // As arq does: its payload's time was over.
      EXPECT_TRUE(one.expires_at && *one.expires_at < claimed.now) << one.id;
      ends.push_back(end(one.id, job_state::expired, "too late", 1h));
    } else {
      const auto known = std::find_if(bad.begin(), bad.end(), [&](const auto& b) { return b.id == one.id; });
      EXPECT_TRUE(known != bad.end()) << one.id;
      EXPECT_NE(reason_of(one).find(known->reason), std::string::npos) << one.id << ": " << reason_of(one);
      ends.push_back(end(one.id, job_state::dead, "why", std::nullopt));
    }
  }
  auto held = co_await store->settle(worker.held, ends);
  EXPECT_EQ(held, std::vector<bool>(ends.size(), true));
  EXPECT_EQ(ask_number(server, {"EXISTS", "arq:queue", "arq:queue:quarq:held:" + worker.held.token}), 0);
  auto dead = co_await store->list("default", job_state::dead, 100);
  EXPECT_EQ(dead.size(), bad.size());
  EXPECT_EQ(read_end(server, "good").state, job_state::succeeded);
  EXPECT_EQ(read_end(server, "gone").state, job_state::expired);
  // A key that is not UTF-8 would stop Python's all_job_results().
  EXPECT_EQ(ask_number(server, {"EXISTS", "arq:result:not \xff UTF-8"}), 0);
}

ARQ_TEST(names_and_ids_that_python_could_not_bear_are_refused, {}) {
  auto store = open_arq(server, loop);
  auto text = co_await error_of<usage_error>(enqueue_one(*store, "default", job_named("a\xff")));
  EXPECT_NE(text.find("UTF-8"), std::string::npos) << text;
  for (const char* queue :
       {"arq:abort", "arq:job:x", "arq:result:x", "arq:queue:health-check", "x:quarq:leases", "q\xff"}) {
    text = co_await error_of<usage_error>(enqueue_one(*store, queue, job_named("a")));
    EXPECT_NE(text.find("queue"), std::string::npos) << queue << ": " << text;
  }
}

// ---- queues and health

ARQ_TEST(the_default_queue_is_arqs_and_others_have_their_own_names, {}) {
  auto plain = open_arq(server, loop);
  auto named = open_arq(server, loop, "?queue=mails");
  co_await enqueue_ids(*plain, "default", strings(1, "a"));
  co_await enqueue_ids(*named, "default", strings(1, "b"));
  co_await enqueue_ids(*plain, "mails", strings(1, "c"));
  EXPECT_TRUE(score_of(server, "a", "arq:queue"));
  EXPECT_TRUE(score_of(server, "b", "mails"));
  EXPECT_TRUE(score_of(server, "c", "mails"));
  auto mails = co_await summary_of(*plain, "mails");
  EXPECT_EQ(mails.queued, 2u);
  auto default_there = co_await summary_of(*named, "default");
  EXPECT_EQ(default_there.queued, 2u);
}

ARQ_TEST(a_worker_writes_arqs_health_record, {}) {
  auto store = open_arq(server, loop, "?health_check_interval=20");
  auto worker = co_await new_worker(store, "default");
  auto other = co_await new_worker(store, "default");
  const auto record = ask(server, {"GET", "arq:queue:health-check"}).text;
  const std::regex form(
      "[A-Z][a-z]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2} j_complete=0 j_failed=0 j_retried=0 j_ongoing=0 "
      "queued=0");
  EXPECT_TRUE(std::regex_match(record, form)) << record;
  EXPECT_WITHIN(ask_number(server, {"PTTL", "arq:queue:health-check"}), 21'000 - leeway, 21'000);
  // The first that stops does not take it along, the last does.
  co_await store->close_lease(worker.held);
  EXPECT_EQ(ask_number(server, {"EXISTS", "arq:queue:health-check"}), 1);
  co_await store->close_lease(other.held);
  EXPECT_EQ(ask_number(server, {"EXISTS", "arq:queue:health-check"}), 0);
}

ARQ_TEST(the_health_record_is_where_the_url_says, {}) {
  auto store = open_arq(server, loop, "?health_check_key=my:health");
  ask(server, {"PSETEX", "my:health", "3601000",
               "Nov-22 09:53:42 j_complete=0 j_failed=0 j_retried=0 j_ongoing=3 queued=1"});
  const auto python = co_await store->workers("default");
  EXPECT_EQ(python.size(), 1u);
  EXPECT_EQ(python.at(0).token, "my:health");
  auto worker = co_await new_worker(store, "default");
  auto other = co_await new_worker(store, "other");
  EXPECT_NE(ask(server, {"GET", "my:health"}).text.find("j_ongoing=0"), std::string::npos);
  EXPECT_EQ(ask_number(server, {"EXISTS", "arq:queue:health-check"}), 0);
  EXPECT_EQ(ask_number(server, {"EXISTS", "other:health-check"}), 1);
  co_await store->close_lease(worker.held);
  EXPECT_EQ(ask_number(server, {"EXISTS", "my:health"}), 0);
}

ARQ_TEST(a_python_worker_is_known_by_its_health_record, {}) {
  auto store = open_arq(server, loop);
  auto none = co_await store->workers("default");
  EXPECT_TRUE(none.empty());
  ask(server, {"PSETEX", "arq:queue:health-check", "3601000",
               "Nov-22 09:53:42 j_complete=0 j_failed=0 j_retried=0 j_ongoing=3 queued=1"});
  auto some = co_await store->workers("default");
  EXPECT_EQ(some.size(), 1u);
  EXPECT_EQ(some.at(0).running, 3u);
  EXPECT_EQ(some.at(0).token, "arq:queue:health-check");
  // Ours say more of themselves.
  auto worker = co_await new_worker(store, "default");
  some = co_await store->workers("default");
  EXPECT_EQ(some.size(), 1u);
  EXPECT_EQ(some.at(0).token, worker.held.token);
}

// ---- losses

ARQ_TEST(the_jobs_of_a_killed_worker_come_back_within_ten_seconds_for_python_too, {}) {
  auto store = open_arq(server, loop);
  auto killed = co_await new_worker(store, "default", lease_options().duration);
  python_enqueue(server, "job");
  co_await claim_ids(killed, 1);
  EXPECT_LE(ask_number(server, {"PTTL", "arq:in-progress:job"}), 10'000);
  EXPECT_LE(*score_of(server, "job"), static_cast<double>(now_ms() + 10'000));
}

ARQ_TEST(jobs_go_on_over_a_crash_of_the_server, on_disk()) {
  auto store = open_arq(server, loop);
  auto worker = co_await new_worker(store, "default", 300ms);
  const strings ids = {"running", "waits"};
  co_await enqueue_ids(*store, "default", ids);
  co_await claim_ids(worker, 1);
  auto first = start_waiting(loop, store, "default", "running");
  auto second = start_waiting(loop, store, "default", "waits");
  co_await store->queues();
  server.kill();
  co_await sleep_for(500ms);  // longer than all leases
  server.restart();
  // Whose lease has run out while the server was away has it still.
  co_await store->reconcile(worker.held, strings(1, "running"));
  auto claimed = co_await claim_ids(worker, 10);
  EXPECT_EQ(claimed, strings(1, "waits"));
  const bool held = co_await settle_one(worker, end("running", job_state::succeeded, "1", 1h));
  EXPECT_TRUE(held);
  co_await settle_one(worker, end("waits", job_state::succeeded, "2", 1h));
  auto told = [&] { return first->over && second->over; };
  co_await until(told);
  EXPECT_TRUE(first->outcome && said_in_outcome(first->outcome->outcome) == "1");
  EXPECT_TRUE(second->outcome && said_in_outcome(second->outcome->outcome) == "2");
}

ARQ_TEST(what_a_python_worker_took_meanwhile_is_not_settled_by_its_first_holder, {}) {
  auto store = open_arq(server, loop);
  auto worker = co_await new_worker(store, "default", 50ms);
  python_enqueue(server, "running");
  python_enqueue(server, "retried");
  co_await claim_ids(worker, 2);
  auto free = [&] {
    return ask_number(server, {"EXISTS", "arq:in-progress:running", "arq:in-progress:retried"}) == 0;
  };
  co_await until(free);
  python_start(server, "running");
  python_start(server, "retried");
  ask(server, {"DEL", "arq:in-progress:retried"});  // it runs again later, says Python
  std::vector<settlement> ends;
  ends.push_back(end("running", job_state::succeeded, "the zombie's", 1h));
  ends.push_back(end("retried", job_state::succeeded, "the zombie's", 1h));
  auto held = co_await store->settle(worker.held, ends);
  EXPECT_EQ(held, std::vector<bool>(2, false));
  EXPECT_EQ(ask_number(server, {"EXISTS", "arq:result:running", "arq:result:retried"}), 0);
  EXPECT_EQ(ask_number(server, {"EXISTS", "arq:job:running", "arq:job:retried"}), 2);
}

ARQ_TEST(an_id_that_was_dead_may_be_sent_again_by_python, {}) {
  auto store = open_arq(server, loop);
  auto worker = co_await new_worker(store, "default");
  python_enqueue(server, "job");
  co_await claim_ids(worker, 1);
  co_await settle_one(worker, end("job", job_state::dead, "why"));
  python_enqueue(server, "job");
  auto state = co_await state_of(*store, "default", "job");
  EXPECT_TRUE(state == job_state::queued);
  const auto count = co_await store->requeue("default", strings(1, "job"));
  EXPECT_EQ(count, 0u);
  auto ids = co_await claim_ids(worker, 10);
  EXPECT_EQ(ids, strings(1, "job"));
  co_await settle_one(worker, end("job", job_state::succeeded, "42", 1h));
  state = co_await state_of(*store, "default", "job");
  EXPECT_TRUE(state == job_state::succeeded);
}

// ---- URLs

TEST(arq_url, says_all_that_is_to_be_known) {
  const auto s = broker::arq::parse_url(
      "arqs://ann:secret@example.org:7000/"
      "3?queue=mails&codec=msgpack&expires_extra=0.5&poll=0.02&tls_verify=no&health_check_interval=9");
  EXPECT_EQ(s.redis.host, "example.org");
  EXPECT_EQ(s.redis.port, "7000");
  EXPECT_EQ(s.redis.database, 3);
  EXPECT_EQ(s.redis.username, "ann");
  EXPECT_EQ(s.redis.password, "secret");
  EXPECT_TRUE(s.redis.tls);
  EXPECT_FALSE(s.redis.tls_verify);
  EXPECT_EQ(s.default_queue, "mails");
  EXPECT_TRUE(s.codec == arq_codec::msgpack);
  EXPECT_EQ(s.expires_extra, 500ms);
  EXPECT_EQ(s.poll, 20ms);
  EXPECT_EQ(s.health_check_interval, 9s);
}

TEST(arq_url, has_arqs_defaults) {
  const auto s = broker::arq::parse_url("arq://localhost");
  EXPECT_EQ(s.default_queue, "arq:queue");
  EXPECT_TRUE(s.codec == arq_codec::pickle);
  EXPECT_EQ(s.expires_extra, 24h);
  EXPECT_EQ(broker::arq::parse_url("arq+unix:///run/redis.sock?db=2").redis.unix_path, "/run/redis.sock");
}

TEST(arq_url, sentinels_and_arqs_own_parameters_go_together) {
  const auto s = broker::arq::parse_url("arqs+sentinel://:secret@one,two:7000/2?master=m&queue=mails");
  ASSERT_EQ(s.redis.sentinel.hosts.size(), 2u);
  EXPECT_EQ(s.redis.sentinel.hosts[1].port, "7000");
  EXPECT_EQ(s.redis.sentinel.master, "m");
  EXPECT_EQ(s.redis.database, 2);
  EXPECT_TRUE(s.redis.tls);
  EXPECT_EQ(s.default_queue, "mails");
  for (const auto* url : {"arq+sentinel://one", "arqs+sentinel://one", "rediss+sentinel://one"}) {
    EXPECT_NO_THROW(broker::check_url(url)) << url;
  }
}

TEST(arq_url, what_is_wrong_is_named_without_the_password) {
  const std::pair<std::string, std::string> wrong[] = {
      {"arq://h?what=1", "what"},
      {"arq://h?codec=json", "codec"},
      {"arq://h?expires_extra=0", "expires_extra"},
      {"arq://h?expires_extra=-1", "expires_extra"},
      {"arq://h?poll=never", "poll"},
      {"arq://h?queue=", "queue"},
      {"arq://h?queue=arq:abort", "queue"},
      {"arq://h?health_check_key=", "health record"},
      {"arq://h?health_check_key=arq:abort", "arq:abort"},
      {"arq://h?queue=q&health_check_key=q", "health record"},
      {"arq://h?tls_verify=no", "arqs"},
      {"arq://h/x", "database"},
      {"arq://one,two", "arq+sentinel"},
      {"arq+sentinel://u:secret@one,two?sentinel_password=secret&what=1", "what"},
      {"arq://u:secret@h?codec=json", "codec"},
  };
  for (const auto& [url, part] : wrong) {
    try {
      broker::check_url(url);
      ADD_FAILURE() << url << " was taken";
    } catch (const usage_error& e) {
      const std::string text = e.what();
      EXPECT_NE(text.find(part), std::string::npos) << text;
      EXPECT_NE(text.find("the arq URL"), std::string::npos) << text;
      EXPECT_EQ(text.find("secret"), std::string::npos) << text;
    }
  }
}

}  // namespace quarq::test::arq_broker_tests
