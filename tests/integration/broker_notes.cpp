// What running jobs say of themselves, and marks of queues, on every broker.
#include <quarq/errors.hpp>

#include "integration/broker_conformance.hpp"

namespace quarq::test::broker_notes_tests {

namespace {

using std::chrono::hours;

awaitable<void> say(worker_end worker, std::string id, std::string text) {
  std::vector<broker::job_note> notes(1);
  notes.front().id = std::move(id);
  notes.front().text = std::move(text);
  co_await worker.store->keep_notes(worker.held, std::move(notes));
}

awaitable<std::string> note_of(std::shared_ptr<broker::broker> store, std::string id) {
  const auto job = co_await store->inspect("q", id);
  co_return job ? job->note : "there is no such job";
}

/// A worker of the queue q that holds a job of this id.
awaitable<worker_end> holding(std::shared_ptr<broker::broker> store, std::string id) {
  auto worker = co_await new_worker(store, "q");
  co_await enqueue_ids(*store, "q", strings(1, id));
  co_await claim_until(worker, 1);
  co_return worker;
}

}  // namespace

BROKER_TEST(what_a_running_job_says_of_itself_is_kept_until_it_says_something_else) {
  auto store = place.open(loop);
  auto elsewhere = place.open_apart(loop);
  auto worker = co_await holding(store, "job");
  auto note = co_await note_of(elsewhere, "job");
  EXPECT_EQ(note, "");
  const std::string bytes("first \0\xff", 8);
  co_await say(worker, "job", bytes);
  note = co_await note_of(elsewhere, "job");
  EXPECT_EQ(note, bytes);
  co_await say(worker, "job", "second");
  note = co_await note_of(elsewhere, "job");
  EXPECT_EQ(note, "second");
}

BROKER_TEST(what_a_job_said_goes_with_its_end) {
  auto store = place.open(loop);
  auto worker = co_await holding(store, "job");
  co_await say(worker, "job", "before");
  auto ended = end("job", job_state::succeeded, "well", hours(1));
  ended.has_notes = true;
  bool held = co_await settle_one(worker, ended);
  EXPECT_TRUE(held);
  auto note = co_await note_of(store, "job");
  EXPECT_EQ(note, "");
  co_await store->purge("q", job_state::succeeded);
  co_await enqueue_ids(*store, "q", strings(1, "job"));
  note = co_await note_of(store, "job");
  EXPECT_EQ(note, "") << "another job of this id";
}

BROKER_TEST(a_job_that_is_retried_keeps_what_it_says_in_its_outcome_alone) {
  auto store = place.open(loop);
  auto worker = co_await holding(store, "job");
  co_await say(worker, "job", "before");
  auto later = retry_after("job", hours(1));
  later.has_notes = true;
  bool held = co_await settle_one(worker, later);
  EXPECT_TRUE(held);
  auto note = co_await note_of(store, "job");
  EXPECT_EQ(note, "");
}

BROKER_TEST(nothing_is_kept_of_what_is_said_of_jobs_that_are_not_held) {
  auto store = place.open(loop);
  auto worker = co_await new_worker(store, "q");
  auto other = co_await holding(store, "job");
  co_await say(worker, "job", "not mine");
  auto note = co_await note_of(store, "job");
  EXPECT_EQ(note, "");
  co_await settle_one(other, hand_back("job"));
  co_await say(other, "job", "too late");
  note = co_await note_of(store, "job");
  EXPECT_EQ(note, "");
  co_await say(other, "unknown", "no such job");
}

BROKER_TEST(what_several_jobs_say_is_read_at_once) {
  auto store = place.open(loop);
  auto elsewhere = place.open_apart(loop);
  auto worker = co_await new_worker(store, "q");
  const strings ids{"a", "b", "c"};
  co_await enqueue_ids(*store, "q", ids);
  co_await claim_until(worker, 3);
  const std::string bytes("first \0\xff", 8);
  co_await say(worker, "a", bytes);
  co_await say(worker, "c", "of c");
  const strings asked{"c", "unknown", "b", "a", "c"};
  strings expected{"of c", "", "", bytes, "of c"};
  auto notes = co_await elsewhere->notes("q", asked);
  EXPECT_EQ(notes, expected);
  auto ended = end("c", job_state::succeeded, "well", hours(1));
  ended.has_notes = true;
  bool held = co_await settle_one(worker, ended);
  EXPECT_TRUE(held);
  expected.front() = expected.back() = "";
  notes = co_await elsewhere->notes("q", asked);
  EXPECT_EQ(notes, expected);
  notes = co_await elsewhere->notes("another", strings(1, "a"));
  EXPECT_EQ(notes, strings(1, ""));
}

BROKER_TEST(marks_of_a_queue_are_kept_until_they_are_removed) {
  auto store = place.open(loop);
  auto elsewhere = place.open_apart(loop);
  bool changed = co_await store->set_mark("q", "cron:a", "paused");
  EXPECT_TRUE(changed);
  changed = co_await elsewhere->set_mark("q", "cron:a", "paused");
  EXPECT_FALSE(changed);
  changed = co_await elsewhere->set_mark("q", "b", "other");
  EXPECT_TRUE(changed);
  const std::map<std::string, std::string> both = {{"b", "other"}, {"cron:a", "paused"}};
  auto marks = co_await store->marks("q");
  EXPECT_EQ(marks, both);
  marks = co_await store->marks("another");
  EXPECT_TRUE(marks.empty());
  changed = co_await store->set_mark("q", "b", "");
  EXPECT_TRUE(changed);
  changed = co_await store->set_mark("q", "b", "");
  EXPECT_FALSE(changed);
  marks = co_await elsewhere->marks("q");
  EXPECT_EQ(marks.size(), 1u);
  std::string error = "none";
  try {
    co_await store->set_mark("q", std::string(256, 'x'), "text");
  } catch (const usage_error& e) {
    error = e.what();
  }
  EXPECT_NE(error.find("256 bytes"), std::string::npos) << error;
}

BROKER_TEST(marks_outlive_the_stores_programs) {
  if (place.url() == "sqlite::memory:") co_return;
  {
    auto store = place.open(loop);
    co_await store->set_mark("q", "cron:a", "paused");
  }
  place.kill_and_restart();
  auto again = place.open(loop);
  const auto marks = co_await again->marks("q");
  EXPECT_EQ(marks.size(), 1u);
}

}  // namespace quarq::test::broker_notes_tests
