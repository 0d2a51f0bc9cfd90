// How jobs end other than by success, and what whoever asked for them is told.
#include <atomic>
#include <stdexcept>
#include <stop_token>
#include <thread>

#include "integration/worker_test.hpp"
#include "support/on_loop.hpp"

namespace quarq::test::worker_ends_tests {

struct disk_full : std::runtime_error {
  using std::runtime_error::runtime_error;
};

namespace {

constexpr task<int(int)> risky{"risky", "number"};
constexpr task<void(int)> quiet{"quiet", "number"};
constexpr std::chrono::milliseconds delays[] = {0ms, 1h};

class worker_ends : public worker_test {};

TEST_P(worker_ends, with_one_try_the_exception_is_the_answer) {
  worker w(options());
  w.handle(risky, [](int) -> int { throw disk_full("no space on device"); });
  const auto t = error_of_job(w, risky(1).attempts(1));
  const auto* failed = t.as<job_failed>();
  ASSERT_NE(failed, nullptr) << t.what;
  EXPECT_EQ(t.as<retries_exhausted>(), nullptr);
  EXPECT_EQ(failed->type(), "quarq::test::worker_ends_tests::disk_full");
  EXPECT_STREQ(failed->what(), "no space on device");
}

TEST_P(worker_ends, after_all_tries_it_says_what_the_last_one_threw) {
  std::vector<int> attempts;
  worker w(options());
  w.handle(risky, [&](context& ctx, int) -> awaitable<int> {
    attempts.push_back(ctx.attempt());
    throw disk_full("at try " + std::to_string(ctx.attempt()));
    co_return 0;
  });
  const auto t = error_of_job(w, risky(1).attempts(3).backoff(backoff::constant(1ms)));
  const auto* exhausted = t.as<retries_exhausted>();
  ASSERT_NE(exhausted, nullptr) << t.what;
  EXPECT_EQ(exhausted->attempts(), 3);
  EXPECT_EQ(exhausted->type(), "quarq::test::worker_ends_tests::disk_full");
  EXPECT_STREQ(exhausted->what(), "at try 3");
  EXPECT_EQ(attempts, (std::vector<int>{1, 2, 3}));
}

TEST_P(worker_ends, a_job_that_succeeds_at_last_has_succeeded) {
  worker w(options());
  w.handle(risky, [](context& ctx, int n) { return ctx.attempt() < 4 ? throw disk_full("wait") : n; },
           {.retry = backoff::exponential(1ms, 4ms).attempts(5)});
  serve(w, [&](queue q) -> awaitable<void> {
    const auto job = co_await q.enqueue(risky(9));
    const int nine = co_await job.result(default_timeout);
    EXPECT_EQ(nine, 9);
    const auto info = co_await job.info();
    EXPECT_EQ(info.attempts, 4);
  });
}

TEST_P(worker_ends, between_tries_it_waits_as_its_policy_says) {
  std::vector<std::chrono::steady_clock::time_point> starts;
  worker w(options());
  w.handle(risky,
           [&](int) -> awaitable<int> {
             starts.push_back(std::chrono::steady_clock::now());
             throw disk_full("again");
             co_return 0;
           },
           {.retry = backoff::exponential(60ms, 10s).jitter(0).attempts(3)});
  error_of_job(w, risky(1));
  ASSERT_EQ(starts.size(), 3u);
  // The broker counts whole milliseconds.
  EXPECT_GE(starts[1] - starts[0], 59ms);
  EXPECT_GE(starts[2] - starts[1], 119ms);
}

TEST_P(worker_ends, a_handler_may_ask_to_be_tried_again_when_it_likes) {
  const auto tried_again = [](context& ctx, int) -> int {
    if (ctx.attempt() == 1) throw quarq::retry_after(20ms, "not yet");
    return ctx.attempt();
  };
  for (const level where : {level::loop, level::thread, level::process}) {
    worker w(options());
    w.handle(risky, tried_again, {.on = where, .retry = backoff::constant(1h).attempts(2)});
    serve(w, [&](queue q) -> awaitable<void> {
      const auto job = co_await q.enqueue(risky(1));
      const int attempts = co_await job.result(default_timeout);
      EXPECT_EQ(attempts, 2);
    });
  }
}

TEST_P(worker_ends, who_asks_to_be_tried_again_too_often_is_dead) {
  worker w(options());
  w.handle(risky, [](int) -> int { throw quarq::retry_after(0ms, "not yet"); },
           {.retry = backoff::constant(1h).attempts(3)});
  const auto t = error_of_job(w, risky(1));
  const auto* dead = t.as<retries_exhausted>();
  ASSERT_NE(dead, nullptr) << t.what;
  EXPECT_EQ(dead->attempts(), 3);
  EXPECT_EQ(dead->type(), "quarq::retry_after");
  EXPECT_EQ(t.what, "not yet");
}

TEST_P(worker_ends, a_permanent_failure_is_not_tried_again) {
  int runs = 0;
  worker w(options());
  w.handle(risky, [&](int) -> awaitable<int> {
    ++runs;
    throw permanent_failure("no such account");
    co_return 0;
  });
  const auto t = error_of_job(w, risky(1));
  ASSERT_NE(t.as<job_failed>(), nullptr) << t.what;
  EXPECT_EQ(t.as<retries_exhausted>(), nullptr);
  EXPECT_EQ(t.what, "no such account");
  EXPECT_EQ(runs, 1);
}

TEST_P(worker_ends, what_is_no_exception_fails_all_the_same) {
  const auto thrown_by = [&](auto handler) {
    worker w(options());
    w.handle(risky, handler);
    const auto t = error_of_job(w, risky(1).attempts(1));
    const auto* failed = t.template as<job_failed>();
    return failed ? failed->type() + ": " + t.what : "another error: " + t.what;
  };
  EXPECT_EQ(thrown_by([](int) -> int { throw 42; }),
            "int: an object of type int was thrown, which is not a std::exception");
  EXPECT_EQ(thrown_by([](int) -> int { throw "the disk is full"; }), "char const*: the disk is full");
}

TEST_P(worker_ends, out_of_time) {
  worker w(options());
  w.handle(risky,
           [](int n) -> awaitable<int> {
             co_await sleep_for(1h);
             co_return n;
           },
           {.timeout = 20ms, .retry = backoff::none()});
  const auto t = error_of_job(w, risky(1));
  EXPECT_NE(t.as<timed_out>(), nullptr) << t.what;
  EXPECT_NE(t.what.find("risky took longer than its timeout of 20 ms"), std::string::npos) << t.what;
}

TEST_P(worker_ends, a_limit_to_waiting_for_the_result_leaves_the_job_alone) {
  latch go;
  worker w(options());
  w.handle(risky, [&](int n) -> awaitable<int> {
    co_await go.wait();
    co_return n;
  });
  serve(w, [&](queue q) -> awaitable<void> {
    const auto job = co_await q.enqueue(risky(5));
    const auto error = co_await error_of(job.result(10ms));
    EXPECT_NE(error.as<timed_out>(), nullptr) << error.what;
    go.open();
    const int five = co_await job.result(default_timeout);
    EXPECT_EQ(five, 5);
  });
}

TEST_P(worker_ends, cancelled_while_running) {
  bool unwound = false;
  worker w(options());
  w.handle(risky, [&](context& ctx, int n) -> awaitable<int> {
    try {
      co_await sleep_for(1h);
    } catch (...) {
      unwound = ctx.stop_token().stop_requested();
      throw;
    }
    co_return n;
  });
  serve(w, [&](queue q) -> awaitable<void> {
    const auto job = co_await q.enqueue(risky(1));
    co_await until_in(job, job_state::running);
    const auto outcome = co_await job.cancel();
    EXPECT_EQ(outcome, cancel_outcome::requested);
    const auto error = co_await error_of(job.result(default_timeout));
    EXPECT_NE(error.as<cancelled>(), nullptr) << error.what;
    const auto again = co_await job.cancel();
    EXPECT_EQ(again, cancel_outcome::too_late);
  });
  EXPECT_TRUE(unwound);
}

awaitable<cancel_outcome> cancel_after(job<int> j, std::chrono::milliseconds pause) {
  co_await sleep_for(pause);
  const auto outcome = co_await j.cancel();
  co_return outcome;
}

TEST_P(worker_ends, who_waits_for_a_job_that_is_cancelled_before_it_ran_is_told) {
  without_worker([&](queue q) -> awaitable<void> {
    for (const auto delay : delays) {
      const auto job = co_await q.enqueue(risky(1).delay(delay));
      auto waiting = error_of(job.result(default_timeout));
      auto cancelling = cancel_after(job, 20ms);
      const auto both = co_await gather(std::move(waiting), std::move(cancelling));
      const auto& error = std::get<0>(both);
      EXPECT_NE(error.as<cancelled>(), nullptr) << error.what;
      EXPECT_EQ(error.what, "risky was cancelled before it ran");
      EXPECT_EQ(std::get<1>(both), cancel_outcome::cancelled);
    }
  });
}

/// As anybody sees it who asks only afterwards.
awaitable<void> expect_cancelled(queue q, std::string id, std::string text, int attempts) {
  const auto job = q.find<int>(id);
  const auto error = co_await error_of(job.result(default_timeout));
  EXPECT_NE(error.as<cancelled>(), nullptr) << error.what;
  EXPECT_EQ(error.what, text);
  const auto status = co_await job.state();
  EXPECT_EQ(status, job_state::cancelled);
  const auto info = co_await job.info();
  EXPECT_EQ(info.state, job_state::cancelled);
  EXPECT_EQ(info.task, "risky");
  EXPECT_EQ(info.error_type, "quarq::cancelled");
  EXPECT_EQ(info.error, text);
  EXPECT_EQ(info.attempts, attempts);
  EXPECT_TRUE(info.enqueued_at);
  const auto again = co_await job.cancel();
  EXPECT_EQ(again, cancel_outcome::too_late);
  const auto refused = co_await error_of(q.enqueue(risky(2).id(id)));
  EXPECT_NE(refused.as<duplicate_job>(), nullptr) << refused.what;
}

TEST_P(worker_ends, a_job_cancelled_before_it_ran_can_be_looked_up) {
  without_worker([&](queue q) -> awaitable<void> {
    for (const auto delay : delays) {
      const auto job = co_await q.enqueue(risky(1).delay(delay));
      const auto outcome = co_await job.cancel();
      EXPECT_EQ(outcome, cancel_outcome::cancelled);
      co_await expect_cancelled(q, job.id(), "risky was cancelled before it ran", 0);
    }
  });
}

TEST_P(worker_ends, a_cancelled_job_that_returns_nothing_is_not_taken_for_done) {
  without_worker([&](queue q) -> awaitable<void> {
    const auto job = co_await q.enqueue(quiet(1));
    co_await job.cancel();
    const auto error = co_await error_of(job.result(default_timeout));
    EXPECT_NE(error.as<cancelled>(), nullptr) << error.what;
    const auto status = co_await job.state();
    EXPECT_EQ(status, job_state::cancelled);
  });
}

TEST_P(worker_ends, a_job_cancelled_between_two_tries_can_be_looked_up) {
  worker w(options());
  w.handle(risky, [](int) -> int { throw disk_full("no space"); },
           {.retry = backoff::constant(1h).attempts(5)});
  serve(w, [&](queue q) -> awaitable<void> {
    const auto job = co_await q.enqueue(risky(1));
    co_await until_in(job, job_state::deferred);
    const auto outcome = co_await job.cancel();
    EXPECT_EQ(outcome, cancel_outcome::cancelled);
    co_await expect_cancelled(q, job.id(), "risky was cancelled before its next attempt", 1);
  });
}

TEST_P(worker_ends, work_that_is_done_although_it_was_cancelled_has_succeeded) {
  worker w(options());
  std::atomic<bool> began = false;
  w.handle(risky, [&began](std::stop_token stop, int n) {
    began = true;
    while (!stop.stop_requested()) std::this_thread::yield();
    return n;
  });
  serve(w, [&](queue q) -> awaitable<void> {
    const auto job = co_await q.enqueue(risky(3));
    const auto has_begun = [&] { return began.load(); };
    co_await until(has_begun);
    co_await job.cancel();
    const int three = co_await job.result(default_timeout);
    EXPECT_EQ(three, 3);
  });
}

TEST_P(worker_ends, expired_before_a_worker_came) {
  worker w(options());
  w.handle(risky, [](int n) { return n; });
  serve(w, [&](queue q) -> awaitable<void> {
    w.stop();  // Claims nothing more; the job is enqueued to nobody.
    const auto job = co_await q.enqueue(risky(1).expires(1ms));
    co_await sleep_for(10ms);
    worker later(options());
    later.handle(risky, [](int n) { return n; });
    later.options().max_jobs = 1;
    co_await later.run();
    const auto error = co_await error_of(job.result(default_timeout));
    EXPECT_NE(error.as<job_expired>(), nullptr) << error.what;
  });
}

TEST_P(worker_ends, the_failure_can_be_looked_up) {
  worker w(options());
  w.handle(risky, [](int) -> int { throw disk_full("no space"); });
  serve(w, [&](queue q) -> awaitable<void> {
    const auto job = co_await q.enqueue(risky(1).attempts(2).backoff(backoff::constant(1ms)));
    co_await error_of(job.result(default_timeout));
    const auto info = co_await job.info();
    EXPECT_EQ(info.state, job_state::dead);
    EXPECT_EQ(info.task, "risky");
    EXPECT_EQ(info.arguments, "[1]");
    EXPECT_EQ(info.error_type, "quarq::test::worker_ends_tests::disk_full");
    EXPECT_EQ(info.error, "no space");
    EXPECT_EQ(info.attempts, 2);
    EXPECT_FALSE(info.worker.empty());
    EXPECT_TRUE(info.enqueued_at && info.started_at && info.finished_at);
    EXPECT_LE(*info.enqueued_at, *info.started_at);
    EXPECT_LE(*info.started_at, *info.finished_at);
  });
}

AT_EACH_BROKER(worker_ends);

}  // namespace
}  // namespace quarq::test::worker_ends_tests
