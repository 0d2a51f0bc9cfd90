// What every broker does with jobs on their way to a worker.
#include <algorithm>
#include <numeric>

#include <quarq/errors.hpp>

#include "integration/broker_conformance.hpp"

namespace quarq::test::broker_enqueue_and_claim_tests {

// ---- order

BROKER_TEST(jobs_are_claimed_in_the_order_they_came_in) {
  auto store = place.open(loop);
  co_await enqueue_ids(*store, "q", strings(1, "first"));
  auto many = numbered_jobs(50);
  co_await store->enqueue("q", many);
  auto worker = co_await new_worker(store, "q");
  auto ids = co_await claim_ids(worker, 100);
  strings expected = {"first"};
  for (const auto& one : many) expected.push_back(one.id);
  EXPECT_EQ(ids, expected);
}

BROKER_TEST(higher_priorities_are_claimed_first_and_in_order_within_one) {
  auto store = place.open(loop);
  if (!place.powers().priorities) {
    co_await expect_no_priorities(store);
    co_return;
  }
  std::vector<new_job> batch;
  const int priorities[] = {0, 5, 9, 3, 5, 9, 0};
  for (const int priority : priorities) {
    batch.push_back(job_named("p" + std::to_string(priority) + "-" + std::to_string(batch.size()), priority));
  }
  co_await store->enqueue("q", batch);
  co_await enqueue_one(*store, "q", job_named("late but urgent", 7));
  auto worker = co_await new_worker(store, "q");
  auto first = co_await claim_ids(worker, 3);
  auto rest = co_await claim_ids(worker, 100);
  const strings expected_first = {"p9-2", "p9-5", "late but urgent"};
  const strings expected_rest = {"p5-1", "p5-4", "p3-3", "p0-0", "p0-6"};
  EXPECT_EQ(first, expected_first);
  EXPECT_EQ(rest, expected_rest);
}

BROKER_TEST(a_claimed_job_comes_with_all_that_was_said_of_it) {
  auto store = place.open(loop);
  const int priority = place.powers().priorities ? 8 : 5;
  auto said = job_named("one", priority);
  said.expires = 1h;
  const auto before = std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now());
  co_await enqueue_one(*store, "q", said);
  auto worker = co_await new_worker(store, "q");
  auto claimed = co_await store->claim(worker.held, 10);
  EXPECT_EQ(claimed.jobs.size(), 1u);
  const auto& got = claimed.jobs.at(0);
  EXPECT_EQ(got.id, "one");
  EXPECT_EQ(said_in_record(got.record), "record of one");
  EXPECT_EQ(got.attempts, 1);
  EXPECT_EQ(got.priority, priority);
  // The store is on this machine, so its clock is ours.
  EXPECT_GE(got.enqueued_at, before - 2ms);
  EXPECT_LE(got.enqueued_at, claimed.now);
  EXPECT_EQ(got.due_at, got.enqueued_at);
  EXPECT_TRUE(got.expires_at == got.due_at + 1h);
  EXPECT_FALSE(claimed.next_due);
}

BROKER_TEST(ten_thousand_jobs_fit_in_one_call) {
  auto store = place.open(loop);
  auto many = numbered_jobs(10'000);
  auto answers = co_await store->enqueue("q", many);
  EXPECT_EQ(std::count(answers.begin(), answers.end(), accepted::yes), 10'000);
  auto worker = co_await new_worker(store, "q");
  strings all;
  for (int round = 0; round < 10; ++round) {
    auto ids = co_await claim_ids(worker, 1'000);
    EXPECT_EQ(ids.size(), 1'000u);
    all.insert(all.end(), ids.begin(), ids.end());
  }
  strings expected;
  for (const auto& one : many) expected.push_back(one.id);
  EXPECT_EQ(all, expected);
  std::vector<settlement> done;
  for (const auto& id : all) done.push_back(end(id));
  auto held = co_await store->settle(worker.held, done);
  EXPECT_EQ(std::count(held.begin(), held.end(), true), 10'000);
  auto left = co_await summary_of(*store, "q");
  EXPECT_EQ(left.running, 0u);
}

BROKER_TEST(nothing_to_enqueue_claim_or_settle_is_no_error) {
  auto store = place.open(loop);
  auto answers = co_await store->enqueue("q", std::vector<new_job>());
  EXPECT_TRUE(answers.empty());
  auto worker = co_await new_worker(store, "q");
  auto held = co_await store->settle(worker.held, std::vector<settlement>());
  EXPECT_TRUE(held.empty());
  auto ids = co_await claim_ids(worker, 0);
  EXPECT_TRUE(ids.empty());
}

BROKER_TEST(two_queues_do_not_see_each_other) {
  auto store = place.open(loop);
  co_await enqueue_ids(*store, "red", strings(1, "same id"));
  auto second = co_await enqueue_one(*store, "blue", job_named("same id"));
  if (!place.powers().an_id_in_each_queue) {
    EXPECT_EQ(second, accepted::duplicate);
    co_await enqueue_ids(*store, "blue", strings(1, "another id"));
    auto worker = co_await new_worker(store, "blue");
    auto ids = co_await claim_ids(worker, 10);
    EXPECT_EQ(ids, strings(1, "another id"));
    co_return;
  }
  EXPECT_EQ(second, accepted::yes);
  auto red = co_await new_worker(store, "red");
  auto blue = co_await new_worker(store, "blue");
  auto from_blue = co_await claim_ids(blue, 10);
  EXPECT_EQ(from_blue, strings(1, "same id"));
  auto state = co_await state_of(*store, "red", "same id");
  EXPECT_TRUE(state == job_state::queued);
  const bool ended_blue = co_await settle_one(blue, end("same id"));
  EXPECT_TRUE(ended_blue);
  const bool not_held = co_await settle_one(red, end("same id"));
  EXPECT_FALSE(not_held);
  auto from_red = co_await claim_ids(red, 10);
  EXPECT_EQ(from_red, strings(1, "same id"));
}

// ---- duplicates

BROKER_TEST(an_id_that_is_queued_deferred_or_running_is_refused) {
  auto store = place.open(loop);
  co_await enqueue_one(*store, "q", job_named("running"));
  auto worker = co_await new_worker(store, "q");
  auto claimed = co_await claim_ids(worker, 1);
  EXPECT_EQ(claimed, strings(1, "running"));
  co_await enqueue_one(*store, "q", job_named("queued"));
  auto later = job_named("deferred");
  later.delay = 1h;
  co_await enqueue_one(*store, "q", later);
  const strings ids = {"queued", "new", "deferred", "running"};
  auto answers = co_await store->enqueue("q", jobs_named(ids));
  const std::vector<accepted> expected = {accepted::duplicate, accepted::yes, accepted::duplicate,
                                          accepted::duplicate};
  EXPECT_EQ(answers, expected);
  auto summary = co_await summary_of(*store, "q");
  EXPECT_EQ(summary.queued, 2u);
  EXPECT_EQ(summary.deferred, 1u);
  EXPECT_EQ(summary.running, 1u);
}

BROKER_TEST(an_id_whose_result_is_kept_or_that_is_dead_is_refused_until_it_is_gone) {
  auto store = place.open(loop);
  const strings ids = {"kept", "dead", "forgotten", "kept briefly"};
  co_await enqueue_ids(*store, "q", ids);
  auto worker = co_await new_worker(store, "q");
  co_await claim_ids(worker, 10);
  std::vector<settlement> ends;
  ends.push_back(end("kept", job_state::succeeded, "42", 1h));
  ends.push_back(end("dead", job_state::dead, "why"));
  ends.push_back(end("forgotten"));
  ends.push_back(end("kept briefly", job_state::succeeded, "42", 40ms));
  co_await store->settle(worker.held, ends);
  const strings again = {"kept", "dead", "forgotten"};
  auto answers = co_await store->enqueue("q", jobs_named(again));
  const std::vector<accepted> expected = {accepted::duplicate, accepted::duplicate, accepted::yes};
  EXPECT_EQ(answers, expected);
  auto answer = accepted::duplicate;
  for (int i = 0; i < 2'000 && answer == accepted::duplicate; ++i) {
    answer = co_await enqueue_one(*store, "q", job_named("kept briefly"));
    co_await sleep_for(2ms);
  }
  EXPECT_EQ(answer, accepted::yes);
}

BROKER_TEST(the_same_id_twice_in_one_batch_is_accepted_once) {
  auto store = place.open(loop);
  const strings ids = {"a", "b", "a", "c", "b", "a"};
  auto batch = jobs_named(ids);
  batch[2].record = record_saying("another record");
  auto answers = co_await store->enqueue("q", batch);
  const auto yes = accepted::yes, no = accepted::duplicate;
  const std::vector<accepted> expected = {yes, yes, no, yes, no, no};
  EXPECT_EQ(answers, expected);
  auto worker = co_await new_worker(store, "q");
  auto claimed = co_await store->claim(worker.held, 10);
  EXPECT_EQ(claimed.jobs.size(), 3u);
  EXPECT_EQ(said_in_record(claimed.jobs.at(0).record), "record of a");
}

// The second call stands for one that is repeated because the answer to the first was lost. With a fresh id
// the broker can know that, and whatever it answers there is one job. With an id of the user's own it can't:
// the answer is `duplicate`, as for anybody else's second job.
BROKER_TEST(a_repeated_enqueue_stores_its_jobs_once) {
  auto store = place.open(loop);
  auto fresh = numbered_jobs(20, "fresh");
  for (auto& one : fresh) one.id_is_fresh = true;
  auto answers = co_await store->enqueue("q", fresh);
  EXPECT_EQ(answers, std::vector<accepted>(20, accepted::yes));
  co_await store->enqueue("q", fresh);
  auto named = numbered_jobs(20, "named");
  co_await store->enqueue("q", named);
  auto second = co_await store->enqueue("q", named);
  EXPECT_EQ(second, std::vector<accepted>(20, accepted::duplicate));
  auto worker = co_await new_worker(store, "q");
  auto ids = co_await claim_ids(worker, 100);
  EXPECT_EQ(ids.size(), 40u);
  EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), 40u);
}

// ---- later

BROKER_TEST(a_delayed_job_is_claimed_when_it_is_due_and_not_before) {
  auto store = place.open(loop);
  auto worker = co_await new_worker(store, "q");
  auto later = job_named("later");
  later.delay = 1s;
  later.expires = 10s;
  co_await enqueue_one(*store, "q", later);
  auto state = co_await state_of(*store, "q", "later");
  EXPECT_TRUE(state == job_state::deferred);
  auto early = co_await store->claim(worker.held, 10);
  EXPECT_TRUE(early.jobs.empty());
  EXPECT_TRUE(early.next_due.has_value());
  EXPECT_LE(early.next_due.value_or(1h), 1s);
  co_await sleep_for(early.next_due.value_or(1ms));
  auto claimed = co_await claim_until(worker, 1);
  EXPECT_EQ(claimed.at(0).id, "later");
  EXPECT_EQ(claimed.at(0).due_at, claimed.at(0).enqueued_at + 1s);
  EXPECT_TRUE(claimed.at(0).expires_at == claimed.at(0).due_at + 10s);
}

BROKER_TEST(a_job_can_be_due_at_a_moment) {
  auto store = place.open(loop);
  auto worker = co_await new_worker(store, "q");
  const auto now = std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now());
  auto past = job_named("in the past");
  past.at = now - 1h;
  auto soon = job_named("soon");
  soon.at = now + 60ms;
  auto far = job_named("far");
  far.at = now + 1h;
  std::vector<new_job> batch = {far, soon, past};
  co_await store->enqueue("q", batch);
  auto first = co_await claim_ids(worker, 1);
  EXPECT_EQ(first, strings(1, "in the past"));
  auto second = co_await claim_until(worker, 1);
  EXPECT_EQ(second.at(0).id, "soon");
  EXPECT_EQ(second.at(0).due_at, now + 60ms);
  auto third = co_await store->claim(worker.held, 1);
  EXPECT_TRUE(third.jobs.empty());
  EXPECT_GT(third.next_due.value_or(0ms), 50min);
}

BROKER_TEST(a_due_job_takes_its_place_by_priority) {
  auto store = place.open(loop);
  if (!place.powers().priorities) {
    co_await expect_no_priorities(store);
    co_return;
  }
  auto worker = co_await new_worker(store, "q");
  auto urgent = job_named("urgent", 9);
  urgent.delay = 30ms;
  co_await enqueue_one(*store, "q", urgent);
  auto usual = job_named("usual", 5);
  usual.delay = 31ms;
  co_await enqueue_one(*store, "q", usual);
  const auto due = std::chrono::system_clock::now() + 35ms;
  auto passed = [&] { return std::chrono::system_clock::now() > due; };
  co_await until(passed);
  auto ids = co_await claim_ids(worker, 1);
  EXPECT_EQ(ids, strings(1, "urgent"));
  // The other has become ready in the same step, though nobody took it.
  auto again = co_await claim_ids(worker, 1);
  EXPECT_EQ(again, strings(1, "usual"));
}

BROKER_TEST(an_earlier_due_time_than_was_promised_wakes_the_worker) {
  auto store = place.open(loop);
  auto elsewhere = place.open_apart(loop);
  auto worker = co_await new_worker(store, "q");
  auto far = job_named("far");
  far.delay = 1h;
  co_await enqueue_one(*elsewhere, "q", far);
  auto claimed = co_await store->claim(worker.held, 1);
  EXPECT_GT(claimed.next_due.value_or(0ms), 50min);
  auto near = job_named("near");
  near.delay = 30min;
  co_await enqueue_one(*elsewhere, "q", near);
  auto rung = [&] { return worker.heard->work_ready > 0; };
  co_await until(rung);
  auto next = co_await store->claim(worker.held, 1);
  EXPECT_LE(next.next_due.value_or(1h), 30min);
}

// ---- waking up

BROKER_TEST(a_claim_that_got_fewer_is_followed_by_an_event) {
  auto store = place.open(loop);
  auto worker = co_await new_worker(store, "q");
  for (int round = 0; round < 20; ++round) {
    auto none = co_await claim_ids(worker, 1);
    EXPECT_TRUE(none.empty());
    const int before = worker.heard->work_ready;
    co_await enqueue_one(*store, "q", job_named("job"));
    auto rung = [&] { return worker.heard->work_ready > before; };
    co_await until(rung);
    auto ids = co_await claim_ids(worker, 1);
    EXPECT_EQ(ids, strings(1, "job"));
    co_await settle_one(worker, end("job"));
  }
}

BROKER_TEST(a_job_from_another_process_wakes_a_waiting_worker) {
  auto store = place.open(loop);
  auto elsewhere = place.open_apart(loop);
  auto worker = co_await new_worker(store, "q");
  for (int round = 0; round < 20; ++round) {
    auto none = co_await claim_ids(worker, 5);
    EXPECT_TRUE(none.empty());
    const int before = worker.heard->work_ready;
    co_await enqueue_one(*elsewhere, "q", job_named("job"));
    auto rung = [&] { return worker.heard->work_ready > before; };
    co_await until(rung);
    auto ids = co_await claim_ids(worker, 5);
    EXPECT_EQ(ids, strings(1, "job"));
    co_await settle_one(worker, end("job"));
  }
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

// ---- what must not get in, and what must come through

BROKER_TEST(records_and_outcomes_may_be_any_bytes) {
  auto store = place.open(loop);
  std::string every_byte(256, '\0');
  std::iota(every_byte.begin(), every_byte.end(), '\0');
  std::string big(1 << 20, 'x');
  for (std::size_t i = 0; i < big.size(); ++i) big[i] = static_cast<char>(i * 31 + i / 256);
  strings records = {"", every_byte, big, std::string(3, '\0'), "\xff\xfe'\"; DROP TABLE jobs; --"};
  strings outcomes = records;
  if (!place.powers().any_bytes) {
    // Then those within: who translates must understand what is around them, or say that it does not.
    for (const auto& record : records) {
      auto one = job_named("not a record");
      one.record = record;
      auto text = co_await error_of<usage_error>(enqueue_one(*store, "q", one));
      EXPECT_NE(text.find("payload"), std::string::npos) << text;
    }
    for (auto& one : records) one = record_saying(one);
    for (auto& one : outcomes) one = outcome_saying(one);
  }
  std::vector<new_job> batch;
  for (const auto& record : records) {
    auto one = job_named("job" + std::to_string(batch.size()));
    one.record = record;
    batch.push_back(one);
  }
  co_await store->enqueue("q", batch);
  auto worker = co_await new_worker(store, "q");
  auto claimed = co_await store->claim(worker.held, 10);
  EXPECT_EQ(claimed.jobs.size(), records.size());
  std::vector<settlement> ends;
  for (std::size_t i = 0; i < claimed.jobs.size(); ++i) {
    EXPECT_TRUE(claimed.jobs[i].record == records[i]) << "record " << i;
    ends.push_back(end(claimed.jobs[i].id, job_state::succeeded, "", 1h));
    ends.back().outcome = outcomes[i];
  }
  co_await store->settle(worker.held, ends);
  for (std::size_t i = 0; i < records.size(); ++i) {
    auto end = co_await store->wait_ended("q", "job" + std::to_string(i));
    const bool same =
        end && (place.powers().any_bytes ? end->outcome == outcomes[i]
                                         : said_in_outcome(end->outcome) == said_in_outcome(outcomes[i]));
    EXPECT_TRUE(same) << "outcome " << i;
  }
}

BROKER_TEST(ids_may_be_any_text_of_up_to_255_bytes) {
  auto store = place.open(loop);
  const strings ids = {"'; DROP TABLE quarq_jobs; --",
                       "\"quoted\"",
                       "Größe 漢字 \xf0\x9f\x90\x9f",
                       "with space\tand\nline",
                       "{braces}:*?[x]",
                       "%s%n",
                       std::string(255, 'x'),
                       "ends with NUL" + std::string(1, '\0'),
                       "ends with NUL"};
  co_await enqueue_ids(*store, "Schlange: '{q}' 漢", ids);
  auto worker = co_await new_worker(store, "Schlange: '{q}' 漢");
  auto claimed = co_await claim_ids(worker, 20);
  EXPECT_EQ(claimed, ids);
  for (const auto& id : ids) {
    auto state = co_await state_of(*store, "Schlange: '{q}' 漢", id);
    EXPECT_TRUE(state == job_state::running) << id;
    const bool held = co_await settle_one(worker, end(id));
    EXPECT_TRUE(held) << id;
  }
}

BROKER_TEST(what_can_not_be_stored_is_refused_by_name) {
  auto store = place.open(loop);
  auto text = co_await error_of<usage_error>(enqueue_one(*store, "q", job_named("")));
  EXPECT_NE(text.find("id"), std::string::npos) << text;
  text = co_await error_of<usage_error>(enqueue_one(*store, "q", job_named(std::string(256, 'x'))));
  EXPECT_NE(text.find("255"), std::string::npos) << text;
  text = co_await error_of<usage_error>(enqueue_one(*store, "", job_named("a")));
  EXPECT_NE(text.find("queue"), std::string::npos) << text;
  text = co_await error_of<usage_error>(enqueue_one(*store, "q", job_named("a", 10)));
  EXPECT_NE(text.find("priority"), std::string::npos) << text;
  text = co_await error_of<usage_error>(enqueue_one(*store, "q", job_named("a", -1)));
  EXPECT_NE(text.find("priority"), std::string::npos) << text;
  // One bad job among good ones: none of them is stored.
  const strings ids = {"good", "", "good too"};
  auto mixed = store->enqueue("q", jobs_named(ids));
  text = co_await error_of<usage_error>(std::move(mixed));
  EXPECT_NE(text.find("id"), std::string::npos) << text;
  auto summary = co_await summary_of(*store, "q");
  EXPECT_EQ(summary.queued, 0u);
}

BROKER_TEST(what_was_acknowledged_is_there_after_the_store_was_killed) {
  auto store = place.open(loop);
  co_await store->enqueue("q", numbered_jobs(100));
  const bool killed = place.kill_and_restart();
  if (!killed) co_return;  // Nothing serves it: the death of its writers is a test of its own.
  auto worker = co_await new_worker(store, "q");
  auto ids = co_await claim_ids(worker, 200);
  EXPECT_EQ(ids.size(), 100u);
}

}  // namespace quarq::test::broker_enqueue_and_claim_tests
