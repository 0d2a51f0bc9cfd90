// What only machines have: the deadline travels with the job, and an unwanted job is cancelled. (What all
// levels share is in levels.cpp.)
#include <stdexcept>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/system_error.hpp>

#include "integration/cancelled.hpp"
#include "integration/worker_test.hpp"

namespace quarq::test::machines_tests {

struct disk_full : std::runtime_error {
  using std::runtime_error::runtime_error;
};

namespace {

constexpr task<int(int)> same{"same", "number"};
constexpr task<void(int)> nothing{"nothing"};
constexpr task<int(int)> stuck{"stuck"};
constexpr task<int(int)> failing{"failing"};
constexpr task<int(int)> not_handled{"not_handled"};

class machines_test : public worker_test {
 protected:
  machines_test() : w_(options()) {
    w_.handle(same, [](int n) -> awaitable<int> { co_return n; });
    w_.handle(nothing, [](int) -> awaitable<void> { co_return; });
    w_.handle(stuck, [this](int n) -> awaitable<int> {
      ++started_;
      co_await until_cancelled(stopped_);
      co_return n;
    });
    w_.handle(failing, [this](context& ctx, int n) -> awaitable<int> {
      ++started_;
      if (ctx.attempt() <= n) throw disk_full("no space on device");
      co_return ctx.attempt();
    });
  }

  /// A broker in memory would be gone with its last user.
  void keep_broker_open() {
    boost::asio::co_spawn(keeping_, error_of(held_open_.find<int>("none").state()),
                          [this](std::exception_ptr, const thrown&) { keeping_.stop(); });
    keeping_.run();
  }

  /// Enqueues the call by run(), and destroys the loop before the job has ended.
  template <class R>
  void ask_and_vanish(machines where, call<R> c) {
    keep_broker_open();
    boost::asio::io_context loop(1);
    const queue looking_on(url());
    bool ended = false;
    auto asking = [](machines m, call<R> one) -> awaitable<void> { co_await m.run(std::move(one)); };
    auto watching = [](queue q, std::string id) -> awaitable<void> {
      const auto job = q.find<R>(id);
      bool there = false;
      while (!there) {
        const auto error = co_await error_of(job.state());
        there = !error.error;
      }
    };
    boost::asio::co_spawn(loop, watching(looking_on, *c.options().id),
                          [&](std::exception_ptr) { ended = true; });
    boost::asio::co_spawn(loop, asking(where, std::move(c)), [](std::exception_ptr) {});
    const auto deadline = std::chrono::steady_clock::now() + default_timeout;
    while (!ended && std::chrono::steady_clock::now() < deadline) loop.run_one_for(100ms);
    EXPECT_TRUE(ended);
  }

  boost::asio::io_context keeping_{1};
  queue held_open_{url()};
  worker w_;
  int started_ = 0, stopped_ = 0;
};

awaitable<job_state> state_of(queue q, std::string id) {
  const auto job = q.find<int>(std::move(id));
  auto state = co_await job.state();
  while (!is_final(state)) {
    co_await sleep_for(1ms);
    state = co_await job.state();
  }
  co_return state;
}

TEST_P(machines_test, run_a_task_or_a_call) {
  serve(w_, [this](queue q) -> awaitable<void> {
    const machines where(q);
    const int one = co_await where.run(same, 1);
    EXPECT_EQ(one, 1);
    co_await where.run(nothing, 1);
    auto with_options = same(2).id("two");
    if (powers().priorities) with_options.priority(9);
    const int two = co_await where.run(with_options);
    EXPECT_EQ(two, 2);
    const int three = co_await where.with_deadline(std::nullopt).run(same, 3);
    EXPECT_EQ(three, 3);
    const int later = co_await where.run(same(4).delay(20ms));
    EXPECT_EQ(later, 4);
  });
}

TEST_P(machines_test, an_exception_is_the_answer_and_not_tried_again) {
  serve(w_, [this](queue q) -> awaitable<void> {
    const machines where(q);
    const auto t = co_await error_of(where.run(failing, 100));
    const auto* failed = t.as<call_failed>();
    EXPECT_NE(failed, nullptr) << t.what;
    EXPECT_EQ(failed != nullptr ? failed->type() : "", "quarq::test::machines_tests::disk_full");
    EXPECT_EQ(t.what, "no space on device");
    EXPECT_EQ(started_, 1);
  });
}

TEST_P(machines_test, a_call_may_ask_for_more_tries) {
  serve(w_, [this](queue q) -> awaitable<void> {
    const machines where(q);
    const int attempts = co_await where.run(failing(2).attempts(4).backoff(backoff::constant(1ms)));
    EXPECT_EQ(attempts, 3);
    EXPECT_EQ(started_, 3);
  });
}

TEST_P(machines_test, past_the_deadline_a_job_that_no_worker_takes_is_cancelled) {
  without_worker([](queue q) -> awaitable<void> {
    const machines where(q, machines_options{50ms});
    const auto t = co_await error_of(where.run(not_handled(1).id("waits")));
    EXPECT_NE(t.as<timed_out>(), nullptr) << t.what;
    EXPECT_EQ(t.what, "not_handled was not done within 50 ms");
    const auto state = co_await state_of(q, "waits");
    EXPECT_EQ(state, job_state::cancelled);
  });
}

TEST_P(machines_test, past_the_deadline_a_running_job_is_stopped) {
  serve(w_, [this](queue q) -> awaitable<void> {
    const machines where(q);
    const auto t = co_await error_of(where.with_deadline(200ms).run(stuck(1).id("long")));
    EXPECT_NE(t.as<timed_out>(), nullptr) << t.what;
    co_await until([&] { return stopped_ == 1; });
    EXPECT_EQ(started_, 1);
  });
}

TEST_P(machines_test, a_job_expires_at_the_deadline) {
  ask_and_vanish(machines(queue(url()), machines_options{1min}), stuck(1).id("orphan"));
  without_worker([](queue q) -> awaitable<void> {
    const auto job = q.find<int>("orphan");
    const auto info = co_await job.info();
    EXPECT_TRUE(info.expires_at && *info.expires_at - *info.enqueued_at <= 1min);
  });
}

TEST_P(machines_test, a_job_whose_caller_is_gone_does_not_start_past_the_deadline) {
  ask_and_vanish(machines(queue(url()), machines_options{100ms}), stuck(1).id("orphan"));
  serve(w_, [this](queue q) -> awaitable<void> {
    const auto state = co_await state_of(q, "orphan");
    // If a worker claimed it in time, it ran into its timeout instead.
    EXPECT_EQ(state, started_ == 0 ? job_state::expired : job_state::failed);
  });
}

TEST_P(machines_test, a_job_whose_caller_is_gone_is_stopped_at_the_deadline) {
  ask_and_vanish(machines(queue(url()), machines_options{1500ms}), stuck(1).id("orphan"));
  serve(w_, [this](queue q) -> awaitable<void> {
    co_await until([&] { return started_ == 1; });
    const auto state = co_await state_of(q, "orphan");
    EXPECT_EQ(state, job_state::failed);
    EXPECT_EQ(stopped_, 1);
    const auto job = q.find<int>("orphan");
    const auto t = co_await error_of(job.result());
    EXPECT_NE(t.as<timed_out>(), nullptr) << t.what;
  });
}

TEST_P(machines_test, the_shorter_of_deadline_and_own_limits_counts) {
  serve(w_, [](queue q) -> awaitable<void> {
    const machines where(q, machines_options{1h});
    const auto limited = co_await error_of(where.run(stuck(1).timeout(50ms)));
    EXPECT_NE(limited.as<timed_out>(), nullptr) << limited.what;
    EXPECT_EQ(limited.what, "stuck took longer than its timeout of 50 ms");
    const int one = co_await where.run(same(1).expires(1h).timeout(1h));
    EXPECT_EQ(one, 1);
  });
}

TEST_P(machines_test, cancelled_while_the_job_is_queued) {
  without_worker([](queue q) -> awaitable<void> {
    const machines where(q);
    const auto t = co_await error_of(with_timeout(where.run(same(1).id("queued")), 200ms));
    EXPECT_NE(t.as<timed_out>(), nullptr) << t.what;
    const auto state = co_await state_of(q, "queued");
    EXPECT_EQ(state, job_state::cancelled);
  });
}

TEST_P(machines_test, cancelled_while_the_job_runs) {
  serve(w_, [this](queue q) -> awaitable<void> {
    const machines where(q);
    const auto t = co_await cancelled_when(where.run(stuck(1).id("running")), [&] { return started_ == 1; });
    EXPECT_TRUE(is_aborted(t)) << t.what;
    const auto state = co_await state_of(q, "running");
    EXPECT_EQ(state, job_state::cancelled);
    EXPECT_EQ(stopped_, 1);
  });
}

TEST_P(machines_test, cancelled_while_the_job_is_being_sent) {
  serve(w_, [this](queue q) -> awaitable<void> {
    const machines where(q);
    const auto t = co_await cancelled_when(where.run(stuck(1).id("sent")), [] { return true; });
    EXPECT_TRUE(is_aborted(t)) << t.what;
    const auto state = co_await state_of(q, "sent");
    EXPECT_EQ(state, job_state::cancelled);
    co_await until([&] { return stopped_ == started_; });
  });
}

TEST_P(machines_test, the_callers_next_await_notices_its_cancellation) {
  serve(w_, [this](queue q) -> awaitable<void> {
    bool noticed = false;
    const auto stubborn = [&]() -> awaitable<void> {
      const machines where(q);
      const auto first = co_await error_of(where.run(stuck, 1));
      EXPECT_TRUE(is_aborted(first)) << first.what;
      try {
        co_await sleep_for(24h);
      } catch (const boost::system::system_error&) {
        noticed = true;
      }
    };
    co_await cancelled_when(stubborn(), [&] { return started_ == 1; });
    EXPECT_TRUE(noticed);
  });
}

TEST_P(machines_test, a_call_whose_id_is_taken_leaves_the_other_job_alone) {
  serve(w_, [this](queue q) -> awaitable<void> {
    const auto other = co_await q.enqueue(stuck(1).id("taken"));
    co_await until([&] { return started_ == 1; });
    const machines where(q);
    const auto t = co_await error_of(where.run(stuck(1).id("taken")));
    EXPECT_NE(t.as<duplicate_job>(), nullptr) << t.what;
    const auto sent = co_await cancelled_when(where.run(stuck(1).id("taken")), [] { return true; });
    EXPECT_NE(sent.error, nullptr);
    const auto state = co_await other.state();
    EXPECT_EQ(state, job_state::running);
    co_await other.cancel();
  });
}

TEST_P(machines_test, a_map_has_no_more_jobs_than_it_may) {
  int now = 0, max = 0;
  w_.handle(not_handled, [&](int n) -> awaitable<int> {
    max = std::max(max, ++now);
    co_await sleep_for(1ms);
    --now;
    co_return n;
  });
  serve(w_, [&](queue q) -> awaitable<void> {
    const machines where(q);
    std::vector<int> numbers;
    for (int i = 0; i < 1000; ++i) numbers.push_back(i);
    std::size_t reports = 0;
    const auto report = [&](const progress&) { ++reports; };
    const auto got = co_await where.map(not_handled, numbers, {.max_concurrency = 20}, report);
    EXPECT_EQ(got, numbers);
    EXPECT_EQ(reports, 1000u);
  });
  EXPECT_LE(max, 20);
  EXPECT_GT(max, 1);
}

TEST_P(machines_test, what_makes_no_sense_is_refused_with_a_reason) {
  without_worker([](queue q) -> awaitable<void> {
    EXPECT_THROW(machines(q, machines_options{0ms}), usage_error);
    EXPECT_THROW(machines(q).with_deadline(-1ms), usage_error);
    const machines where(q, machines_options{5s});
    const auto late = co_await error_of(where.run(same(1).delay(6s)));
    EXPECT_NE(late.as<usage_error>(), nullptr);
    EXPECT_EQ(late.what, "same: due in 6000 ms, and that is not within its deadline of 5000 ms");
    const auto bad = co_await error_of(where.run(same(1).priority(10)));
    EXPECT_EQ(bad.what, "same: option priority: expected 0 to 9, got 10");
  });
}

AT_EACH_BROKER(machines_test);

TEST(machines_without_a_broker, time_out_at_their_deadline) {
  const machines where(queue("redis://127.0.0.1:1/0"), machines_options{50ms});
  run_on_loop([&]() -> awaitable<void> {
    const auto t = co_await error_of(where.run(same, 1));
    EXPECT_NE(t.as<timed_out>(), nullptr) << t.what;
  });
}

}  // namespace
}  // namespace quarq::test::machines_tests
