// Cron jobs: when they run, how often for how many workers, and what becomes of runs that are late or in each
// other's way.
#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "broker/broker.hpp"
#include "broker/sqlite/sqlite_url.hpp"
#include "broker/sqlite/store.hpp"
#include "cron/cron_job.hpp"
#include "integration/worker_lab.hpp"
#include "model/record.hpp"

namespace quarq::test::cron_tests {
namespace {

using std::chrono::floor;
using std::chrono::milliseconds;
using std::chrono::seconds;
using time_point = broker::time_point;

constexpr task<void()> other{"other"};
constexpr task<void()> cron_by_hand{"cron:tick"};

time_point now() {
  return floor<milliseconds>(std::chrono::system_clock::now());
}

std::string id_of(time_point due) {
  return fmt::format("cron:tick:{}", due.time_since_epoch().count());
}

// Handlers here run on the loop: they share what the tests look at.

cron_options each_second() {
  return {.second = "*", .on = level::loop};
}

/// Once a year, at the second `due`.
cron_options only_at(time_point due) {
  const auto day = floor<std::chrono::days>(due);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(floor<seconds>(due - day));
  return {.month = static_cast<int>(static_cast<unsigned>(date.month())),
          .day = static_cast<int>(static_cast<unsigned>(date.day())),
          .hour = static_cast<int>(time.hours().count()),
          .minute = static_cast<int>(time.minutes().count()),
          .second = static_cast<int>(time.seconds().count()),
          .on = level::loop};
}

/// A second of the schedule that lies this far in the past, or in the future.
time_point second_from_now(seconds distance) {
  return floor<seconds>(now()) + distance;
}

/// Late enough for a worker to have planned it before: what is past when it starts is not its own.
time_point soon() {
  return second_from_now(4s);
}

/// A handler that notes the ids of its runs.
auto noting(strings& ids) {
  return [&ids](context& ctx) { ids.push_back(ctx.id()); };
}

class cron : public worker_lab {
 protected:
  cron() {
    if (url() != "sqlite::memory:") return;
    memory_ = broker::sqlite::store::shared(broker::sqlite::parse_url(url()).settings);
  }

  /// Runs these workers beside each other until `holds` does.
  template <class F>
  void serve_until(F holds, std::vector<worker*> workers) {
    const auto stop_all = [&]() -> awaitable<void> {
      co_await until(holds);
      for (auto* w : workers) w->stop();
    };
    std::vector<awaitable<void>> all;
    for (auto* w : workers) all.push_back(w->run());
    all.push_back(stop_all());
    run_on_loop(gather(std::move(all)));
  }

  std::shared_ptr<broker::broker> open(boost::asio::any_io_executor loop) {
    return broker::open(url(), loop);
  }

  /// Stores a run as a worker that has gone would have planned it.
  awaitable<void> plan(time_point due, std::string after = "") {
    const auto loop = co_await boost::asio::this_coro::executor;
    const auto b = open(loop);
    model::record r;
    r.task = "cron:tick";
    r.arguments = encode_arguments();
    r.after = std::move(after);
    broker::new_job job;
    job.id = id_of(due);
    job.record = model::encode(r);
    job.at = due;
    std::vector<broker::new_job> one;
    one.push_back(std::move(job));
    const auto answers = co_await b->enqueue("default", std::move(one));
    EXPECT_EQ(answers.front(), broker::accepted::yes);
  }

  awaitable<std::optional<broker::job_details>> inspect(std::string id) {
    const auto loop = co_await boost::asio::this_coro::executor;
    const auto b = open(loop);
    auto details = co_await b->inspect("default", std::move(id));
    co_return details;
  }

  /// Returns when the job is in this state.
  awaitable<void> until_in(std::string id, job_state wanted) {
    const auto deadline = std::chrono::steady_clock::now() + default_timeout;
    while (true) {
      const auto details = co_await inspect(id);
      if (details && details->state == wanted) co_return;
      if (std::chrono::steady_clock::now() > deadline) {
        throw std::runtime_error(fmt::format(
            "{} is {} and not {}", id, details ? to_string(details->state) : "not there", to_string(wanted)));
      }
      co_await sleep_for(5ms);
    }
  }

 private:
  std::shared_ptr<broker::sqlite::store> memory_;  ///< which would end with the worker
};

TEST_P(cron, runs_at_its_times) {
  std::vector<time_point> due, ran;
  strings ids;
  worker w(options());
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
  serve_until([&] { return ran.size() >= 3; }, {&w});
  for (std::size_t i = 0; i < ran.size(); ++i) {
    EXPECT_EQ(due[i], floor<seconds>(due[i]));
    EXPECT_GE(ran[i], due[i]);
    EXPECT_EQ(ids[i], id_of(due[i]));
    if (i > 0) {
      EXPECT_GT(due[i], due[i - 1]);
    }
  }
}

TEST_P(cron, one_run_for_three_workers_and_after_a_restart) {
  std::map<std::string, int> runs;
  const auto count = [&](context& ctx) { ++runs[ctx.id()]; };
  const auto make = [&] {
    auto w = std::make_unique<worker>(options());
    w->cron("tick", count, each_second());
    return w;
  };
  for (const std::size_t wanted : {2u, 4u}) {
    const auto a = make(), b = make(), c = make();
    serve_until([&] { return runs.size() >= wanted; }, {a.get(), b.get(), c.get()});
  }
  for (const auto& [id, times] : runs) EXPECT_EQ(times, 1) << id;
}

TEST_P(cron, each_worker_runs_for_itself_where_it_is_not_unique) {
  std::map<time_point, int> runs;
  const auto count = [&](context& ctx) { ++runs[ctx.due_at()]; };
  auto when = each_second();
  when.unique = false;
  when.overlap = overlap::allow;
  worker a(options()), b(options());
  a.cron("tick", count, when);
  b.cron("tick", count, when);
  const auto both_ran = [&] {
    return std::any_of(runs.begin(), runs.end(), [](const auto& r) { return r.second >= 2; });
  };
  serve_until(both_ran, {&a, &b});
  for (const auto& [due, times] : runs) EXPECT_LE(times, 2);
}

TEST_P(cron, hooks_and_state_are_those_of_any_job) {
  strings seen;
  worker w(options());
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
  w.cron(
      "tick",
      [&](context& ctx) -> awaitable<void> {
        seen.push_back(ctx.state<std::string>());
        co_return;
      },
      each_second());
  serve_until([&] { return seen.size() >= 3; }, {&w});
  seen.resize(3);
  EXPECT_EQ(seen, (strings{"before cron:tick", "the worker's", "after cron:tick succeeded"}));
}

TEST_P(cron, a_failed_run_is_not_tried_again_unless_asked_and_the_next_comes_all_the_same) {
  std::map<std::string, int> attempts;
  worker w(options());
  w.cron(
      "tick",
      [&](context& ctx) {
        attempts[ctx.id()] = ctx.attempt();
        throw std::runtime_error("no paper");
      },
      each_second());
  serve(w, [&](queue q) -> awaitable<void> {
    co_await until([&] { return attempts.size() >= 2; });
    const auto run = q.find<void>(attempts.begin()->first);
    const auto error = co_await error_of(run.result(default_timeout));
    EXPECT_EQ(error.what, "no paper");
    const auto state = co_await run.state();
    EXPECT_EQ(state, job_state::failed);
  });
  for (const auto& [id, n] : attempts) EXPECT_EQ(n, 1) << id;
}

TEST_P(cron, a_retry_comes_when_its_pause_says) {
  std::vector<std::pair<std::string, int>> starts;
  worker w(options());
  auto when = only_at(soon());
  when.retry = backoff::constant(50ms).attempts(3);
  std::string id;
  w.cron(
      "tick",
      [&](context& ctx) -> awaitable<void> {
        starts.emplace_back(ctx.id(), ctx.attempt());
        if (ctx.attempt() < 3) throw std::runtime_error("not yet");
        co_return;
      },
      when);
  serve(w, [&](queue q) -> awaitable<void> {
    co_await until([&] { return starts.size() >= 3; });
    const auto run = q.find<void>(starts.front().first);
    co_await run.result(default_timeout);
  });
  ASSERT_EQ(starts.size(), 3u);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(starts[static_cast<std::size_t>(i)], std::pair(starts.front().first, i + 1));
  }
}

TEST_P(cron, a_run_that_takes_too_long_is_timed_out) {
  std::string id;
  worker w(options());
  auto when = each_second();
  when.timeout = 50ms;
  w.cron(
      "tick",
      [&](context& ctx) -> awaitable<void> {
        id = ctx.id();
        co_await sleep_for(2 * default_timeout);
      },
      when);
  serve(w, [&](queue q) -> awaitable<void> {
    co_await until([&] { return !id.empty(); });
    const auto run = q.find<void>(std::string(id));
    const auto error = co_await error_of(run.result(default_timeout));
    EXPECT_TRUE(error.as<timed_out>()) << error.what;
  });
}

TEST_P(cron, a_run_is_skipped_while_an_earlier_one_has_not_ended) {
  latch end;
  strings started;
  std::string skipped;
  worker w(options());
  w.cron(
      "tick",
      [&](context& ctx) -> awaitable<void> {
        started.push_back(ctx.id());
        if (started.size() == 1) co_await end.wait();
      },
      each_second());
  serve(w, [&](queue q) -> awaitable<void> {
    co_await until([&] { return !started.empty(); });
    // The next two come and go.
    for (int i = 1; i <= 2; ++i) {
      const auto run = quarq::cron::parse_cron_run("cron:tick", started.front());
      skipped = id_of(run.due + seconds(i));
      co_await until_in(skipped, job_state::cancelled);
      const auto handle = q.find<void>(std::string(skipped));
      const auto error = co_await error_of(handle.result(default_timeout));
      EXPECT_EQ(error.what, skipped + " was skipped: " + started.front() + " has not ended");
    }
    EXPECT_EQ(started.size(), 1u);
    end.open();
    co_await until([&] { return started.size() >= 2; });
  });
}

TEST_P(cron, runs_may_be_allowed_to_overlap) {
  latch end;
  std::size_t running = 0, max = 0;
  worker w(options());
  auto when = each_second();
  when.overlap = overlap::allow;
  w.cron(
      "tick",
      [&]() -> awaitable<void> {
        max = std::max(max, ++running);
        co_await end.wait();
        --running;
      },
      when);
  serve(w, [&](queue) -> awaitable<void> {
    co_await until([&] { return max >= 2; });
    end.open();
    co_await until([&] { return running == 0; });
  });
}

TEST_P(cron, a_run_may_wait_for_the_earlier_one_and_only_one_does) {
  latch end;
  strings started;
  std::size_t running = 0, max = 0;
  auto when = each_second();
  when.overlap = overlap::after;
  worker w(options());
  w.cron(
      "tick",
      [&](context& ctx) -> awaitable<void> {
        max = std::max(max, ++running);
        started.push_back(ctx.id());
        if (started.size() == 1) co_await end.wait();
        --running;
      },
      when);
  serve(w, [&](queue) -> awaitable<void> {
    co_await until([&] { return !started.empty(); });
    const auto first = quarq::cron::parse_cron_run("cron:tick", started.front()).due;
    // One waits, the one after it is skipped.
    co_await until_in(id_of(first + 2s), job_state::cancelled);
    const auto waits = co_await inspect(id_of(first + 1s));
    EXPECT_TRUE(waits && !is_final(waits->state));
    EXPECT_EQ(started.size(), 1u);
    end.open();
    co_await until([&] { return started.size() >= 2; });
    EXPECT_EQ(started[1], id_of(first + 1s));
  });
  EXPECT_EQ(max, 1u);
}

TEST_P(cron, a_run_that_waits_takes_no_slot_from_the_one_it_waits_for) {
  strings starts;
  auto o = options();
  o.concurrency = 1;
  auto when = each_second();
  when.overlap = overlap::after;
  when.retry = backoff::constant(2500ms).attempts(2);
  worker w(o);
  std::string first;
  w.cron(
      "tick",
      [&](context& ctx) -> awaitable<void> {
        starts.push_back(ctx.id());
        // Before its second try the next run comes.
        if (ctx.id() == starts.front() && ctx.attempt() == 1) throw std::runtime_error("again");
        co_return;
      },
      when);
  serve_until([&] { return starts.size() >= 3; }, {&w});
  const auto next = id_of(quarq::cron::parse_cron_run("cron:tick", starts.front()).due + 1s);
  starts.resize(3);
  EXPECT_EQ(starts, (strings{starts.front(), starts.front(), next}));
}

TEST_P(cron, what_was_missed_while_no_worker_was_there_is_skipped) {
  const auto due = second_from_now(2s);
  auto when = only_at(due);
  when.tolerance = 0ms;
  int runs = 0;
  worker w(options());
  w.cron("tick", [&] { ++runs; }, when);
  without_worker([&](queue) -> awaitable<void> {
    co_await plan(due);
    co_await until([&] { return now() > due + 5ms; });
  });
  serve(w, [&](queue q) -> awaitable<void> {
    co_await until_in(id_of(due), job_state::expired);
    const auto run = q.find<void>(id_of(due));
    const auto error = co_await error_of(run.result(default_timeout));
    EXPECT_TRUE(error.as<job_expired>()) << error.what;
    EXPECT_NE(error.what.find("no worker was there"), std::string::npos) << error.what;
  });
  EXPECT_EQ(runs, 0);
}

TEST_P(cron, a_little_late_is_not_missed) {
  const auto due = second_from_now(2s);
  int runs = 0;
  worker w(options());
  w.cron("tick", [&] { ++runs; }, only_at(due));
  without_worker([&](queue) -> awaitable<void> {
    co_await plan(due);
    co_await until([&] { return now() > due + 5ms; });
  });
  serve_until([&] { return runs == 1; }, {&w});
}

TEST_P(cron, what_was_missed_may_be_made_up_for_by_one_run_within_bounds) {
  const auto due = second_from_now(2s);
  without_worker([&](queue) -> awaitable<void> {
    co_await plan(due);
    // Two more of its times pass as well.
    co_await until([&] { return now() > due + 2100ms; });
  });
  auto when = each_second();
  when.tolerance = 0ms;
  when.missed = missed::run_once;
  for (const bool too_late : {true, false}) {
    if (too_late) when.missed_within = 100ms;
    if (!too_late) when.missed_within.reset();
    strings late;
    worker w(options());
    w.cron(
        "tick",
        [&](context& ctx) -> awaitable<void> {
          if (ctx.due_at() < second_from_now(0s)) late.push_back(ctx.id());
          co_return;
        },
        when);
    if (too_late) {
      serve(w, [&](queue) -> awaitable<void> { co_await until_in(id_of(due), job_state::expired); });
      EXPECT_EQ(late, strings{});
    } else {
      const auto second = second_from_now(2s);
      without_worker([&](queue) -> awaitable<void> {
        const auto there = co_await inspect(id_of(second));
        if (!there) co_await plan(second);
        co_await until([&] { return now() > second + 2100ms; });
      });
      serve(w, [&](queue) -> awaitable<void> { co_await until_in(id_of(second), job_state::succeeded); });
      EXPECT_NE(std::find(late.begin(), late.end(), id_of(second)), late.end());
    }
  }
}

TEST_P(cron, a_run_that_was_begun_and_handed_back_is_not_missed) {
  const auto due = soon();
  auto when = only_at(due);
  when.tolerance = 0ms;
  int starts = 0;
  {
    worker w(options());
    w.cron(
        "tick",
        [&]() -> awaitable<void> {
          ++starts;
          co_await sleep_for(2 * default_timeout);
        },
        when);
    serve_until([&] { return starts == 1; }, {&w});
  }
  worker w(options());
  w.cron(
      "tick",
      [&](context& ctx) -> awaitable<void> {
        ++starts;
        EXPECT_EQ(ctx.attempt(), 1);
        co_return;
      },
      when);
  serve_until([&] { return starts == 2; }, {&w});
}

TEST_P(cron, at_startup_runs_once_for_the_fleet) {
  strings ids;
  auto when = only_at(second_from_now(3600s));
  when.run_at_startup = true;
  const auto start_three = [&] {
    worker a(options()), b(options()), c(options());
    for (auto* w : {&a, &b, &c}) {
      w->cron("tick", noting(ids), when);
      w->options().burst = true;
    }
    const auto all = [&]() -> awaitable<void> { co_await gather(a.run(), b.run(), c.run()); };
    run_on_loop(all);
  };
  start_three();
  EXPECT_EQ(ids, strings{"cron:tick:startup"});
  // Within the window it is the same start.
  start_three();
  EXPECT_EQ(ids.size(), 1u);
  // Beyond it, it is another, though the end of the first is still kept.
  when.startup_window = 1ms;
  start_three();
  ASSERT_GE(ids.size(), 2u);
  EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), ids.size());
  EXPECT_EQ(ids[1].rfind("cron:tick:startup:", 0), 0u) << ids[1];
}

TEST_P(cron, a_failed_run_at_startup_does_not_keep_the_next_start_from_running) {
  for (const int attempts : {1, 2}) {  // failed, dead
    strings ids;
    auto when = only_at(second_from_now(3600s));
    when.run_at_startup = true;
    when.startup_window = 0ms;
    when.retry = backoff::constant(0ms).attempts(attempts);
    for (int i = 0; i < 2; ++i) {
      worker w(options());
      w.cron(
          "fails" + std::to_string(attempts),
          [&](context& ctx) {
            if (ctx.attempt() == 1) ids.push_back(ctx.id());
            throw std::runtime_error("no");
          },
          when);
      serve(w, [&](queue q) -> awaitable<void> {
        co_await until([&] { return ids.size() == static_cast<std::size_t>(i + 1); });
        const auto run = q.find<void>(std::string(ids.back()));
        co_await error_of(run.result(default_timeout));
      });
    }
    EXPECT_NE(ids[0], ids[1]);
  }
}

TEST_P(cron, runs_under_an_id_of_its_own_are_one_at_a_time) {
  strings ids;
  bool fail = true;
  auto when = each_second();
  when.job_id = "the-report";
  when.retry = backoff::constant(0ms).attempts(2);
  worker w(options());
  w.cron(
      "tick",
      [&](context& ctx) -> awaitable<void> {
        ids.push_back(ctx.id());
        // The dead job of this id is in nobody's way.
        if (std::exchange(fail, ids.size() < 2)) throw std::runtime_error("no");
        co_return;
      },
      when);
  serve_until([&] { return ids.size() >= 4; }, {&w});
  EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()), std::set<std::string>{"the-report"});
}

TEST_P(cron, at_startup_an_id_of_its_own_is_kept_to) {
  strings ids;
  auto when = only_at(second_from_now(3600s));
  when.job_id = "the-report";
  when.run_at_startup = true;
  worker w(options());
  w.cron("tick", noting(ids), when);
  serve_until([&] { return !ids.empty(); }, {&w});
  EXPECT_EQ(ids, strings{"the-report"});
}

void says_when(context& ctx) {
  throw std::runtime_error(fmt::format("{} in {}", ctx.due_at().time_since_epoch().count(), ::getpid()));
}

TEST_P(cron, may_run_on_a_thread_or_in_a_process) {
  for (const auto where : {level::thread, level::process}) {
    const auto due = soon();
    auto when = only_at(due);
    when.on = where;
    if (where == level::process) when.memory_limit = 512_MiB;
    worker w(options());
    w.cron("tick", says_when, when);
    serve(w, [&](queue q) -> awaitable<void> {
      co_await until_in(id_of(due), job_state::failed);
      const auto run = q.find<void>(id_of(due));
      const auto error = co_await error_of(run.result(default_timeout));
      EXPECT_EQ(error.what.rfind(fmt::format("{} in ", due.time_since_epoch().count()), 0), 0u) << error.what;
      const bool is_here = error.what.ends_with(fmt::format("in {}", ::getpid()));
      EXPECT_EQ(is_here, where == level::thread) << error.what;
    });
  }
}

TEST_P(cron, can_be_enqueued_by_hand) {
  strings ids;
  worker w(options());
  w.cron("tick", noting(ids), only_at(second_from_now(3600s)));
  serve(w, [&](queue q) -> awaitable<void> {
    const auto job = co_await q.enqueue(cron_by_hand().id("now"));
    co_await job.result(default_timeout);
  });
  EXPECT_EQ(ids, strings{"now"});
}

TEST_P(cron, a_worker_that_does_not_know_it_leaves_it_to_others) {
  const auto due = second_from_now(1s);
  int runs = 0;
  worker old_release(options()), new_release(options());
  old_release.handle(other, [] {});
  new_release.cron(
      "tick",
      [&](context& ctx) -> awaitable<void> {
        ++runs;
        EXPECT_EQ(ctx.attempt(), 1);
        co_return;
      },
      only_at(due));
  bool started = false;
  old_release.before_job([&](context&) -> awaitable<void> {
    started = true;
    co_return;
  });
  const auto stop_both = [&]() -> awaitable<void> {
    co_await until([&] { return runs == 1; });
    new_release.stop();
    old_release.stop();
  };
  const auto watch = [&]() -> awaitable<void> {
    co_await plan(due);
    co_await until_in(id_of(due), job_state::running);  // by the worker that does not know it
    EXPECT_EQ(runs, 0);
    co_await gather(new_release.run(), stop_both());
  };
  const auto all = [&]() -> awaitable<void> { co_await gather(old_release.run(), watch()); };
  run_on_loop(all);
  EXPECT_EQ(runs, 1);
  EXPECT_FALSE(started);
}

TEST_P(cron, what_an_earlier_schedule_has_planned_does_not_run) {
  const auto old_time = second_from_now(1s), new_time = second_from_now(4s);
  strings ids;
  worker w(options());
  w.cron("tick", noting(ids), only_at(new_time));
  serve(w, [&](queue) -> awaitable<void> {
    co_await plan(old_time);
    co_await until([&] { return !ids.empty(); });
    // Whoever still has the earlier schedule would run it.
    const auto left = co_await inspect(id_of(old_time));
    EXPECT_TRUE(left && !is_final(left->state));
  });
  EXPECT_EQ(ids, strings{id_of(new_time)});
}

TEST_P(cron, a_run_that_no_worker_knows_is_kept_uncounted) {
  const auto due = second_from_now(0s);
  worker w(options());
  w.handle(other, [] {});
  without_worker([&](queue) -> awaitable<void> { co_await plan(due); });
  serve(w, [&](queue) -> awaitable<void> { co_await until_in(id_of(due), job_state::running); });
  without_worker([&](queue) -> awaitable<void> {
    const auto left = co_await inspect(id_of(due));
    EXPECT_TRUE(left && left->state == job_state::queued && left->attempts == 0);
  });
}

TEST_P(cron, a_run_that_was_planned_after_its_time_is_dropped) {
  const auto due = second_from_now(-3600s);
  int runs = 0;
  worker w(options());
  w.cron("tick", [&] { ++runs; }, only_at(due));
  without_worker([&](queue) -> awaitable<void> { co_await plan(due); });
  serve(w, [&](queue) -> awaitable<void> { co_await until_in(id_of(due), job_state::expired); });
  EXPECT_EQ(runs, 0);
}

TEST_P(cron, a_planned_run_that_was_called_off_is_not_the_last) {
  strings ids;
  worker w(options());
  w.cron("tick", noting(ids), each_second());
  serve(w, [&](queue q) -> awaitable<void> {
    co_await until([&] { return !ids.empty(); });
    bool called_off = false;
    while (!called_off) {
      const auto next = id_of(quarq::cron::parse_cron_run("cron:tick", ids.back()).due + 1s);
      const auto handle = q.find<void>(std::string(next));
      const auto answer = co_await handle.cancel();
      called_off = answer == cancel_outcome::cancelled;
      if (!called_off) co_await sleep_for(5ms);
    }
    const auto before = ids.size();
    co_await until([&] { return ids.size() > before; });
  });
}

TEST_P(cron, in_a_burst_it_is_planned_and_run_at_startup) {
  int runs = 0;
  auto when = only_at(second_from_now(3600s));
  const auto due = second_from_now(3600s);
  when.run_at_startup = true;
  auto o = options();
  o.burst = true;
  worker w(o);
  w.cron("tick", [&] { ++runs; }, when);
  run_to_end(w);
  EXPECT_EQ(runs, 1);
  without_worker([&](queue) -> awaitable<void> {
    bool planned = false;
    for (const auto slack : {-1s, 0s, 1s}) {
      const auto details = co_await inspect(id_of(due + slack));
      planned = planned || (details && details->state == job_state::deferred);
    }
    EXPECT_TRUE(planned);
  });
}

AT_EACH_BROKER(cron);

template <class F>
std::string error_text(F f) {
  try {
    f();
  } catch (const usage_error& e) {
    return e.what();
  }
  return "nothing was thrown";
}

TEST(cron_options, wrong_ones_are_refused_at_once) {
  worker w;
  const auto nothing = [] {};
  EXPECT_EQ(error_text([&] { w.cron("x", nothing, {.hour = 25}); }),
            "cron x: hour \"25\": column 1: expected 0 to 23, got 25");
  EXPECT_EQ(error_text([&] {
              w.cron("x", nothing, "0 3 * *");
            }).rfind("cron x: crontab \"0 3 * *\": expected five", 0),
            0u);
  EXPECT_NE(error_text([&] { w.cron("x", nothing, {.timezone = "Mars/Olympus"}); }).find("Mars/Olympus"),
            std::string::npos);
  EXPECT_EQ(error_text([&] { w.cron("a b", nothing, "@daily"); }),
            "cron \"a b\": name: expected 1 to 150 characters without white space and colons");
  EXPECT_EQ(error_text([&] { w.cron("x", nothing, {.hour = 3, .priority = 10}); }),
            "cron x: option priority: expected 0 to 9, got 10");
  EXPECT_NE(error_text([&] {
              w.cron("x", nothing, {.hour = 3, .overlap = overlap::after, .job_id = "y"});
            }).find("job_id"),
            std::string::npos);
  w.cron("x", nothing, "@daily");
  EXPECT_EQ(error_text([&] { w.cron("x", nothing, "@daily"); }),
            "cron x: there is one with this name already");
}

}  // namespace
}  // namespace quarq::test::cron_tests
