// Which job a worker's loop works for, as code below a handler sees it.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>

#include "integration/worker_test.hpp"
#include "model/current_job.hpp"

namespace quarq::test::worker_current_job_tests {
namespace {

constexpr task<std::string(int number)> outer{"outer", "number"};
constexpr task<std::string(int number)> inner{"inner", "number"};
constexpr task<std::string(int number)> on_thread{"on_thread", "number"};

std::string current() {
  const auto* const job = model::find_job(async::activity_scope::here());
  return job == nullptr ? "none" : job->ctx.task() + " " + job->ctx.id();
}

awaitable<std::string> current_later() {
  co_await sleep_for(1ms);
  co_return current();
}

using worker_current_job = worker_test;

TEST_P(worker_current_job, is_the_handlers_own_whatever_it_waits_for) {
  worker w(options());
  w.handle(inner, [](int) -> awaitable<std::string> { co_return current(); });
  w.handle(on_thread, [](int) { return current(); }, {.on = level::thread});
  const queue to(url());
  const auto handler = [&to](context& ctx, int number) -> awaitable<std::string> {
    const auto own = ctx.task() + " " + ctx.id();
    EXPECT_EQ(current(), own);
    const auto job = co_await to.enqueue(inner(number));
    EXPECT_EQ(current(), own);
    const auto theirs = co_await job.result(default_timeout);
    EXPECT_EQ(theirs, "inner " + job.id());
    EXPECT_EQ(current(), own);
    const auto [first, second] = co_await gather(current_later(), current_later());
    EXPECT_EQ(first, own);
    EXPECT_EQ(second, own);
    const auto thread = co_await to.enqueue(on_thread(number));
    const auto at_thread = co_await thread.result(default_timeout);
    EXPECT_EQ(at_thread, "none") << "a function on a thread has its context";
    EXPECT_EQ(current(), own);
    co_return own;
  };
  w.handle(outer, handler);
  serve(w, [&](queue q) -> awaitable<void> {
    std::vector<job<std::string>> jobs;
    for (int i = 0; i < 20; ++i) {
      const auto job = co_await q.enqueue(outer(i));
      jobs.push_back(job);
    }
    for (const auto& job : jobs) {
      const auto own = co_await job.result(default_timeout);
      EXPECT_EQ(own, "outer " + job.id());
      EXPECT_EQ(current(), "none");
    }
  });
}

TEST_P(worker_current_job, is_that_of_hooks_too) {
  worker w(options());
  strings seen;
  const auto note = [&seen](const context& ctx) -> awaitable<void> {
    const auto own = ctx.task() + " " + ctx.id();
    if (current() != own) seen.push_back(current());
    co_await sleep_for(1ms);
    if (current() != own) seen.push_back(current());
  };
  w.before_job([&](context& ctx) { return note(ctx); });
  w.after_job([&](context& ctx, const job_end&) { return note(ctx); });
  w.after_commit([&](context& ctx, const job_end&) { return note(ctx); });
  w.on_startup([&](context&) -> awaitable<void> {
    EXPECT_EQ(current(), "none");
    co_return;
  });
  w.handle(inner, [](int) -> awaitable<std::string> { co_return current(); });
  w.handle(on_thread, [](int) { return current(); }, {.on = level::thread});
  serve(w, [&](queue q) -> awaitable<void> {
    const auto one = co_await q.enqueue(inner(1));
    const auto other = co_await q.enqueue(on_thread(1));
    co_await one.result(default_timeout);
    co_await other.result(default_timeout);
  });
  EXPECT_EQ(seen, strings{});
}

// What a handler leaves behind on its loop is no longer the job's.
TEST_P(worker_current_job, is_none_in_what_a_job_left_behind) {
  worker w(options());
  latch ended;
  std::string seen;
  const auto afterwards = [](latch& until, std::string& into) -> awaitable<void> {
    co_await until.wait();
    into = current();
  };
  w.handle(inner, [&](int) -> awaitable<std::string> {
    const auto loop = co_await boost::asio::this_coro::executor;
    boost::asio::co_spawn(loop, afterwards(ended, seen), boost::asio::detached);
    co_return current();
  });
  serve(w, [&](queue q) -> awaitable<void> {
    const auto one = co_await q.enqueue(inner(1));
    co_await one.result(default_timeout);
    while (w.jobs_done() == 0) co_await sleep_for(1ms);
    ended.open();
    co_await until([&] { return !seen.empty(); });
  });
  EXPECT_EQ(seen, "none");
}

AT_EACH_BROKER(worker_current_job);

}  // namespace
}  // namespace quarq::test::worker_current_job_tests
