// The arq broker with jobs that it can't read, with health records, and after crashes.
#include <algorithm>
#include <cmath>
#include <regex>

#include <quarq/errors.hpp>
#include <quarq/msgpack.hpp>

#include "broker/arq/keys.hpp"
#include "integration/arq_broker.hpp"
#include "model/record.hpp"

namespace quarq::test::arq_broker_tests {

namespace {

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

ARQ_TEST(a_python_worker_s_health_record_outlives_ours, {}) {
  auto store = open_arq(server, loop, "?health_check_interval=20");
  const char* const theirs = "Nov-22 09:53:42 j_complete=0 j_failed=0 j_retried=0 j_ongoing=3 queued=1";
  ask(server, {"PSETEX", "arq:queue:health-check", "3601000", theirs});
  auto worker = co_await new_worker(store, "default");
  EXPECT_WITHIN(ask_number(server, {"PTTL", "arq:queue:health-check"}), 3'601'000 - leeway, 3'601'000);
  co_await store->close_lease(worker.held);
  EXPECT_WITHIN(ask_number(server, {"PTTL", "arq:queue:health-check"}), 3'601'000 - leeway, 3'601'000);
  // It comes while ours are at work, and begins in the same second.
  ask(server, {"DEL", "arq:queue:health-check", "arq:queue:quarq:python"});
  worker = co_await new_worker(store, "default");
  const auto same = ask(server, {"GET", "arq:queue:health-check"}).text;
  ask(server, {"PSETEX", "arq:queue:health-check", "3601000", same});
  co_await store->close_lease(worker.held);
  EXPECT_EQ(ask(server, {"GET", "arq:queue:health-check"}).text, same);
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
  ask(server, {"DEL", "arq:queue:quarq:python"});  // Python's worker has been gone for an hour.
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

ARQ_TEST(nobody_is_lost_while_nobody_could_renew, {}) {
  auto store = open_arq(server, loop);
  auto first = co_await new_worker(store, "default", 5s);
  auto second = co_await new_worker(store, "default", 5s);
  const strings ids = {"one", "two"};
  co_await enqueue_ids(*store, "default", ids);
  co_await claim_ids(first, 1);
  co_await claim_ids(second, 1);
  // The server stood still for some seconds: the second's lease has run out, the first's has not.
  ask(server, {"SET", "arq:quarq:last_heard", std::to_string(now_ms() - 4'000)});
  ask(server, {"ZADD", "arq:quarq:leases", std::to_string(now_ms() - 100), second.held.token});
  auto answer = co_await renew(first, 5s);
  EXPECT_FALSE(answer.work_ready);
  answer = co_await renew(second, 5s);
  EXPECT_TRUE(answer.held);
  // The same with a clock that was set back or forward.
  for (const auto jump : {-hour, hour}) {
    ask(server, {"SET", "arq:quarq:last_heard", std::to_string(now_ms() + jump)});
    for (const auto* worker : {&first, &second})
      ask(server, {"ZADD", "arq:quarq:leases", std::to_string(now_ms() + jump), worker->held.token});
    answer = co_await renew(first, 5s);
    EXPECT_TRUE(answer.held);
    const auto until_when = ask(server, {"ZSCORE", "arq:quarq:leases", second.held.token});
    EXPECT_WITHIN(std::stod(until_when.text), static_cast<double>(now_ms() + 5'000 - leeway),
                  static_cast<double>(now_ms() + 5'001));
  }
  const bool held = co_await settle_one(second, end("two"));
  EXPECT_TRUE(held);
}

ARQ_TEST(who_is_lost_while_others_renew_is_found, {}) {
  auto store = open_arq(server, loop);
  auto lost = co_await new_worker(store, "default", 5s);
  auto other = co_await new_worker(store, "default", 5s);
  co_await enqueue_ids(*store, "default", strings(1, "job"));
  co_await claim_ids(lost, 1);
  co_await renew(other, 5s);
  ask(server, {"ZADD", "arq:quarq:leases", std::to_string(now_ms() - 100), lost.held.token});
  const auto answer = co_await renew(other, 5s);
  EXPECT_TRUE(answer.work_ready);
  const auto again = co_await claim_until(other, 1);
  EXPECT_EQ(again.at(0).attempts, 1);
  EXPECT_EQ(again.at(0).losses, 1);
  EXPECT_EQ(ask(server, {"GET", "arq:retry:job"}).text, "1");
  EXPECT_EQ(ask(server, {"HGET", "arq:queue:quarq:losses", "job"}).text, "1");
  co_await settle_one(other, end("job"));
  EXPECT_EQ(ask_number(server, {"EXISTS", "arq:queue:quarq:losses"}), 0);
}

ARQ_TEST(a_full_server_lets_jobs_end, {}) {
  auto store = open_arq(server, loop);
  auto worker = co_await new_worker(store, "default");
  auto other = co_await new_worker(store, "default");
  const strings ids = {"ends", "is retried", "is handed back", "is cancelled", "is reconciled", "waits"};
  co_await enqueue_ids(*store, "default", ids);
  co_await claim_ids(worker, 4);
  co_await claim_ids(other, 1);
  ask(server, {"CONFIG", "SET", "maxmemory-policy", "noeviction"});
  ask(server, {"CONFIG", "SET", "maxmemory", "1"});
  const auto refused = co_await error_of<broker_error>(enqueue_one(*store, "default", job_named("more")));
  EXPECT_NE(refused.find("OOM"), std::string::npos) << refused;
  const auto answer = co_await renew(worker);
  EXPECT_TRUE(answer.held);
  const auto cancelled = co_await cancel(*store, "default", "is cancelled", "why", 1h);
  EXPECT_EQ(cancelled, cancel_result::requested);
  std::vector<settlement> ends;
  ends.push_back(end("ends", job_state::succeeded, "42", 1h));
  ends.push_back(retry_after("is retried", 1h));
  ends.push_back(hand_back("is handed back"));
  ends.push_back(end("is cancelled", job_state::cancelled, "why", 1h));
  const auto held = co_await store->settle(worker.held, ends);
  EXPECT_EQ(held, std::vector<bool>(4, true));
  EXPECT_EQ(read_end(server, "ends").state, job_state::succeeded);
  co_await store->reconcile(other.held, {});
  co_await store->close_lease(other.held);
  EXPECT_EQ(ask_number(server, {"EXISTS", "arq:in-progress:is reconciled"}), 0);
  const auto gone = co_await cancel(*store, "default", "waits", "why", 1h);
  EXPECT_EQ(gone, cancel_result::cancelled);
  const auto purged = co_await store->purge("default", job_state::queued);
  EXPECT_EQ(purged, 2u);
}

ARQ_TEST(a_payload_above_what_a_subscriber_may_be_sent_is_claimed_as_all_others, {}) {
  auto store = open_arq(server, loop);
  auto worker = co_await new_worker(store, "default");
  // bytes, as many as Redis sends no subscriber at once
  const std::string large(40'000'000, 'x');
  std::string size;
  for (int shift = 0; shift < 32; shift += 8) size += static_cast<char>(large.size() >> shift);
  const std::string pickle = std::string(
                                 "\x80\x04}(\x8c\x01tN\x8c\x01"
                                 "f\x8c\x01"
                                 "f\x8c\x01"
                                 "aB",
                                 18) +
                             size + large +
                             std::string(
                                 "\x85\x8c\x01k}\x8c\x02"
                                 "etK\x01u.",
                                 13);
  python_enqueue(server, "large", pickle);
  python_enqueue(server, "small");
  const int before = worker.heard->work_ready;
  auto claimed = co_await store->claim(worker.held, 10);
  EXPECT_EQ(claimed.jobs.size(), 2u);
  EXPECT_EQ(worker.heard->work_ready, before);  // The connection has not been lost.
  EXPECT_EQ(claimed.jobs.at(0).id, "large");
  EXPECT_GT(claimed.jobs.at(0).record.size(), large.size());
  const auto job = co_await store->inspect("default", "large");
  EXPECT_TRUE(job && job->record.size() > large.size());
  const auto running = co_await store->list("default", job_state::running, 10);
  EXPECT_EQ(running.size(), 2u);
  const auto answer = co_await cancel(*store, "default", "large", "why", 1h);
  EXPECT_EQ(answer, cancel_result::requested);
  co_await settle_one(worker, end("large", job_state::failed, "no", 1h));
  const auto ended = co_await store->inspect("default", "large");
  EXPECT_TRUE(ended && ended->state == job_state::failed);
}

ARQ_TEST(dead_jobs_are_kept_in_bounds_of_number_and_age, {}) {
  auto store = open_arq(server, loop, "?dead_jobs=2&dead_days=1");
  auto worker = co_await new_worker(store, "default");
  const strings ids = {"old", "a", "b", "c"};
  co_await enqueue_ids(*store, "default", ids);
  co_await claim_ids(worker, 4);
  for (const auto& id : ids) co_await settle_one(worker, end(id, job_state::dead, "why"));
  ask(server, {"ZADD", "arq:queue:quarq:dead", std::to_string(now_ms() - day - 1'000), "old"});
  co_await renew(worker);
  co_await renew(worker);
  const auto dead = co_await store->list("default", job_state::dead, 10);
  strings left;
  for (const auto& one : dead) left.push_back(one.id);
  const strings expected = {"b", "c"};
  EXPECT_EQ(left, expected);
  for (const char* hash : {"arq:queue:quarq:dead_jobs", "arq:queue:quarq:dead_outcomes"}) {
    EXPECT_EQ(ask_number(server, {"HLEN", hash}), 2) << hash;
  }
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
  EXPECT_EQ(ask(server, {"GET", "arq:in-progress:running"}).text, worker.held.token)
      << "Python would start it";
  auto claimed = co_await claim_ids(worker, 10);
  EXPECT_EQ(claimed, strings(1, "waits"));
  const bool held = co_await settle_one(worker, end("running", job_state::succeeded, "1", 1h));
  EXPECT_TRUE(held);
  co_await settle_one(worker, end("waits", job_state::succeeded, "2", 1h));
  auto notified = [&] { return first->over && second->over; };
  co_await until(notified);
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

}  // namespace quarq::test::arq_broker_tests
