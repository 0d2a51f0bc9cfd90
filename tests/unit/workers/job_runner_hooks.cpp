// The hooks around a job, as the job runner calls them.
#include <functional>

#include "unit/workers/job_runner_test.hpp"

namespace quarq::test::job_runner_hooks_tests {
namespace {

class runner_hooks_test : public job_runner_test {
 protected:
  void fail_in_handler(int attempts) {
    handle(
        [this](context&) -> awaitable<void> {
          seen_.emplace_back("handler");
          throw std::runtime_error("the handler's");
          co_return;
        },
        {.retry = retry_policy().attempts(attempts)});
  }
  worker::end_hook noting(std::string name) {
    return std::bind_front(&runner_hooks_test::note, this, std::move(name));
  }
  awaitable<void> note(std::string name, context& ctx, const job_end& end) {
    seen_.push_back(name + " " + ctx.id() + " " + std::string(to_string(end.state)));
    co_return;
  }
  static awaitable<void> throw_error(const char* what) {
    throw std::runtime_error(what);
    co_return;
  }

  strings seen_;
};

TEST_F(runner_hooks_test, run_around_the_handler) {
  setup_.before_job = [this](context& ctx) -> awaitable<void> {
    seen_.push_back("before " + ctx.id());
    co_return;
  };
  setup_.after_job = noting("after");
  setup_.after_commit = noting("committed");
  handle([this](context&) -> awaitable<void> {
    seen_.emplace_back("handler");
    co_return;
  });
  run("a");
  EXPECT_EQ(seen_, (strings{"before a", "handler", "after a succeeded", "committed a succeeded"}));
}

TEST_F(runner_hooks_test, one_that_throws_before_the_job_fails_that_attempt) {
  setup_.before_job = [](context&) { return throw_error("before"); };
  handle(
      [this](context&) -> awaitable<void> {
        seen_.emplace_back("handler");
        co_return;
      },
      {.retry = backoff::none()});
  run("a");
  EXPECT_EQ(seen_, strings{});
  EXPECT_EQ(job("a").state, job_state::failed);
  EXPECT_EQ(outcome("a").error, "before");
}

TEST_F(runner_hooks_test, one_that_throws_after_a_success_fails_that_attempt) {
  setup_.after_job = [](context&, const job_end&) { return throw_error("after"); };
  handle([](context&) -> awaitable<void> { co_return; }, {.retry = backoff::none()});
  run("a");
  EXPECT_EQ(job("a").state, job_state::failed);
  EXPECT_EQ(outcome("a").error, "after");
}

TEST_F(runner_hooks_test, after_a_failure_the_hooks_exception_does_not_hide_the_handlers) {
  setup_.after_job = [](context&, const job_end&) { return throw_error("after"); };
  fail_in_handler(1);
  run("a");
  EXPECT_EQ(outcome("a").error, "the handler's");
}

TEST_F(runner_hooks_test, after_each_attempt_one_is_told_what_becomes_of_the_job) {
  setup_.after_job = noting("after");
  fail_in_handler(2);
  run("a");
  auto second = job("a");
  second.attempts = 2;
  run(std::move(second));
  EXPECT_EQ(seen_, (strings{"handler", "after a deferred", "handler", "after a dead"}));
}

TEST_F(runner_hooks_test, after_commit_waits_until_the_end_is_recorded_and_keeps_the_slot) {
  setup_.after_commit = noting("committed");
  broker_.stall(operation::settle);
  run("a");
  EXPECT_EQ(seen_, strings{});
  EXPECT_EQ(slots_.room(), 9u);
  broker_.resume(operation::settle);
  loop_.run_ready();
  EXPECT_EQ(seen_, strings{"committed a succeeded"});
  EXPECT_EQ(slots_.room(), 10u);
}

TEST_F(runner_hooks_test, after_commit_is_not_called_for_a_job_that_was_no_longer_ours) {
  setup_.after_commit = noting("committed");
  broker_.refuse_settlements();
  run("a");
  EXPECT_EQ(seen_, strings{});
  EXPECT_TRUE(runner_.empty());
}

TEST_F(runner_hooks_test, after_commit_is_not_called_for_a_handler_that_did_not_stop) {
  setup_.after_commit = noting("committed");
  handle_stubbornly();
  run("a");
  runner_.cancel_requested(lease(), "a");
  pass(5s);
  end_work();
  EXPECT_EQ(seen_, strings{});
}

TEST_F(runner_hooks_test, what_after_commit_throws_changes_nothing) {
  setup_.after_commit = [](context&, const job_end&) { return throw_error("nobody hears"); };
  run("a");
  EXPECT_EQ(job("a").state, job_state::succeeded);
  EXPECT_TRUE(runner_.empty());
}

TEST_F(runner_hooks_test, a_job_that_is_not_run_has_no_hooks) {
  setup_.after_job = noting("after");
  setup_.after_commit = noting("committed");
  run(queued("a", "no record"));
  run("b", record_of("other"));
  EXPECT_EQ(seen_, strings{});
}

}  // namespace
}  // namespace quarq::test::job_runner_hooks_tests
