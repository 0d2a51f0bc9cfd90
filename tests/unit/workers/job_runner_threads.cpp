// Jobs that wait for a thread have not started.
#include <atomic>
#include <chrono>
#include <mutex>
#include <stop_token>
#include <thread>

#include "support/gate.hpp"
#include "unit/workers/job_runner_test.hpp"

namespace quarq::test::job_runner_threads_tests {
namespace {

using workers::job_runner;

/// One thread, whose functions run until the test lets them end.
class threads_test : public job_runner_test {
 protected:
  threads_test() {
    slots_.set_limit(level::loop, 0);
    slots_.set_limit(level::thread, 1);
    runner_.use_pools(&threads_, nullptr);
    handle_on_thread();
  }
  void TearDown() override {
    gate_.open();
    wait_until([&] { return runner_.empty(); });
    job_runner_test::TearDown();
  }

  void handle_on_thread(handler_options how = {}) {
    detail::handler h;
    h.on_thread = [this](context& ctx, std::string_view) {
      {
        const std::lock_guard lock(mutex_);
        called_.push_back(ctx.id());
        stop_ = ctx.stop_token();
      }
      gate_.pass();
      return to_msgpack(42);
    };
    h.options = std::move(how);
    setup_.handlers.insert_or_assign("work", std::move(h));
  }
  strings called() {
    const std::lock_guard lock(mutex_);
    return called_;
  }
  /// Of the job that was called last.
  bool stop_requested() {
    const std::lock_guard lock(mutex_);
    return stop_.stop_requested();
  }
  template <class F>
  void wait_until(F holds) {
    const auto end = std::chrono::steady_clock::now() + default_timeout;
    loop_.run_ready();
    while (!holds() && std::chrono::steady_clock::now() < end) {
      std::this_thread::sleep_for(1ms);
      loop_.run_ready();
    }
    ASSERT_TRUE(holds());
  }
  /// "a" runs on the thread, and "b" waits for it.
  void run_a_and_let_b_wait(broker::job_details b) {
    run("a");
    wait_until([&] { return called() == strings{"a"}; });
    run(std::move(b));
  }
  void run_a_and_let_b_wait() { run_a_and_let_b_wait(queued("b", model::encode(record_of()))); }
  void let_all_end() {
    gate_.open();
    wait_until([&] { return runner_.empty(); });
  }
  /// The job that runs ends, and the thread takes the next, before the loop hears of either.
  void let_one_end_unheard(const strings& called_then) {
    gate_.let_one_pass();
    const auto end = std::chrono::steady_clock::now() + default_timeout;
    while (called() != called_then && std::chrono::steady_clock::now() < end)
      std::this_thread::sleep_for(1ms);
    ASSERT_EQ(called(), called_then);
  }

  /// How many jobs may wait, once many have taken so long.
  std::size_t ahead_after(std::chrono::microseconds each) {
    for (int i = 0; i < 60; ++i) {
      const auto before = called().size();
      run("job");
      wait_until([&] { return called().size() > before; });
      clock_.advance_to(clock_.now() + each);
      gate_.let_one_pass();
      wait_until([&] { return runner_.empty(); });
    }
    return slots_.ahead(level::thread);
  }

  std::mutex mutex_;
  strings called_;
  std::stop_token stop_;
  gate gate_;
  thread_pool threads_{[] {
    thread_pool_options one;
    one.size = 1;
    return one;
  }()};
};

TEST_F(threads_test, a_job_that_waits_starts_when_the_thread_is_free) {
  run_a_and_let_b_wait();
  pass(100ms);
  EXPECT_EQ(called(), strings{"a"});
  let_all_end();
  EXPECT_EQ(called(), (strings{"a", "b"}));
  EXPECT_EQ(job("b").state, job_state::succeeded);
  EXPECT_EQ(outcome("b").started_ms - outcome("a").started_ms, 100);
}

TEST_F(threads_test, the_timeout_begins_with_the_start) {
  handle_on_thread({.timeout = 300ms, .retry = backoff::none()});
  run("a", [] {
    auto r = record_of();
    r.timeout = 1h;
    return r;
  }());
  wait_until([&] { return called() == strings{"a"}; });
  run("b");
  pass(400ms);
  EXPECT_EQ(job("b").state, job_state::running);
  let_all_end();
  EXPECT_EQ(job("b").state, job_state::succeeded);
}

TEST_F(threads_test, the_timeout_counts_from_when_the_thread_took_the_job) {
  handle_on_thread({.timeout = 300ms, .retry = backoff::none()});
  auto long_one = record_of();
  long_one.timeout = 1h;
  run("a", long_one);
  wait_until([&] { return called() == strings{"a"}; });
  run("b");
  pass(400ms);
  let_one_end_unheard({"a", "b"});
  clock_.advance_to(clock_.now() + 250ms);
  pass(49ms);
  EXPECT_FALSE(stop_requested());
  pass(1ms);
  EXPECT_TRUE(stop_requested());
  let_all_end();
  EXPECT_EQ(outcome("b").started_ms - outcome("a").started_ms, 400);
}

TEST_F(threads_test, jobs_start_in_the_order_in_which_they_came) {
  run_a_and_let_b_wait();
  for (const char* id : {"c", "d", "e"}) run(id);
  let_all_end();
  EXPECT_EQ(called(), (strings{"a", "b", "c", "d", "e"}));
}

TEST_F(threads_test, a_thread_takes_the_next_job_without_the_loop) {
  run_a_and_let_b_wait();
  run("c");
  let_one_end_unheard({"a", "b"});
  let_one_end_unheard({"a", "b", "c"});
  EXPECT_EQ(job("a").state, job_state::running);
  let_all_end();
  EXPECT_EQ(job("c").state, job_state::succeeded);
}

TEST_F(threads_test, one_that_has_just_begun_is_not_handed_back) {
  run_a_and_let_b_wait();
  let_one_end_unheard({"a", "b"});
  runner_.return_waiting();
  let_all_end();
  EXPECT_EQ(job("b").state, job_state::succeeded);
}

TEST_F(threads_test, one_that_has_just_begun_is_asked_to_stop_when_it_is_cancelled) {
  run_a_and_let_b_wait();
  let_one_end_unheard({"a", "b"});
  runner_.cancel_requested(lease(), "b");
  EXPECT_TRUE(stop_requested());
  let_all_end();
  EXPECT_EQ(called(), (strings{"a", "b"}));
}

TEST_F(threads_test, no_thread_begins_one_that_has_expired_though_the_loop_stands_still) {
  auto b = queued("b", model::encode(record_of()));
  b.expires_at = broker_.now() + 200ms;
  run_a_and_let_b_wait(std::move(b));
  clock_.advance_to(clock_.now() + 250ms);
  let_all_end();
  EXPECT_EQ(called(), strings{"a"});
  EXPECT_EQ(job("b").state, job_state::expired);
}

TEST_F(threads_test, no_thread_begins_one_after_the_lease_may_have_run_out) {
  lease().sure_until = clock_.now() + 200ms;
  run_a_and_let_b_wait();
  clock_.advance_to(clock_.now() + 250ms);
  let_all_end();
  EXPECT_EQ(called(), strings{"a"});
  EXPECT_EQ(job("b").state, job_state::queued);
}

TEST_F(threads_test, a_renewed_lease_lets_jobs_begin_later) {
  lease().sure_until = clock_.now() + 200ms;
  run_a_and_let_b_wait();
  lease().sure_until = clock_.now() + 1h;
  pass(250ms);
  let_all_end();
  EXPECT_EQ(called(), (strings{"a", "b"}));
}

TEST_F(threads_test, a_job_that_waits_has_not_begun_where_the_store_is_told) {
  setup_.options.max_losses = 1;
  const auto begun = [this] {
    strings ids;
    for (const auto& s : broker_.settled())
      if (s.kind == broker::settlement::what::begin) ids.push_back(s.id);
    return ids;
  };
  run_a_and_let_b_wait();
  pass(100ms);
  EXPECT_EQ(begun(), strings{"a"});
  let_all_end();
  EXPECT_EQ(begun(), (strings{"a", "b"}));
  EXPECT_EQ(called(), (strings{"a", "b"}));
}

TEST_F(threads_test, hooks_hear_of_jobs_on_threads) {
  strings heard;
  setup_.after_job = [&](context& ctx, const job_end&) -> awaitable<void> {
    heard.push_back("after " + std::string(ctx.id()));
    co_return;
  };
  run_a_and_let_b_wait();
  let_all_end();
  EXPECT_EQ(heard, (strings{"after a", "after b"}));
}

TEST_F(threads_test, a_hook_before_a_job_comes_when_there_is_a_thread) {
  strings heard;
  setup_.before_job = [&](context& ctx) -> awaitable<void> {
    heard.push_back(std::string(ctx.id()));
    co_return;
  };
  run_a_and_let_b_wait();
  EXPECT_EQ(heard, strings{"a"});
  let_all_end();
  EXPECT_EQ(heard, (strings{"a", "b"}));
  EXPECT_EQ(called(), (strings{"a", "b"}));
}

TEST_F(threads_test, one_that_is_cancelled_while_it_waits_ends_at_once_and_is_never_called) {
  run_a_and_let_b_wait();
  runner_.cancel_requested(lease(), "b");
  loop_.run_ready();
  EXPECT_EQ(job("b").state, job_state::cancelled);
  EXPECT_EQ(outcome("b").error, "work was cancelled before it ran");
  let_all_end();
  EXPECT_EQ(called(), strings{"a"});
}

TEST_F(threads_test, one_that_expires_while_it_waits_ends_at_once_and_is_never_called) {
  auto b = queued("b", model::encode(record_of()));
  b.expires_at = broker_.now() + 200ms;
  run_a_and_let_b_wait(std::move(b));
  pass(250ms);
  EXPECT_EQ(job("b").state, job_state::expired);
  EXPECT_EQ(outcome("b").error, "work expired: no worker started it in time");
  let_all_end();
  EXPECT_EQ(called(), strings{"a"});
}

TEST_F(threads_test, one_whose_lease_is_lost_while_it_waits_is_never_called) {
  run_a_and_let_b_wait();
  runner_.lease_lost(lease());
  lease().lease.token = "another";
  loop_.run_ready();
  let_all_end();
  EXPECT_EQ(called(), strings{"a"});
}

TEST_F(threads_test, one_that_waits_in_vain_is_handed_back_uncounted) {
  run_a_and_let_b_wait();
  pass(job_runner::turn_timeout - 1ms);
  EXPECT_EQ(job("b").state, job_state::running);
  pass(1ms);
  EXPECT_EQ(job("b").state, job_state::queued);
  EXPECT_EQ(job("b").attempts, 0);
  let_all_end();
  EXPECT_EQ(called(), strings{"a"});
}

TEST_F(threads_test, those_that_wait_are_handed_back_when_the_worker_is_to_end) {
  run_a_and_let_b_wait();
  runner_.return_waiting();
  loop_.run_ready();
  EXPECT_EQ(job("b").state, job_state::queued);
  EXPECT_EQ(job("a").state, job_state::running);
}

TEST_F(threads_test, jobs_are_claimed_ahead_only_while_they_are_quick) {
  EXPECT_EQ(slots_.room(), 1u) << "nothing is known of them yet";
  gate_.open();
  for (const char* id : {"a", "b", "c", "d", "e", "f"}) {
    run(id);
    wait_until([&] { return runner_.empty(); });
  }
  EXPECT_GT(slots_.room(), 1u);
}

TEST_F(threads_test, as_many_jobs_are_claimed_ahead_as_end_within_a_moment) {
  EXPECT_EQ(ahead_after(10ms), 0u);
  EXPECT_EQ(ahead_after(4ms), 1u);
  EXPECT_EQ(ahead_after(900us), 5u);
  EXPECT_EQ(ahead_after(0us), 256u);
}

}  // namespace
}  // namespace quarq::test::job_runner_threads_tests
