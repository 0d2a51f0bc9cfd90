// What cron jobs ask of a real broker: that one of several workers plans a run, that ends lead to the runs
// before them, and that what is handed back is not counted. All else is tested by a clock of the test's, in
// tests/unit/workers.
#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "broker/broker.hpp"
#include "broker/sqlite/url.hpp"
#include "broker/sqlite/writer_thread.hpp"
#include "cron/cron_job.hpp"
#include "integration/worker_test.hpp"
#include "model/record.hpp"
#include "support/cron_times.hpp"

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

/// A second of the schedule that lies this far in the past, or in the future.
time_point second_from_now(seconds distance) {
  return floor<seconds>(now()) + distance;
}

/// A handler that notes the ids of its runs.
auto noting(strings& ids) {
  return [&ids](context& ctx) { ids.push_back(ctx.id()); };
}

class cron : public worker_test {
 protected:
  cron() {
    if (url() != "sqlite::memory:") return;
    memory_ = broker::sqlite::writer_thread::shared(broker::sqlite::parse_url(url()).settings);
  }

  /// Runs these workers alongside each other until `holds` does.
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
    job.id = run_id(due);
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
  std::shared_ptr<broker::sqlite::writer_thread> memory_;  ///< which would end with the worker
};

TEST_P(cron, runs_at_its_times_once_for_three_workers) {
  std::map<std::string, int> runs;
  const auto count = [&](context& ctx) {
    ++runs[ctx.id()];
    EXPECT_EQ(ctx.id(), run_id(ctx.due_at()));
    EXPECT_EQ(ctx.due_at(), floor<seconds>(ctx.due_at()));
    EXPECT_GE(now(), ctx.due_at());
    EXPECT_EQ(ctx.task(), "cron:tick");
    EXPECT_EQ(ctx.attempt(), 1);
  };
  worker a(options()), b(options()), c(options());
  for (auto* w : {&a, &b, &c}) w->cron("tick", count, each_second());
  serve_until([&] { return runs.size() >= 2; }, {&a, &b, &c});
  for (const auto& [id, times] : runs) EXPECT_EQ(times, 1) << id;
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
    co_await until_in(run_id(first + 2s), job_state::cancelled);
    const auto waits = co_await inspect(run_id(first + 1s));
    EXPECT_TRUE(waits && !is_final(waits->state));
    EXPECT_EQ(started.size(), 1u);
    end.open();
    co_await until([&] { return started.size() >= 2; });
    EXPECT_EQ(started[1], run_id(first + 1s));
  });
  EXPECT_EQ(max, 1u);
}

TEST_P(cron, a_paused_one_is_skipped_until_it_is_resumed) {
  strings ids;
  worker w(options());
  w.cron("tick", noting(ids), each_second());
  const auto pause = [&]() -> awaitable<void> {
    const bool changed = co_await queue(url()).pause_cron("tick");
    EXPECT_TRUE(changed);
  };
  run_on_loop(pause);
  serve(w, [&](queue q) -> awaitable<void> {
    job_list skipped;
    while (skipped.jobs.size() < 2) {
      skipped = co_await q.list(job_filter{.state = job_state::cancelled, .task = "cron:tick"});
      co_await sleep_for(20ms);
    }
    EXPECT_TRUE(skipped.jobs.front().error.ends_with("was skipped: cron:tick is paused"));
    EXPECT_TRUE(ids.empty());
    const auto by_hand = co_await q.enqueue(cron_by_hand());
    co_await until([&] { return ids.size() == 1; });
    EXPECT_EQ(ids.front(), by_hand.id());
    const auto paused = co_await q.paused_crons();
    EXPECT_EQ(paused, strings(1, "tick"));
    const bool changed = co_await q.resume_cron("tick");
    EXPECT_TRUE(changed);
    co_await until([&] { return ids.size() >= 2; });
  });
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
  auto when = each_second();
  when.job_id = "the-report";
  when.retry = backoff::constant(0ms).attempts(2);
  worker w(options());
  w.cron(
      "tick",
      [&](context& ctx) -> awaitable<void> {
        ids.push_back(ctx.id());
        // The dead job of this id is in nobody's way.
        if (ids.size() <= 2) throw std::runtime_error("no");
        co_return;
      },
      when);
  serve_until([&] { return ids.size() >= 3; }, {&w});
  EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()), std::set<std::string>{"the-report"});
}

void says_where(context& ctx) {
  throw std::runtime_error(fmt::format("{} in {}", ctx.task(), ::getpid()));
}

TEST_P(cron, may_run_on_a_thread_or_in_a_process) {
  for (const auto where : {level::thread, level::process}) {
    auto when = only_at(second_from_now(3600s));
    when.on = where;
    if (where == level::process) when.memory_limit = 512_MiB;
    worker w(options());
    w.cron("tick", says_where, when);
    serve(w, [&](queue q) -> awaitable<void> {
      const auto run = co_await q.enqueue(cron_by_hand());
      const auto error = co_await error_of(run.result(default_timeout));
      EXPECT_EQ(error.what.rfind("cron:tick in ", 0), 0u) << error.what;
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

TEST_P(cron, a_run_that_no_worker_knows_is_kept_uncounted) {
  const auto due = second_from_now(0s);
  worker w(options());
  w.handle(other, [] {});
  without_worker([&](queue) -> awaitable<void> { co_await plan(due); });
  serve(w, [&](queue) -> awaitable<void> { co_await until_in(run_id(due), job_state::running); });
  without_worker([&](queue) -> awaitable<void> {
    const auto left = co_await inspect(run_id(due));
    EXPECT_TRUE(left && left->state == job_state::queued && left->attempts == 0);
  });
}

TEST_P(cron, a_run_that_was_planned_after_its_time_is_dropped) {
  const auto due = second_from_now(-3600s);
  int runs = 0;
  worker w(options());
  w.cron("tick", [&] { ++runs; }, only_at(due));
  without_worker([&](queue) -> awaitable<void> { co_await plan(due); });
  serve(w, [&](queue) -> awaitable<void> { co_await until_in(run_id(due), job_state::expired); });
  EXPECT_EQ(runs, 0);
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
      const auto details = co_await inspect(run_id(due + slack));
      planned = planned || (details && details->state == job_state::deferred);
    }
    EXPECT_TRUE(planned);
  });
}

AT_EACH_BROKER(cron);

}  // namespace
}  // namespace quarq::test::cron_tests
