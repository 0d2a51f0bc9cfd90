// What operators are told by every broker: attempts, counts, what has happened; and what they may forget.
#include <algorithm>
#include <functional>
#include <map>

#include <fmt/format.h>

#include <quarq/errors.hpp>

#include "clients/job_description.hpp"
#include "clients/job_filter.hpp"
#include "clients/job_list.hpp"
#include "integration/broker_conformance.hpp"
#include "model/record.hpp"

namespace quarq::test::broker_operators_tests {

namespace {

using store_ptr = std::shared_ptr<broker::broker>;
using std::chrono::minutes;

/// A job of `task` with this text as its argument.
new_job job_of(std::string id, std::string task, std::string_view text) {
  model::record r;
  r.task = std::move(task);
  encoder arguments(r.arguments);
  arguments.array(1);
  arguments.text(text);
  detail::labels labels;
  labels.headers["from"] = "tests";
  labels.tags.push_back(std::string("about-") + std::string(text));
  labels.version = 2;
  r.labels = std::make_shared<const detail::labels>(labels);
  new_job made;
  made.id = std::move(id);
  made.record = model::encode(r);
  return made;
}

settlement failed_try(const claimed_job& job, std::string error) {
  model::outcome o;
  o.task = "mail";
  o.attempts = job.attempts;
  o.worker = fmt::format("host:{}", job.attempts);
  o.started_ms = 1'000 * job.attempts;
  o.finished_ms = o.started_ms + 500;
  o.error_type = "test::said";
  o.error = std::move(error);
  if (!job.last_outcome.empty()) model::add_earlier_attempts(o, job.last_outcome);
  settlement s;
  s.id = job.id;
  s.kind = settlement::what::retry;
  s.outcome = model::encode(o);
  return s;
}

/// Ends the job in `state`, with what was told of its earlier attempts.
settlement last_try(const claimed_job& job, job_state state) {
  auto s = failed_try(job, "the last");
  s.kind = settlement::what::end;
  s.state = state;
  s.keep = 1h;
  return s;
}

awaitable<claimed_job> claim_one(const worker_end& worker) {
  auto all = co_await claim_until(worker, 1);
  co_return std::move(all.front());
}

awaitable<std::uint64_t> sum_of(store_ptr store, std::uint64_t task_stats::* member, std::string task) {
  const auto now = std::chrono::floor<minutes>(std::chrono::system_clock::now());
  const auto all = co_await store->stats("q", now - minutes(5), now + minutes(2));
  std::uint64_t sum = 0;
  for (const auto& one : all) {
    if (one.task == task) sum += one.counts.*member;
  }
  co_return sum;
}

clients::owned_filter all_that(const job_filter& said) {
  return {said, clients::all_job_states, "list"};
}

}  // namespace

BROKER_TEST(a_claim_brings_the_outcome_of_the_last_try) {
  auto store = place.open(loop);
  auto worker = co_await new_worker(store, "q");
  co_await enqueue_one(*store, "q", job_of("job", "mail", "ann"));
  auto job = co_await claim_one(worker);
  EXPECT_EQ(job.last_outcome, "");
  co_await settle_one(worker, failed_try(job, "one"));
  job = co_await claim_one(worker);
  EXPECT_EQ(job.attempts, 2);
  EXPECT_EQ(model::decode_outcome(job.last_outcome).error, "one");
  co_await settle_one(worker, hand_back("job"));
  job = co_await claim_one(worker);
  EXPECT_EQ(model::decode_outcome(job.last_outcome).error, "one");
  co_await settle_one(worker, failed_try(job, "two"));
  job = co_await claim_one(worker);
  co_await settle_one(worker, last_try(job, job_state::dead));
  const auto dead = co_await store->inspect("q", "job");
  const auto info = clients::job_description("q", dead.value());
  EXPECT_EQ(info.history.size(), 3u);
  for (std::size_t i = 0; i < info.history.size(); ++i) {
    const auto& one = info.history[i];
    const int number = static_cast<int>(i) + 1;
    EXPECT_EQ(one.number, number);
    EXPECT_EQ(one.worker, fmt::format("host:{}", number));
    EXPECT_EQ(one.error_type, "test::said");
    EXPECT_EQ(one.error, i == 0 ? "one" : i == 1 ? "two" : "the last");
    EXPECT_TRUE(one.started_at && one.finished_at && *one.finished_at - *one.started_at == 500ms);
  }
  EXPECT_EQ(info.headers.at("from"), "tests");
  EXPECT_EQ(info.tags, strings(1, "about-ann"));
  EXPECT_EQ(info.version, 2);
  // A job that is sent again begins anew.
  co_await store->requeue("q", strings(1, "job"));
  job = co_await claim_one(worker);
  EXPECT_EQ(job.last_outcome, "");
}

BROKER_TEST(a_kept_end_has_the_attempts_before_it) {
  auto store = place.open(loop);
  auto worker = co_await new_worker(store, "q");
  co_await enqueue_one(*store, "q", job_of("job", "mail", "ann"));
  auto job = co_await claim_one(worker);
  co_await settle_one(worker, failed_try(job, "one"));
  const auto waits = co_await store->inspect("q", "job");
  const auto before = clients::job_description("q", waits.value());
  EXPECT_EQ(before.history.size(), 1u);
  job = co_await claim_one(worker);
  co_await settle_one(worker, last_try(job, job_state::failed));
  const auto kept = co_await store->inspect("q", "job");
  const auto after = clients::job_description("q", kept.value());
  EXPECT_EQ(after.history.size(), 2u);
  if (after.history.size() == 2) {
    EXPECT_EQ(after.history.front().error, "one");
  }
}

BROKER_TEST(named_jobs_are_purged_in_their_state_alone) {
  auto store = place.open(loop);
  auto worker = co_await new_worker(store, "q");
  const strings first = {"running", "dead1", "dead2", "failed"};
  co_await enqueue_ids(*store, "q", first);
  co_await claim_until(worker, first.size());
  std::vector<settlement> ends;
  for (const auto* id : {"dead1", "dead2"}) ends.push_back(end(id, job_state::dead, "why"));
  ends.push_back(end("failed", job_state::failed, "why", 1h));
  co_await store->settle(worker.held, ends);
  const strings ready = {"queued1", "queued2"};
  co_await enqueue_ids(*store, "q", ready);
  auto later = job_named("deferred");
  later.delay = 1h;
  co_await enqueue_one(*store, "q", later);
  const auto wait = start_waiting(loop, store, "q", "queued1");
  const strings names = {"queued1", "deferred", "dead1", "failed", "running", "nobody", "queued1"};
  const auto text = co_await error_of<usage_error>(store->purge_named("q", job_state::running, names));
  EXPECT_NE(text.find("running"), std::string::npos) << text;
  for (const auto state : {job_state::queued, job_state::deferred, job_state::dead, job_state::failed}) {
    auto count = co_await store->purge_named("q", state, names);
    EXPECT_EQ(count, 1u) << to_string(state);
    count = co_await store->purge_named("q", state, names);
    EXPECT_EQ(count, 0u) << to_string(state);
  }
  const std::vector<std::shared_ptr<wait_under_way>> waits(1, wait);
  co_await until_all_are_over(waits);
  EXPECT_FALSE(wait->outcome);
  const auto q = co_await summary_of(*store, "q");
  EXPECT_EQ(q.queued, 1u);
  EXPECT_EQ(q.deferred, 0u);
  EXPECT_EQ(q.running, 1u);
  EXPECT_EQ(q.dead, 1u);
  EXPECT_EQ(q.kept, 0u);
  const auto left = co_await claim_ids(worker, 10);
  EXPECT_EQ(left, strings(1, "queued2"));
}

BROKER_TEST(jobs_are_counted_by_state_where_the_store_counts_them) {
  auto store = place.open(loop);
  auto worker = co_await new_worker(store, "q");
  const strings first = {"running", "dead1", "dead2", "failed"};
  co_await enqueue_ids(*store, "q", first);
  co_await claim_until(worker, first.size());
  for (const auto* id : {"dead1", "dead2"}) co_await settle_one(worker, end(id, job_state::dead, "why"));
  co_await settle_one(worker, end("failed", job_state::failed, "why", 1h));
  const strings ready = {"q1", "q2", "q3"};
  co_await enqueue_ids(*store, "q", ready);
  co_await cancel(*store, "q", "q2", "why", 1h);
  const std::map<job_state, std::uint64_t> expected = {{job_state::queued, 2},    {job_state::running, 1},
                                                       {job_state::dead, 2},      {job_state::failed, 1},
                                                       {job_state::cancelled, 1}, {job_state::deferred, 0}};
  for (const auto& [state, count] : expected) {
    const auto counted = co_await store->count("q", state);
    EXPECT_EQ(counted.value_or(count), count) << to_string(state);
    if (place.powers().any_bytes) {
      EXPECT_TRUE(counted) << to_string(state);
    }
  }
  const auto dead = co_await store->count("q", job_state::dead);
  EXPECT_TRUE(dead);
  const auto elsewhere = co_await store->count("another", job_state::dead);
  EXPECT_EQ(elsewhere, 0u);
}

BROKER_TEST(what_has_happened_is_added_up_by_task) {
  auto store = place.open(loop);
  auto elsewhere = place.open_apart(loop);
  broker::task_counts mails, pages;
  mails.task = "mail";
  mails.counts.started = 3;
  mails.counts.ran.add(3ms);
  pages.task = "page \xc3\xa4";
  pages.counts.enqueued = 5'000'000'000;
  const std::vector<broker::task_counts> both = {mails, pages};
  co_await store->add_stats("q", both);
  const std::vector<broker::task_counts> more(1, mails);
  co_await elsewhere->add_stats("q", more);
  co_await elsewhere->add_stats("another", more);
  const auto now = std::chrono::floor<minutes>(std::chrono::system_clock::now());
  const auto all = co_await store->stats("q", now - minutes(1), now + minutes(2));
  task_stats of_mails, of_pages;
  for (const auto& one : all) {
    EXPECT_LE(now - one.minute, minutes(1));
    (one.task == "mail" ? of_mails : of_pages).add(one.counts);
  }
  EXPECT_EQ(of_mails.started, 6u);
  EXPECT_EQ(of_mails.ran.count(), 2u);
  EXPECT_EQ(of_mails.ran.sum(), 6ms);
  EXPECT_EQ(of_pages, pages.counts);
  const auto before = co_await store->stats("q", now - minutes(100), now - minutes(1));
  EXPECT_TRUE(before.empty());
}

BROKER_TEST(beyond_fifty_tasks_the_others_are_counted_together) {
  auto store = place.open(loop);
  std::vector<broker::task_counts> many(60);
  for (std::size_t i = 0; i < many.size(); ++i) {
    many[i].task = fmt::format("task{:02}", i);
    many[i].counts.started = 1;
  }
  co_await store->add_stats("q", many);
  const auto now = std::chrono::floor<minutes>(std::chrono::system_clock::now());
  const auto all = co_await store->stats("q", now - minutes(1), now + minutes(2));
  EXPECT_EQ(all.size(), 51u);
  const auto others = co_await sum_of(store, &task_stats::started, "*");
  EXPECT_EQ(others, 10u);
  EXPECT_TRUE(std::ranges::is_sorted(all, std::less<>(), &task_minute::task));
}

BROKER_TEST(accepted_jobs_are_counted_by_task) {
  auto store = place.open(loop);
  const strings ids = {"a", "b", "c", "d"};
  auto jobs = jobs_named(ids);
  jobs[0].task = jobs[1].task = "mail";
  jobs[2].task = "page \xc3\xa4";
  jobs[2].delay = 1h;
  co_await store->enqueue("q", jobs);
  // These are there already.
  co_await store->enqueue("q", jobs);
  jobs.resize(1);
  co_await store->enqueue("q", jobs);
  auto alone = job_named("alone");
  alone.task = "mail";
  alone.id_is_fresh = true;
  co_await enqueue_one(*store, "q", alone);
  const auto mails = co_await sum_of(store, &task_stats::enqueued, "mail");
  EXPECT_EQ(mails, 3u);
  const auto pages = co_await sum_of(store, &task_stats::enqueued, "page \xc3\xa4");
  EXPECT_EQ(pages, 1u);
  const auto unnamed = co_await sum_of(store, &task_stats::enqueued, "");
  EXPECT_EQ(unnamed, 0u);
}

BROKER_TEST(accepted_jobs_of_more_than_fifty_tasks_are_counted_together) {
  auto store = place.open(loop);
  auto jobs = numbered_jobs(60);
  for (auto& job : jobs) job.task = "task of " + job.id;
  co_await store->enqueue("q", jobs);
  const auto others = co_await sum_of(store, &task_stats::enqueued, "*");
  EXPECT_EQ(others, 10u);
}

BROKER_TEST(jobs_that_are_lost_with_their_worker_are_counted) {
  auto store = place.open(loop);
  const auto lost = co_await new_worker(store, "q", 300ms);
  auto other = co_await new_worker(store, "another", 60s);
  const strings ids = {"a", "b", "c"};
  co_await enqueue_ids(*store, "q", ids);
  co_await claim_until(lost, 2);
  co_await until_run_out(300ms);
  std::uint64_t count = 0;
  auto found = [&]() -> awaitable<void> {
    co_await renew(other);
    count = co_await sum_of(store, &task_stats::lost, "");
  };
  const auto deadline = std::chrono::steady_clock::now() + default_timeout;
  while (count == 0 && std::chrono::steady_clock::now() < deadline) co_await found();
  EXPECT_EQ(count, 2u);
}

BROKER_TEST(pages_of_a_filter_find_each_job_once_while_workers_take_others) {
  auto store = place.open(loop);
  constexpr int count = 3'000;
  for (int part = 0; part < count; part += 1'000) {
    std::vector<new_job> jobs;
    for (int i = part; i < part + 1'000; ++i)
      jobs.push_back(
          job_of(fmt::format("job{:05}", i), i % 3 == 0 ? "mail" : "page", i % 2 ? "odd" : "even"));
    co_await store->enqueue("q", jobs);
  }
  auto worker = co_await new_worker(store, "q");
  const auto which = all_that({.state = job_state::queued, .task = "mail", .text = "odd"});
  std::map<std::string, int> seen;
  clients::owned_list_options how{list_options{.limit = 20, .scan_limit = 700}};
  std::set<std::string> taken;
  std::uint64_t looked_at = 0;
  while (true) {
    const auto page = co_await clients::list_matching(store, "q", which, how);
    EXPECT_LE(page.jobs.size(), 20u);
    EXPECT_GE(page.looked_at, looked_at);
    looked_at = page.looked_at;
    if (page.total) {
      EXPECT_EQ(*page.total, static_cast<std::uint64_t>(count));
    }
    for (const auto& job : page.jobs) ++seen[job.id];
    if (page.next.empty()) break;
    how.from = page.next;
    const auto some = co_await claim_ids(worker, 7);
    taken.insert(some.begin(), some.end());
  }
  for (const auto& [id, times] : seen) EXPECT_EQ(times, 1) << id;
  for (int i = 0; i < count; ++i) {
    const auto id = fmt::format("job{:05}", i);
    if (i % 3 == 0 && i % 2 == 1 && !taken.contains(id)) {
      EXPECT_TRUE(seen.contains(id)) << id;
    }
  }
  EXPECT_GT(taken.size(), 100u);
}

BROKER_TEST(a_list_goes_through_all_states_and_says_how_far_it_has_come) {
  auto store = place.open(loop);
  auto worker = co_await new_worker(store, "q");
  std::vector<new_job> jobs;
  for (int i = 0; i < 30; ++i) jobs.push_back(job_of(fmt::format("job{:02}", i), "mail", "text"));
  for (int i = 20; i < 30; ++i) jobs[static_cast<std::size_t>(i)].delay = 1h;
  co_await store->enqueue("q", jobs);
  const auto running = co_await claim_until(worker, 10);
  for (std::size_t i = 0; i < 5; ++i) co_await settle_one(worker, end(running[i].id, job_state::dead, "why"));
  const auto which = all_that({});
  clients::owned_list_options how{list_options{.limit = 7}};
  std::set<std::string> seen;
  std::size_t found = 0;
  for (int pages = 0; pages < 20; ++pages) {
    const auto page = co_await clients::list_matching(store, "q", which, how);
    found += page.jobs.size();
    for (const auto& job : page.jobs) seen.insert(job.id);
    how.from = page.next;
    if (!page.next.empty()) continue;
    EXPECT_EQ(page.looked_at, 30u);
    break;
  }
  EXPECT_EQ(found, 30u);
  EXPECT_EQ(seen.size(), 30u);
  how.from = "queued.nonsense";
  const auto text = co_await error_of<usage_error>(clients::list_matching(store, "q", which, how));
  EXPECT_NE(text.find("queued.nonsense"), std::string::npos) << text;
  how.from = "";
  const auto tagged = all_that({.tag = "about-text"});
  const auto counted = co_await clients::count_matching(store, "q", tagged, how);
  EXPECT_EQ(counted.count, 30u);
  EXPECT_EQ(counted.next, "");
}

BROKER_TEST(jobs_are_purged_by_filter) {
  auto store = place.open(loop);
  std::vector<new_job> jobs;
  for (int i = 0; i < 1'000; ++i)
    jobs.push_back(job_of(fmt::format("job{:04}", i), i % 2 ? "mail" : "page", i % 4 < 2 ? "x" : "y"));
  for (std::size_t i = 500; i < jobs.size(); ++i) jobs[i].delay = 1h;
  co_await store->enqueue("q", jobs);
  const clients::owned_filter which(
      {.state = job_state::queued | job_state::deferred, .task = "mail", .text = "\"y\""},
      clients::purgeable_states, "purge");
  auto count = co_await clients::purge_matching(store, "q", which);
  EXPECT_EQ(count, 250u);
  count = co_await clients::purge_matching(store, "q", which);
  EXPECT_EQ(count, 0u);
  const auto q = co_await summary_of(*store, "q");
  EXPECT_EQ(q.queued, 375u);
  EXPECT_EQ(q.deferred, 375u);
  EXPECT_EQ(q.kept, 0u);
}

}  // namespace quarq::test::broker_operators_tests
