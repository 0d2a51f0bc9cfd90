// Cron jobs where workers come and go: runs at startup, runs that no worker was there for, and those that a
// worker does not know.
#include <set>

#include "cron/cron_job.hpp"
#include "support/cron_times.hpp"
#include "unit/workers/worker_simulation.hpp"

namespace quarq::test::cron_jobs_workers_tests {
namespace {

using std::chrono::floor;
using std::chrono::seconds;
using time_point = broker::time_point;

auto noting(strings& ids) {
  return [&ids](context& ctx) { ids.push_back(ctx.id()); };
}

class cron_workers_test : public worker_simulation {
 protected:
  time_point second_from_now(seconds distance) const { return floor<seconds>(now()) + distance; }
  /// Stores a run as a worker that has gone would have planned it.
  void plan(time_point due) {
    auto job = job_of("cron:tick", run_id(due));
    job.due_at = due;
    enqueue(job);
  }
  void pass_until(time_point when) { pass(when - now()); }
};

TEST_F(cron_workers_test, what_was_missed_while_no_worker_was_there_is_skipped) {
  const auto due = second_from_now(60s);
  auto when = only_at(due);
  when.tolerance = 0ms;
  plan(due);
  pass_until(due + 5ms);
  int runs = 0;
  auto w = make_worker();
  w.cron("tick", [&] { ++runs; }, when);
  serve_until([&] { return is_in(run_id(due), job_state::expired); }, {&w});
  EXPECT_EQ(outcome(run_id(due)).error_type, "quarq::job_expired");
  EXPECT_NE(outcome(run_id(due)).error.find("no worker was there"), std::string::npos);
  EXPECT_EQ(runs, 0);
}

TEST_F(cron_workers_test, a_little_late_is_not_missed) {
  const auto due = second_from_now(60s);
  plan(due);
  pass_until(due + 59s);
  int runs = 0;
  auto w = make_worker();
  w.cron("tick", [&] { ++runs; }, only_at(due));
  serve_until([&] { return runs == 1; }, {&w});
}

TEST_F(cron_workers_test, what_was_missed_may_be_made_up_for_by_one_run) {
  const auto due = second_from_now(60s);
  plan(due);
  pass_until(due + 5s);  // more of its times pass as well
  auto when = each_second();
  when.tolerance = 0ms;
  when.missed = missed::run_once;
  strings ids;
  auto w = make_worker();
  w.cron("tick", noting(ids), when);
  serve_until([&] { return ids.size() == 2; }, {&w});
  EXPECT_EQ(ids, (strings{run_id(due), run_id(due + 6s)}));
}

TEST_F(cron_workers_test, what_was_missed_too_long_ago_is_not_made_up_for) {
  const auto due = second_from_now(60s);
  plan(due);
  pass_until(due + 5s);
  auto when = each_second();
  when.tolerance = 0ms;
  when.missed = missed::run_once;
  when.missed_within = 4s;
  strings ids;
  auto w = make_worker();
  w.cron("tick", noting(ids), when);
  serve_until([&] { return !ids.empty(); }, {&w});
  EXPECT_TRUE(is_in(run_id(due), job_state::expired));
  EXPECT_EQ(ids, strings{run_id(due + 6s)});
}

TEST_F(cron_workers_test, a_run_that_was_begun_and_handed_back_is_not_missed) {
  const auto due = second_from_now(60s);
  auto when = only_at(due);
  when.tolerance = 0ms;
  event never;
  int starts = 0;
  auto first = make_worker();
  first.cron(
      "tick",
      [&] {
        ++starts;
        return never.wait();
      },
      when);
  serve_until([&] { return starts == 1; }, {&first});
  pass(10s);
  auto second = make_worker();
  second.cron(
      "tick",
      [&](context& ctx) {
        ++starts;
        EXPECT_EQ(ctx.attempt(), 1);
      },
      when);
  serve_until([&] { return starts == 2; }, {&second});
}

TEST_F(cron_workers_test, at_startup_they_run_once_for_the_fleet) {
  strings ids;
  auto when = only_at(second_from_now(3600s));
  when.run_at_startup = true;
  const auto start_three = [&] {
    worker_options o;
    o.burst = true;
    auto a = make_worker(o), b = make_worker(o), c = make_worker(o);
    std::vector<std::shared_ptr<spawned>> runs;
    for (auto* w : {&a, &b, &c}) {
      w->cron("tick", noting(ids), when);
      runs.push_back(start(*w));
    }
    until([&] { return runs[0]->ended() && runs[1]->ended() && runs[2]->ended(); });
  };
  start_three();
  EXPECT_EQ(ids, strings{"cron:tick:startup"});
  // Within the window it is the same start.
  pass(30s);
  start_three();
  EXPECT_EQ(ids.size(), 1u);
  // Beyond it, it is another, though the end of the first is still kept.
  when.startup_window = 1ms;
  start_three();
  ASSERT_GE(ids.size(), 2u);
  EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), ids.size());
  EXPECT_EQ(ids[1].rfind("cron:tick:startup:", 0), 0u) << ids[1];
}

TEST_F(cron_workers_test, a_failed_run_at_startup_does_not_keep_the_next_start_from_running) {
  for (const int attempts : {1, 2}) {  // failed, dead
    strings ids;
    auto when = only_at(second_from_now(3600s));
    when.run_at_startup = true;
    when.startup_window = 0ms;
    when.retry = backoff::constant(0ms).attempts(attempts);
    for (std::size_t i = 1; i <= 2; ++i) {
      auto w = make_worker();
      w.cron(
          "fails" + std::to_string(attempts),
          [&](context& ctx) {
            if (ctx.attempt() == 1) ids.push_back(ctx.id());
            throw std::runtime_error("no");
          },
          when);
      serve_until([&] { return ids.size() == i && is_final(find(ids.back())->state); }, {&w});
    }
    EXPECT_NE(ids[0], ids[1]);
  }
}

TEST_F(cron_workers_test, at_startup_an_id_of_its_own_is_kept_to) {
  strings ids;
  auto when = only_at(second_from_now(3600s));
  when.job_id = "the-report";
  when.run_at_startup = true;
  auto w = make_worker();
  w.cron("tick", noting(ids), when);
  serve_until([&] { return !ids.empty(); }, {&w});
  EXPECT_EQ(ids, strings{"the-report"});
}

TEST_F(cron_workers_test, at_startup_two_with_one_id_do_not_run_together) {
  strings ids;
  auto when = only_at(second_from_now(3600s));
  when.job_id = "the-report";
  when.run_at_startup = true;
  auto w = make_worker();
  int running = 0, most = 0;
  const auto report = [&](context& ctx) -> awaitable<void> {
    ids.push_back(ctx.id());
    most = std::max(most, ++running);
    co_await workers::sleep_for(clock_, 1s);
    --running;
  };
  w.cron("one", report, when);
  w.cron("two", report, when);
  const auto enough = now() + 30s;
  serve_until([&] { return now() > enough; }, {&w});
  EXPECT_EQ(most, 1);
  EXPECT_EQ(ids, strings{"the-report"});
}

TEST_F(cron_workers_test, in_a_burst_they_are_planned_and_run_at_startup) {
  const auto due = second_from_now(3600s);
  auto when = only_at(due);
  when.run_at_startup = true;
  worker_options o;
  o.burst = true;
  int runs = 0;
  auto w = make_worker(o);
  w.cron("tick", [&] { ++runs; }, when);
  run_to_end(w);
  EXPECT_EQ(runs, 1);
  EXPECT_TRUE(is_in(run_id(due), job_state::deferred));
}

TEST_F(cron_workers_test, a_worker_that_does_not_know_one_leaves_it_to_others) {
  const auto due = second_from_now(60s);
  bool old_has_run_one = false;
  auto old_release = make_worker();
  old_release.handle(task<void()>("other"), [] {}, {.on = level::loop});
  old_release.before_job([&](context&) -> awaitable<void> {
    old_has_run_one = true;
    co_return;
  });
  const auto old_run = start(old_release);
  plan(due);
  until([&] { return is_in(run_id(due), job_state::running); });  // by the one that does not know it
  int runs = 0;
  auto new_release = make_worker();
  new_release.cron(
      "tick",
      [&](context& ctx) {
        ++runs;
        EXPECT_EQ(ctx.attempt(), 1);
      },
      only_at(due));
  serve_until([&] { return runs == 1; }, {&new_release});
  EXPECT_LE(now(), due + 2s);
  end(old_release, old_run);
  EXPECT_FALSE(old_has_run_one);
}

TEST_F(cron_workers_test, what_an_earlier_schedule_has_planned_does_not_run) {
  const auto old_time = second_from_now(1s), new_time = second_from_now(60s);
  strings ids;
  auto w = make_worker();
  w.cron("tick", noting(ids), only_at(new_time));
  const auto run = start(w);
  plan(old_time);
  until([&] { return !ids.empty(); });
  EXPECT_EQ(ids, strings{run_id(new_time)});
  // Whoever still has the earlier schedule would run it.
  ASSERT_NE(find(run_id(old_time)), nullptr);
  EXPECT_FALSE(is_final(find(run_id(old_time))->state));
  // An hour later nobody will.
  until([&] { return is_in(run_id(old_time), job_state::expired); });
  EXPECT_GE(now(), old_time + 1h);
  end(w, run);
}

TEST_F(cron_workers_test, a_run_that_no_worker_knows_is_kept_uncounted) {
  const auto due = second_from_now(0s);
  auto w = make_worker();
  w.handle(task<void()>("other"), [] {}, {.on = level::loop});
  plan(due);
  serve_until([&] { return is_in(run_id(due), job_state::running); }, {&w});
  EXPECT_TRUE(is_in(run_id(due), job_state::queued));
  EXPECT_EQ(find(run_id(due))->attempts, 0);
}

TEST_F(cron_workers_test, a_run_that_was_planned_after_its_time_is_dropped) {
  const auto due = second_from_now(-3600s);
  int runs = 0;
  auto w = make_worker();
  w.cron("tick", [&] { ++runs; }, only_at(due));
  plan(due);
  serve_until([&] { return is_in(run_id(due), job_state::expired); }, {&w});
  EXPECT_EQ(runs, 0);
}

}  // namespace
}  // namespace quarq::test::cron_jobs_workers_tests
