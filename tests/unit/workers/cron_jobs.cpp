// Cron jobs of whole workers: when they run, how often for how many workers, and what becomes of runs that
// are in each other's way.
#include <algorithm>
#include <map>
#include <set>

#include "cron/cron_job.hpp"
#include "support/cron_times.hpp"
#include "unit/workers/worker_simulation.hpp"

namespace quarq::test::cron_jobs_tests {
namespace {

using std::chrono::floor;
using std::chrono::seconds;
using time_point = broker::time_point;

time_point due_of(const std::string& id) {
  return quarq::cron::parse_cron_run("cron:tick", id).due;
}

/// A handler that notes the ids of its runs.
auto noting(strings& ids) {
  return [&ids](context& ctx) { ids.push_back(ctx.id()); };
}

class cron_jobs_test : public worker_simulation {
 protected:
  /// A second of the schedule that lies this far in the future.
  time_point second_from_now(seconds distance) const { return floor<seconds>(now()) + distance; }
};

TEST_F(cron_jobs_test, run_at_their_times) {
  std::vector<time_point> due, ran;
  strings ids;
  auto w = make_worker();
  w.cron(
      "tick",
      [&](context& ctx) {
        due.push_back(ctx.due_at());
        ids.push_back(ctx.id());
        ran.push_back(now());
        EXPECT_EQ(ctx.task(), "cron:tick");
        EXPECT_EQ(ctx.attempt(), 1);
      },
      each_second());
  serve_until([&] { return ran.size() >= 100; }, {&w});
  for (std::size_t i = 0; i < ran.size(); ++i) {
    EXPECT_EQ(due[i], due[0] + seconds(i));
    EXPECT_EQ(ran[i], due[i]);
    EXPECT_EQ(ids[i], run_id(due[i]));
  }
}

TEST_F(cron_jobs_test, make_one_run_for_three_workers_and_after_a_restart) {
  std::map<std::string, int> runs;
  const auto count = [&](context& ctx) { ++runs[ctx.id()]; };
  for (const std::size_t wanted : {20u, 40u}) {
    auto a = make_worker(), b = make_worker(), c = make_worker();
    for (auto* w : {&a, &b, &c}) w->cron("tick", count, each_second());
    serve_until([&] { return runs.size() >= wanted; }, {&a, &b, &c});
  }
  for (const auto& [id, times] : runs) EXPECT_EQ(times, 1) << id;
}

TEST_F(cron_jobs_test, run_for_each_worker_where_they_are_not_unique) {
  std::map<time_point, int> runs;
  const auto count = [&](context& ctx) { ++runs[ctx.due_at()]; };
  auto when = each_second();
  when.unique = false;
  when.overlap = overlap::allow;
  auto a = make_worker(), b = make_worker();
  a.cron("tick", count, when);
  b.cron("tick", count, when);
  const auto ran_twice = [&] {
    return std::count_if(runs.begin(), runs.end(), [](const auto& r) { return r.second == 2; });
  };
  serve_until([&] { return ran_twice() >= 5; }, {&a, &b});
  for (const auto& [due, times] : runs) EXPECT_LE(times, 2);
}

TEST_F(cron_jobs_test, have_the_hooks_and_the_state_of_any_job) {
  strings seen;
  auto w = make_worker();
  w.on_startup([](context& ctx) -> awaitable<void> {
    ctx.emplace<std::string>("the worker's");
    co_return;
  });
  w.before_job([&](context& ctx) -> awaitable<void> {
    seen.push_back("before " + ctx.task());
    co_return;
  });
  w.after_job([&](context& ctx, const job_end& end) -> awaitable<void> {
    seen.push_back("after " + ctx.task() + " " + std::string(to_string(end.state)));
    co_return;
  });
  w.cron("tick", [&](context& ctx) { seen.push_back(ctx.state<std::string>()); }, each_second());
  serve_until([&] { return seen.size() >= 3; }, {&w});
  seen.resize(3);
  EXPECT_EQ(seen, (strings{"before cron:tick", "the worker's", "after cron:tick succeeded"}));
}

TEST_F(cron_jobs_test, a_failed_run_is_not_tried_again_unless_asked_and_the_next_comes_all_the_same) {
  std::map<std::string, int> attempts;
  auto w = make_worker();
  w.cron(
      "tick",
      [&](context& ctx) {
        attempts[ctx.id()] = ctx.attempt();
        throw std::runtime_error("no paper");
      },
      each_second());
  serve_until([&] { return attempts.size() >= 5; }, {&w});
  for (const auto& [id, n] : attempts) {
    EXPECT_EQ(n, 1) << id;
    EXPECT_TRUE(is_in(id, job_state::failed));
    EXPECT_EQ(outcome(id).error, "no paper");
  }
}

TEST_F(cron_jobs_test, a_retry_comes_when_its_pause_says) {
  const auto due = second_from_now(60s);
  std::vector<time_point> starts;
  auto when = only_at(due);
  when.retry = backoff::constant(50ms).jitter(0).attempts(3);
  auto w = make_worker();
  w.cron(
      "tick",
      [&](context& ctx) {
        EXPECT_EQ(ctx.id(), run_id(due));
        starts.push_back(now());
        if (ctx.attempt() < 3) throw std::runtime_error("not yet");
      },
      when);
  serve_until([&] { return is_in(run_id(due), job_state::succeeded); }, {&w});
  EXPECT_EQ(starts, (std::vector<time_point>{due, due + 50ms, due + 100ms}));
}

TEST_F(cron_jobs_test, a_run_that_takes_too_long_is_timed_out) {
  event never;
  std::string id;
  auto when = each_second();
  when.timeout = 500ms;
  auto w = make_worker();
  w.cron(
      "tick",
      [&](context& ctx) {
        id = ctx.id();
        return never.wait();
      },
      when);
  serve_until([&] { return !id.empty() && is_in(id, job_state::failed); }, {&w});
  EXPECT_EQ(outcome(id).error_type, "quarq::timed_out");
}

TEST_F(cron_jobs_test, a_run_is_skipped_while_an_earlier_one_has_not_ended) {
  event end_of_first;
  strings started;
  auto w = make_worker();
  w.cron(
      "tick",
      [&](context& ctx) -> awaitable<void> {
        started.push_back(ctx.id());
        if (started.size() == 1) co_await end_of_first.wait();
      },
      each_second());
  const auto run = start(w);
  until([&] { return !started.empty(); });
  for (int i = 1; i <= 10; ++i) {  // ten come and go
    const auto skipped = run_id(due_of(started.front()) + seconds(i));
    until([&] { return is_in(skipped, job_state::cancelled); });
    EXPECT_EQ(outcome(skipped).error, skipped + " was skipped: " + started.front() + " has not ended");
  }
  EXPECT_EQ(started.size(), 1u);
  end_of_first.set();
  until([&] { return started.size() >= 2; });
  end(w, run);
}

TEST_F(cron_jobs_test, runs_may_be_allowed_to_overlap) {
  event end_of_all;
  std::size_t running = 0;
  auto when = each_second();
  when.overlap = overlap::allow;
  auto w = make_worker();
  w.cron(
      "tick",
      [&]() -> awaitable<void> {
        ++running;
        co_await end_of_all.wait();
        --running;
      },
      when);
  const auto run = start(w);
  until([&] { return running == 5; });
  end_of_all.set();
  until([&] { return running == 0; });
  end(w, run);
}

TEST_F(cron_jobs_test, a_run_may_wait_for_the_earlier_one_and_only_one_does) {
  event end_of_first;
  strings started;
  std::size_t running = 0, max = 0;
  auto when = each_second();
  when.overlap = overlap::after;
  auto w = make_worker();
  w.cron(
      "tick",
      [&](context& ctx) -> awaitable<void> {
        max = std::max(max, ++running);
        started.push_back(ctx.id());
        if (started.size() == 1) co_await end_of_first.wait();
        --running;
      },
      when);
  const auto run = start(w);
  until([&] { return !started.empty(); });
  const auto first = due_of(started.front());
  // One waits, those after it are skipped.
  until([&] { return is_in(run_id(first + 5s), job_state::cancelled); });
  EXPECT_TRUE(is_in(run_id(first + 1s), job_state::running));
  for (int i = 2; i <= 4; ++i) EXPECT_TRUE(is_in(run_id(first + seconds(i)), job_state::cancelled));
  EXPECT_EQ(started.size(), 1u);
  end_of_first.set();
  until([&] { return started.size() >= 2; });
  EXPECT_EQ(started[1], run_id(first + 1s));
  EXPECT_EQ(max, 1u);
  end(w, run);
}

TEST_F(cron_jobs_test, a_run_that_waits_takes_no_slot_from_the_one_it_waits_for) {
  strings starts;
  worker_options o;
  o.concurrency = 1;
  auto when = each_second();
  when.overlap = overlap::after;
  when.retry = backoff::constant(2500ms).attempts(2);
  auto w = make_worker(o);
  w.cron(
      "tick",
      [&](context& ctx) {
        starts.push_back(ctx.id());
        // Before its second attempt the next run comes.
        if (ctx.id() == starts.front() && ctx.attempt() == 1) throw std::runtime_error("again");
      },
      when);
  serve_until([&] { return starts.size() >= 3; }, {&w});
  const auto next = run_id(due_of(starts.front()) + 1s);
  starts.resize(3);
  EXPECT_EQ(starts, (strings{starts.front(), starts.front(), next}));
}

TEST_F(cron_jobs_test, runs_under_an_id_of_their_own_are_one_at_a_time) {
  strings ids;
  auto when = each_second();
  when.job_id = "the-report";
  when.retry = backoff::constant(0ms).attempts(2);
  auto w = make_worker();
  w.cron(
      "tick",
      [&](context& ctx) {
        ids.push_back(ctx.id());
        // The dead job of this id is in nobody's way.
        if (ids.size() <= 2) throw std::runtime_error("no");
      },
      when);
  serve_until([&] { return ids.size() >= 8; }, {&w});
  EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()), std::set<std::string>{"the-report"});
}

TEST_F(cron_jobs_test, can_be_enqueued_by_hand) {
  strings ids;
  auto w = make_worker();
  w.cron("tick", noting(ids), only_at(second_from_now(3600s)));
  const auto run = start(w);
  enqueue(job_of("cron:tick", "by-hand"));
  EXPECT_EQ(ids, strings{"by-hand"});
  end(w, run);
}

TEST_F(cron_jobs_test, a_planned_run_that_was_called_off_is_not_the_last) {
  strings ids;
  auto w = make_worker();
  w.cron("tick", noting(ids), each_second());
  const auto run = start(w);
  until([&] { return !ids.empty(); });
  const auto next = run_id(due_of(ids.back()) + 1s);
  until([&] { return is_in(next, job_state::deferred); });
  cancel(next);
  const auto before = ids.size();
  until([&] { return ids.size() > before; });
  EXPECT_EQ(std::count(ids.begin(), ids.end(), next), 0);
  end(w, run);
}

}  // namespace
}  // namespace quarq::test::cron_jobs_tests
