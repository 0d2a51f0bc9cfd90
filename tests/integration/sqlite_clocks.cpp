// The SQLite broker's clocks: the wall clock may be set both ways, and leases are on one that nobody sets.
#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include <boost/asio/this_coro.hpp>
#include <time.h>

#include "broker/limits.hpp"
#include "broker/sqlite/clocks.hpp"
#include "integration/sqlite_test.hpp"
#include "support/on_loop.hpp"
#include "support/temp_dir.hpp"

namespace quarq::test::sqlite_clock_tests {

namespace {

namespace sqlite = broker::sqlite;

constexpr milliseconds lease_time = 7s;

/// A count of milliseconds that a test sets while SQLite's thread reads it.
class shared_time {
 public:
  explicit shared_time(milliseconds at) : ms_(at.count()) {}
  shared_time& operator=(milliseconds at) {
    ms_ = at.count();
    return *this;
  }
  void operator+=(milliseconds time) { ms_ += time.count(); }
  void operator-=(milliseconds time) { ms_ -= time.count(); }
  milliseconds get() const { return milliseconds(ms_.load()); }

 private:
  std::atomic<milliseconds::rep> ms_;
};

/// Clocks that a test sets.
struct test_clocks {
  shared_time wall{std::chrono::hours(500'000)};  // since 1970
  shared_time uptime{1h};
  std::string boot = "first";
};

struct place {
  temp_dir folder;
  std::shared_ptr<test_clocks> times = std::make_shared<test_clocks>();

  void pass(milliseconds time) const {
    times->wall += time;
    times->uptime += time;
  }
  /// A broker of a process of its own, as it were.
  std::shared_ptr<broker::broker> open(any_io_executor loop, milliseconds wall_is_off_by = 0ms) const {
    sqlite::database_settings settings;
    settings.file = folder / "jobs.db";
    settings.times.wall = [clock = times, wall_is_off_by] {
      return broker::time_point(clock->wall.get() + wall_is_off_by);
    };
    settings.times.uptime = [clock = times] { return clock->uptime.get(); };
    settings.times.boot = times->boot;
    return open_alone(std::move(settings), std::move(loop));
  }
};

/// Lets `time` pass while this worker renews once a second, as workers do.
awaitable<void> pass_renewing(const place& at, const worker_end& worker, milliseconds time) {
  for (milliseconds passed = 0ms; passed < time; passed += 1s) {
    at.pass(1s);
    co_await renew(worker, lease_time);
  }
}

#define CLOCK_TEST(name)                                         \
  static awaitable<void> name(place&, any_io_executor);          \
  static awaitable<void> start_##name() {                        \
    const auto loop = co_await boost::asio::this_coro::executor; \
    place at;                                                    \
    co_await name(at, loop);                                     \
  }                                                              \
  TEST(sqlite_clocks, name) {                                    \
    run_on_loop(start_##name());                                 \
  }                                                              \
  static awaitable<void> name([[maybe_unused]] place& at, [[maybe_unused]] any_io_executor loop)

}  // namespace

// ---- leases

CLOCK_TEST(a_step_of_the_wall_clock_loses_no_lease_and_keeps_none) {
  auto store = at.open(loop);
  const strings ids = {"held", "lost"};
  co_await enqueue_ids(*store, "q", ids);
  auto alive = co_await new_worker(store, "q", lease_time);
  co_await claim_ids(alive, 1);
  auto gone = co_await new_worker(store, "q", lease_time);
  co_await claim_ids(gone, 1);
  for (const milliseconds step : {milliseconds(1h), milliseconds(-2h)}) {
    at.times->wall += step;
    co_await pass_renewing(at, alive, 3s);
    auto lost = co_await state_of(*store, "q", "lost");
    EXPECT_TRUE(lost == job_state::running);
  }
  co_await pass_renewing(at, alive, 2s);
  auto lost = co_await state_of(*store, "q", "lost");
  EXPECT_TRUE(lost == job_state::queued);
  auto held = co_await store->inspect("q", "held");
  EXPECT_TRUE(held && held->holder == alive.held.token);
}

CLOCK_TEST(processes_whose_wall_clocks_differ_agree_on_leases) {
  auto here = at.open(loop);
  auto fast = at.open(loop, 1h);
  const strings ids = {"held", "lost"};
  co_await enqueue_ids(*here, "q", ids);
  auto alive = co_await new_worker(here, "q", lease_time);
  co_await claim_ids(alive, 1);
  auto gone = co_await new_worker(here, "q", lease_time);
  co_await claim_ids(gone, 1);
  auto other = co_await new_worker(fast, "q", lease_time);
  for (int second = 0; second < 8; ++second) {
    co_await pass_renewing(at, other, 1s);
    co_await renew(alive, lease_time);
  }
  auto held = co_await here->inspect("q", "held");
  EXPECT_TRUE(held && held->holder == alive.held.token);
  auto again = co_await claim_ids(other, 10);
  EXPECT_EQ(again, strings(1, "lost"));
}

CLOCK_TEST(leases_of_an_earlier_run_of_the_machine_are_lost_at_once) {
  auto before = at.open(loop);
  co_await enqueue_ids(*before, "q", strings(1, "job"));
  auto gone = co_await new_worker(before, "q", 1h);
  co_await claim_ids(gone, 1);
  at.times->boot = "second";
  at.times->uptime = 1min;
  auto after = at.open(loop);
  auto summary = co_await summary_of(*after, "q");
  EXPECT_EQ(summary.workers, 0u);
  auto worker = co_await new_worker(after, "q", lease_time);
  co_await pass_renewing(at, worker, 1s);
  auto again = co_await claim_ids(worker, 1);
  EXPECT_EQ(again, strings(1, "job"));
}

// ---- silence

CLOCK_TEST(after_a_silence_of_any_length_the_first_to_renew_takes_nothing_from_the_others) {
  auto store = at.open(loop);
  const strings ids = {"a", "b", "c", "d", "e", "f"};
  co_await enqueue_ids(*store, "q", ids);
  std::vector<worker_end> workers;
  for (const auto& id : ids) {
    at.pass(150ms);
    auto worker = co_await new_worker(store, "q", lease_time);
    workers.push_back(worker);
    auto one = co_await claim_ids(worker, 1);
    EXPECT_EQ(one, strings(1, id));
  }
  for (milliseconds silence = 500ms; silence <= 20s; silence += 500ms) {
    at.pass(silence);
    // One that started meanwhile is heard first.
    auto fresh = co_await new_worker(store, "q", lease_time);
    co_await renew(fresh, lease_time);
    co_await store->close_lease(fresh.held);
    for (const auto& worker : workers) {
      auto answer = co_await renew(worker, lease_time);
      EXPECT_TRUE(answer.held) << "after " << silence.count() << " ms";
      at.pass(150ms);
    }
  }
  auto summary = co_await summary_of(*store, "q");
  EXPECT_EQ(summary.running, ids.size());
}

CLOCK_TEST(a_worker_that_died_in_a_silence_is_found_within_a_lease_after_it) {
  auto store = at.open(loop);
  co_await enqueue_ids(*store, "q", strings(1, "job"));
  auto gone = co_await new_worker(store, "q", lease_time);
  co_await claim_ids(gone, 1);
  auto alive = co_await new_worker(store, "q", lease_time);
  at.pass(9s);
  co_await pass_renewing(at, alive, lease_time);
  auto held = co_await state_of(*store, "q", "job");
  EXPECT_TRUE(held == job_state::running);
  co_await pass_renewing(at, alive, 1s);
  auto back = co_await state_of(*store, "q", "job");
  EXPECT_TRUE(back == job_state::queued);
}

CLOCK_TEST(workers_that_come_for_a_moment_each_minute_find_a_lost_one) {
  auto store = at.open(loop);
  co_await enqueue_ids(*store, "q", strings(1, "job"));
  auto gone = co_await new_worker(store, "q", lease_time);
  co_await claim_ids(gone, 1);
  strings found;
  for (int visit = 0; visit < 8 && found.empty(); ++visit) {
    at.pass(1min);
    auto visitor = co_await new_worker(store, "q", lease_time);
    co_await renew(visitor, lease_time);
    found = co_await claim_ids(visitor, 1);
  }
  EXPECT_EQ(found, strings(1, "job"));
}

/// What clock_gettime says of this clock, in whole milliseconds.
static milliseconds read_clock(clockid_t which) {
  timespec now{};
  clock_gettime(which, &now);
  return std::chrono::floor<milliseconds>(std::chrono::seconds(now.tv_sec) +
                                          std::chrono::nanoseconds(now.tv_nsec));
}

TEST(sqlite_clocks, leases_are_on_the_clock_that_runs_while_the_machine_sleeps_and_that_nobody_sets) {
  const auto before = read_clock(CLOCK_BOOTTIME);
  const auto uptime = sqlite::machine_clocks().uptime();
  EXPECT_LE(before, uptime);
  EXPECT_LE(uptime, read_clock(CLOCK_BOOTTIME));
  const auto wall_before = read_clock(CLOCK_REALTIME);
  const auto wall = sqlite::machine_clocks().wall().time_since_epoch();
  EXPECT_LE(wall_before, wall);
  EXPECT_LE(wall, read_clock(CLOCK_REALTIME));
}

// ---- due times

CLOCK_TEST(delays_and_retries_asked_for_after_the_clock_was_set_back_come_in_time) {
  auto store = at.open(loop);
  auto worker = co_await new_worker(store, "q", lease_time);
  co_await enqueue_ids(*store, "q", strings(1, "before"));
  at.times->wall -= 1h;
  auto delayed = job_named("delayed");
  delayed.delay = 2s;
  co_await enqueue_one(*store, "q", delayed);
  auto first = co_await claim_ids(worker, 10);
  EXPECT_EQ(first, strings(1, "before"));
  co_await settle_one(worker, retry_after("before", 1s));
  at.pass(1s);
  auto retried = co_await claim_ids(worker, 10);
  EXPECT_EQ(retried, strings(1, "before"));
  at.pass(1s);
  auto second = co_await claim_ids(worker, 10);
  EXPECT_EQ(second, strings(1, "delayed"));
}

CLOCK_TEST(a_dead_job_whose_time_is_over_is_not_sent_again) {
  auto store = at.open(loop);
  auto worker = co_await new_worker(store, "q", lease_time);
  co_await enqueue_ids(*store, "q", strings(1, "job"));
  co_await claim_ids(worker, 1);
  co_await settle_one(worker, end("job", job_state::dead, "why"));
  at.times->wall += broker::dead_kept;
  const auto by_name = co_await store->requeue("q", strings(1, "job"));
  EXPECT_EQ(by_name, 0u);
  const auto all = co_await store->requeue("q", strings());
  EXPECT_EQ(all, 0u);
}

CLOCK_TEST(a_job_is_due_by_the_wall_clock_when_that_is_set_forward) {
  auto store = at.open(loop);
  auto worker = co_await new_worker(store, "q", lease_time);
  auto later = job_named("later");
  later.delay = 30min;
  co_await enqueue_one(*store, "q", later);
  auto early = co_await store->claim(worker.held, 1);
  EXPECT_TRUE(early.next_due == milliseconds(30min));
  at.times->wall += 1h;
  auto due = co_await claim_ids(worker, 1);
  EXPECT_EQ(due, strings(1, "later"));
}

}  // namespace quarq::test::sqlite_clock_tests
