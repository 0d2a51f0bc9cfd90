// Jobs that wait for a thread have not started.
#include <atomic>
#include <chrono>
#include <mutex>
#include <stdexcept>
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

  std::mutex mutex_;
  strings called_;
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

TEST_F(threads_test, what_has_waited_has_its_whole_timeout) {
  gate end_of_b;
  detail::handler h;
  h.on_thread = [&](context& ctx, std::string_view) -> std::string {
    if (ctx.id() == "a") gate_.pass();
    if (ctx.id() != "b") return to_msgpack(42);
    end_of_b.pass();
    throw std::runtime_error(ctx.stop_token().stop_requested() ? "asked to stop" : "not asked");
  };
  h.options = {.timeout = 300ms, .retry = backoff::none()};
  setup_.handlers.insert_or_assign("work", std::move(h));
  auto patient = record_of();
  patient.timeout = 1h;
  run("a", patient);
  gate_.wait_until_reached();
  run("b");
  pass(200ms);
  gate_.open();
  wait_until([&] { return job("a").state == job_state::succeeded; });
  end_of_b.wait_until_reached();
  pass(250ms);
  end_of_b.open();
  wait_until([&] { return runner_.empty(); });
  EXPECT_EQ(outcome("b").error, "not asked");
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

TEST_F(threads_test, those_that_are_handed_back_leave_their_places_among_the_jobs_to_be_started) {
  slots_ = workers::slot_table(10, 2);
  slots_.set_limit(level::thread, 1);
  run_a_and_let_b_wait();
  EXPECT_TRUE(slots_.is_spent());
  runner_.return_waiting();
  loop_.run_ready();
  EXPECT_FALSE(slots_.is_spent()) << "one of the two has not started";
}

TEST_F(threads_test, jobs_are_claimed_ahead_only_while_they_are_quick) {
  EXPECT_EQ(slots_.room(), 1u) << "nothing is known of them yet";
  gate_.open();
  for (const char* id : {"a", "b", "c", "d", "e", "f"}) {
    run(id);
    wait_until([&] { return runner_.empty(); });
  }
  EXPECT_EQ(slots_.room(), 2u);
}

}  // namespace
}  // namespace quarq::test::job_runner_threads_tests
