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

BROKER_TEST(what_was_said_of_one_job_is_not_said_of_the_next) {
  auto store = place.open(loop);
  auto worker = co_await new_worker(store, "q");
  std::vector<new_job> jobs = jobs_named({"before", "brief", "after"});
  jobs[1].expires = 1min;
  std::vector<bool> last_for_a_minute;
  for (const auto& one : jobs) {
    co_await enqueue_one(*store, "q", one);
    auto claimed = co_await store->claim(worker.held, 1);
    const auto& got = claimed.jobs.at(0);
    last_for_a_minute.push_back(got.expires_at && *got.expires_at <= got.due_at + 1min);
    co_await settle_one(worker, end(one.id));
  }
  EXPECT_EQ(last_for_a_minute, (std::vector<bool>{false, true, false}));
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

BROKER_TEST(a_job_that_becomes_due_stands_behind_those_that_were_ready_before) {
  auto store = place.open(loop);
  auto worker = co_await new_worker(store, "q");
  auto later = job_named("later");
  later.delay = 100ms;
  co_await enqueue_one(*store, "q", later);
  co_await enqueue_ids(*store, "q", strings(1, "ready"));
  const auto due = std::chrono::system_clock::now() + 105ms;
  auto passed = [&] { return std::chrono::system_clock::now() > due; };
  co_await until(passed);
  auto claimed = co_await store->claim(worker.held, 2);
  EXPECT_EQ(claimed.jobs.size(), 2u);
  const auto& first = claimed.jobs.at(0);
  const auto& second = claimed.jobs.at(1);
  // On a slow machine the other may have been due already when this one came.
  EXPECT_TRUE(first.id == "ready" || second.due_at > first.due_at) << first.id;
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

}  // namespace quarq::test::broker_enqueue_and_claim_tests
