// Very many jobs, looked through page by page while others take some of them, on every broker.
#include <algorithm>
#include <functional>
#include <map>

#include <fmt/format.h>

#include <quarq/errors.hpp>

#include "clients/job_filter.hpp"
#include "integration/broker_conformance.hpp"
#include "model/record.hpp"

namespace quarq::test::broker_pages_tests {

namespace {

using ids_seen = std::map<std::string, int>;  // how often
using store_ptr = std::shared_ptr<broker::broker>;

std::vector<new_job> jobs_of(const strings& tasks, std::size_t count) {
  std::vector<new_job> made;
  for (std::size_t i = 0; i < count; ++i) {
    model::record r;
    r.task = tasks[i % tasks.size()];
    r.arguments = "\x90";
    auto& job = made.emplace_back();
    job.id = fmt::format("{}{:05}", r.task, i);
    job.record = model::encode(r);
  }
  return made;
}

/// All pages; `between` is called after each.
awaitable<ids_seen> all_pages(store_ptr store, job_state state, std::function<awaitable<void>()> between) {
  ids_seen seen;
  std::string from;
  do {
    auto page = co_await store->page("q", state, 100, from);
    for (const auto& job : page.jobs) {
      EXPECT_EQ(job.state, state);
      ++seen[job.id];
    }
    from = page.next;
    co_await between();
  } while (!from.empty());
  co_return seen;
}

/// What is still in this state has been seen.
awaitable<void> expect_all_seen(store_ptr store, job_state state, const ids_seen& seen) {
  const auto left = co_await store->list("q", state, 10'000);
  EXPECT_FALSE(left.empty());
  for (const auto& job : left) EXPECT_TRUE(seen.contains(job.id)) << job.id;
}

awaitable<void> do_nothing() {
  co_return;
}

clients::owned_filter filter_of(const job_filter& said) {
  return {said, clients::open_states, "cancel"};
}

}  // namespace

BROKER_TEST(pages_show_every_job_once) {
  auto store = place.open(loop);
  const strings tasks(1, "mail");
  auto jobs = jobs_of(tasks, 1'234);
  if (place.powers().priorities) {
    for (std::size_t i = 0; i < jobs.size(); ++i) jobs[i].priority = static_cast<int>(i % 3);
  }
  co_await store->enqueue("q", jobs);
  auto seen = co_await all_pages(store, job_state::queued, do_nothing);
  EXPECT_EQ(seen.size(), jobs.size());
  for (const auto& [id, times] : seen) EXPECT_EQ(times, 1) << id;
  auto first = co_await store->page("q", job_state::queued, 7, "");
  EXPECT_EQ(first.jobs.size(), 7u);
  auto none = co_await store->page("nobody", job_state::queued, 7, "");
  EXPECT_TRUE(none.jobs.empty() && none.next.empty());
}

BROKER_TEST(pages_miss_no_queued_job_while_workers_take_others) {
  auto store = place.open(loop);
  const strings tasks(1, "mail");
  co_await store->enqueue("q", jobs_of(tasks, 2'000));
  auto worker = co_await new_worker(store, "q");
  std::size_t left = 1'900;  // to be taken
  auto take_some = [&]() -> awaitable<void> {
    auto taken = co_await claim_ids(worker, std::min<std::size_t>(left, 60));
    left -= taken.size();
    // Some come back to the front.
    for (std::size_t i = 0; i < std::min<std::size_t>(taken.size(), 5); ++i)
      co_await settle_one(worker, hand_back(taken[i]));
  };
  auto seen = co_await all_pages(store, job_state::queued, take_some);
  co_await expect_all_seen(store, job_state::queued, seen);
}

BROKER_TEST(pages_miss_no_queued_job_however_many_are_taken_between_two) {
  auto store = place.open(loop);
  const strings tasks(1, "mail");
  for (int part = 0; part < 7; ++part) {
    auto jobs = jobs_of(tasks, 1'000);
    for (auto& job : jobs) job.id += fmt::format("-{}", part);
    co_await store->enqueue("q", jobs);
  }
  auto worker = co_await new_worker(store, "q");
  ids_seen seen;
  std::string from;
  while (seen.size() < 6'500) {
    auto page = co_await store->page("q", job_state::queued, 500, from);
    for (const auto& job : page.jobs) ++seen[job.id];
    from = page.next;
  }
  co_await claim_until(worker, 6'000);
  while (!from.empty()) {
    auto page = co_await store->page("q", job_state::queued, 500, from);
    for (const auto& job : page.jobs) ++seen[job.id];
    from = page.next;
  }
  co_await expect_all_seen(store, job_state::queued, seen);
}

BROKER_TEST(pages_miss_no_deferred_job_while_others_are_cancelled_or_put_off) {
  auto store = place.open(loop);
  const strings tasks(1, "mail");
  auto jobs = jobs_of(tasks, 600);
  for (std::size_t i = 0; i < jobs.size(); ++i) jobs[i].delay = 1h + milliseconds(i);
  co_await store->enqueue("q", jobs);
  std::size_t at = 0;
  auto cancel_some = [&]() -> awaitable<void> {
    // The last of the page, too.
    for (const std::size_t i : {at + 99, at + 98, at + 3}) {
      if (i < jobs.size()) co_await cancel(*store, "q", jobs[i].id, "over", 1h);
    }
    at += 100;
  };
  auto seen = co_await all_pages(store, job_state::deferred, cancel_some);
  co_await expect_all_seen(store, job_state::deferred, seen);
}

BROKER_TEST(pages_miss_no_running_job_while_others_end) {
  auto store = place.open(loop);
  const strings tasks(1, "mail");
  co_await store->enqueue("q", jobs_of(tasks, 1'000));
  auto first = co_await new_worker(store, "q");
  auto second = co_await new_worker(store, "q");
  auto ends = co_await claim_until(first, 700);
  co_await claim_until(second, 300);
  auto end_some = [&]() -> awaitable<void> {
    for (int i = 0; i < 20 && !ends.empty(); ++i) {
      co_await settle_one(first, end(ends.back().id, job_state::succeeded, "", 1h));
      ends.pop_back();
    }
  };
  auto seen = co_await all_pages(store, job_state::running, end_some);
  co_await expect_all_seen(store, job_state::running, seen);
  auto succeeded = co_await all_pages(store, job_state::succeeded, do_nothing);
  co_await expect_all_seen(store, job_state::succeeded, succeeded);
}

BROKER_TEST(of_two_tasks_the_jobs_of_one_are_cancelled) {
  auto store = place.open(loop);
  const strings tasks = {"mail", "resize"};
  auto worker = co_await new_worker(store, "q");
  co_await store->enqueue("q", jobs_of(tasks, 4));
  co_await claim_until(worker, 4);
  auto queued = jobs_of(tasks, 2'500);
  queued.erase(queued.begin(), queued.begin() + 4);
  for (std::size_t i = 2'000; i < queued.size(); ++i) queued[i].delay = 1h;
  co_await store->enqueue("q", queued);
  const auto mails = filter_of({.task = "mail"});
  const auto done = co_await clients::cancel_matching(store, "q", mails);
  EXPECT_EQ(done.cancelled, 1'248u);
  EXPECT_EQ(done.requested, 2u);
  const auto renewed = co_await renew(worker);
  const strings both = {"mail00000", "mail00002"};
  EXPECT_EQ(std::set<std::string>(renewed.cancel_requests.begin(), renewed.cancel_requests.end()),
            std::set<std::string>(both.begin(), both.end()));
  for (const auto state : {job_state::queued, job_state::deferred}) {
    const auto left = co_await store->list("q", state, 10'000);
    EXPECT_EQ(left.size(), state == job_state::queued ? 1'000u : 248u);
    for (const auto& job : left) EXPECT_TRUE(job.id.starts_with("resize")) << job.id;
  }
  const auto q = co_await summary_of(*store, "q");
  EXPECT_EQ(q.queued, 1'000u);
  EXPECT_EQ(q.deferred, 248u);
  EXPECT_EQ(q.running, 4u);
  EXPECT_EQ(q.kept, 1'248u);
  const auto end = co_await store->inspect("q", "mail00100");
  EXPECT_TRUE(end && end->state == job_state::cancelled);
  const auto o = model::decode_outcome(end->outcome);
  EXPECT_EQ(o.error, "mail was cancelled before it ran");
  const auto again = co_await clients::cancel_matching(store, "q", mails);
  EXPECT_EQ(again.cancelled, 0u);
  EXPECT_EQ(again.requested, 2u);
}

BROKER_TEST(jobs_of_some_states_and_ages_are_cancelled) {
  auto store = place.open(loop);
  const strings tasks(1, "mail");
  auto jobs = jobs_of(tasks, 10);
  for (std::size_t i = 5; i < jobs.size(); ++i) jobs[i].delay = 1h;
  co_await store->enqueue("q", jobs);
  auto old = filter_of({.older_than = 1h});
  auto done = co_await clients::cancel_matching(store, "q", old);
  EXPECT_EQ(done.cancelled, 0u);
  auto deferred = filter_of({.state = job_state::deferred, .older_than = 0ms});
  done = co_await clients::cancel_matching(store, "q", deferred);
  EXPECT_EQ(done.cancelled, 5u);
  auto all = filter_of({});
  done = co_await clients::cancel_matching(store, "q", all);
  EXPECT_EQ(done.cancelled, 5u);
}

BROKER_TEST(dead_jobs_are_sent_again_by_task_and_error) {
  auto store = place.open(loop);
  const strings tasks = {"mail", "resize"};
  co_await store->enqueue("q", jobs_of(tasks, 1'200));
  auto worker = co_await new_worker(store, "q");
  auto all = co_await claim_until(worker, 1'200);
  std::vector<settlement> ends;
  for (std::size_t i = 0; i < all.size(); ++i)
    ends.push_back(end(all[i].id, job_state::dead, i % 4 < 2 ? "HTTP 404" : "HTTP 500"));
  co_await store->settle(worker.held, ends);
  const clients::owned_filter which({.task = "mail", .error = "test::said: HTTP 5"}, job_state::dead,
                                    "requeue");
  const auto count = co_await clients::requeue_matching(store, "q", which);
  EXPECT_EQ(count, 300u);
  const auto queued = co_await store->list("q", job_state::queued, 10'000);
  EXPECT_EQ(queued.size(), 300u);
  for (const auto& job : queued) EXPECT_TRUE(job.id.starts_with("mail")) << job.id;
  const auto q = co_await summary_of(*store, "q");
  EXPECT_EQ(q.dead, 900u);
}

}  // namespace quarq::test::broker_pages_tests
