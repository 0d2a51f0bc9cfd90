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

}  // namespace quarq::test::arq_broker_tests
