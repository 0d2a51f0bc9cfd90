// Where handlers run: on the worker's loop, on its threads, in processes of their own.
#include <csignal>
#include <stdexcept>
#include <thread>

#include <unistd.h>

#include "base/sanitizers.hpp"
#include "integration/worker_test.hpp"

namespace quarq::test::worker_levels_tests {
namespace {

constexpr task<std::string(int number)> where{"where", "number"};
constexpr task<void(int number)> quiet{"quiet", "number"};

// Functions that a process can run: they need nothing but their arguments.

std::string place() {
  const bool is_here = std::getenv("QUARQ_TEST_PARENT") == std::to_string(::getpid());
  return std::string(is_here ? "worker" : "child") + ", thread " + std::to_string(::gettid() == ::getpid());
}
std::string plain(int) {
  return place();
}
awaitable<std::string> coroutine(int) {
  co_await sleep_for(1ms);
  co_return place();
}
std::string facts(context& ctx, int number) {
  return ctx.id() + " " + ctx.task() + " " + ctx.queue_name() + " " + std::to_string(ctx.attempt()) + " " +
         std::to_string(number);
}
struct disk_full : std::runtime_error {
  using std::runtime_error::runtime_error;
};
std::string fails(int) {
  throw disk_full("no space on device");
}
std::string gives_up(int) {
  throw permanent_failure("there is no such page");
}
std::string crashes_at_first(context& ctx, int number) {
  if (ctx.attempt() == 1) std::raise(SIGSEGV);
  return "try " + std::to_string(ctx.attempt()) + " of " + std::to_string(number);
}
std::string crashes(int) {
  std::raise(SIGKILL);
  return "never";
}
std::string never_ends(int) {
  while (true) std::this_thread::sleep_for(1h);
}
std::string takes_memory(int number) {
  const std::string much(static_cast<std::size_t>(number) << 20, 'x');
  return much.substr(much.size() / 2, 1);
}
std::string wants_state(context& ctx, int) {
  return ctx.state<std::string>();
}

class worker_levels : public worker_test {
 protected:
  worker_levels() { ::setenv("QUARQ_TEST_PARENT", std::to_string(::getpid()).c_str(), 1); }

  std::string result_of(worker& w, call<std::string> c) {
    std::string result;
    serve(w, [&](queue q) -> awaitable<void> {
      const auto job = co_await q.enqueue(std::move(c));
      result = co_await job.result(default_timeout);
    });
    return result;
  }
};

TEST_P(worker_levels, a_handler_runs_where_its_options_say) {
  const auto with = [this](auto f, handler_options how) {
    worker w(options());
    w.handle(where, f, how);
    return result_of(w, where(1));
  };
  EXPECT_EQ(with(coroutine, {}), "worker, thread 1");
  EXPECT_EQ(with(plain, {}), "worker, thread 0");
  EXPECT_EQ(with(coroutine, {.on = level::loop}), "worker, thread 1");
  EXPECT_EQ(with(plain, {.on = level::loop}), "worker, thread 1");
  EXPECT_EQ(with(coroutine, {.on = level::thread}), "worker, thread 0");
  EXPECT_EQ(with(plain, {.on = level::thread}), "worker, thread 0");
  EXPECT_EQ(with(coroutine, {.on = level::process}), "child, thread 1");
  EXPECT_EQ(with(plain, {.on = level::process}), "child, thread 1");
  EXPECT_EQ(with([](int) { return place(); }, {.on = level::process}), "child, thread 1");
}

TEST_P(worker_levels, a_coroutine_on_a_thread_is_cancelled_at_its_timeout) {
  worker w(options());
  w.handle(where,
           [](int) -> awaitable<std::string> {
             co_await sleep_for(1h);
             co_return "never";
           },
           {.on = level::thread, .timeout = 20ms, .retry = backoff::none()});
  const auto t = error_of_job(w, where(1));
  EXPECT_NE(t.as<timed_out>(), nullptr) << t.what;
}

TEST_P(worker_levels, a_handler_in_a_process_knows_its_job_and_has_no_state) {
  {
    worker w(options());
    w.handle(where, facts, {.on = level::process});
    EXPECT_EQ(result_of(w, where(7).id("seven")), "seven where default 1 7");
  }
  worker w(options());
  w.on_startup([](context& ctx) -> awaitable<void> {
    ctx.emplace<std::string>("of the worker");
    co_return;
  });
  w.handle(where, wants_state, {.on = level::process, .retry = backoff::none()});
  const auto t = error_of_job(w, where(1));
  EXPECT_NE(t.what.find("std::__cxx11::basic_string"), std::string::npos) << t.what;
}

TEST_P(worker_levels, what_a_handler_in_a_process_throws_is_as_elsewhere) {
  {
    worker w(options());
    w.handle(where, fails, {.on = level::process, .retry = backoff::none()});
    const auto t = error_of_job(w, where(1));
    const auto* failed = t.as<job_failed>();
    ASSERT_NE(failed, nullptr) << t.what;
    EXPECT_STREQ(failed->what(), "no space on device");
    EXPECT_NE(failed->type().find("disk_full"), std::string::npos) << failed->type();
  }
  worker w(options());
  w.handle(where, gives_up, {.on = level::process});
  const auto t = error_of_job(w, where(1));
  EXPECT_EQ(t.as<retries_exhausted>(), nullptr) << "a permanent failure is not tried again";
  EXPECT_STREQ(t.what.c_str(), "there is no such page");
}

TEST_P(worker_levels, a_crash_costs_one_try_of_one_job) {
  worker w(options());
  w.handle(where, crashes_at_first, {.on = level::process, .retry = backoff::constant(1ms)});
  std::vector<int> runs;
  w.handle(quiet, [&](context& ctx, int) -> awaitable<void> {
    runs.push_back(ctx.attempt());
    co_await sleep_for(300ms);
  });
  serve(w, [&](queue q) -> awaitable<void> {
    const auto neighbour = co_await q.enqueue(quiet(1));
    std::vector<call<std::string>> calls;
    for (int i = 0; i < 10; ++i) calls.push_back(where(i));
    const auto jobs = co_await q.enqueue(std::move(calls));
    for (int i = 0; i < 10; ++i) {
      const auto result = co_await jobs[static_cast<std::size_t>(i)]->result(default_timeout);
      EXPECT_EQ(result, "try 2 of " + std::to_string(i));
    }
    co_await neighbour.result(default_timeout);
  });
  EXPECT_EQ(runs, std::vector<int>{1}) << "the job beside them was disturbed";
}

TEST_P(worker_levels, a_job_that_always_crashes_is_dead_with_the_signal) {
  worker w(options());
  w.handle(where, crashes, {.on = level::process, .retry = backoff::constant(1ms).attempts(3)});
  const auto t = error_of_job(w, where(1));
  EXPECT_NE(t.as<worker_lost>(), nullptr) << t.what;
  EXPECT_NE(t.what.find("SIGKILL"), std::string::npos) << t.what;
}

TEST_P(worker_levels, a_process_that_hears_nothing_is_killed_at_its_timeout) {
  worker w(options());
  w.handle(where, never_ends, {.on = level::process, .timeout = 50ms, .retry = backoff::none()});
  const auto t = error_of_job(w, where(1));
  EXPECT_NE(t.as<timed_out>(), nullptr) << t.what;
}

TEST_P(worker_levels, a_process_that_hears_nothing_is_killed_when_its_job_is_cancelled) {
  worker w(options());
  w.handle(where, never_ends, {.on = level::process});
  serve(w, [&](queue q) -> awaitable<void> {
    const auto job = co_await q.enqueue(where(1));
    co_await until_in(job, job_state::running);
    const auto outcome = co_await job.cancel();
    EXPECT_EQ(outcome, cancel_outcome::requested);
    const auto t = co_await error_of(job.result(default_timeout));
    EXPECT_NE(t.as<cancelled>(), nullptr) << t.what;
  });
}

TEST_P(worker_levels, a_worker_that_stops_takes_its_processes_along_and_hands_their_jobs_back) {
  if (url() == "sqlite::memory:") GTEST_SKIP() << "what is in memory ends with the worker";
  auto o = options();
  o.shutdown_timeout = 10ms;
  std::string id;
  {
    worker w(o);
    w.handle(where, never_ends, {.on = level::process});
    serve(w, [&](queue q) -> awaitable<void> {
      const auto job = co_await q.enqueue(where(1));
      id = job.id();
      co_await until_in(job, job_state::running);
    });
  }
  worker next(options());
  next.handle(where, [](context& ctx, int) { return "try " + std::to_string(ctx.attempt()); });
  serve(next, [&](queue q) -> awaitable<void> {
    const auto result = co_await q.find<std::string>(id).result(default_timeout);
    EXPECT_EQ(result, "try 1") << "a shutdown is not a try";
  });
}

TEST_P(worker_levels, a_memory_limit_is_kept) {
  if (base::sanitized) GTEST_SKIP() << "sanitizers have memory of their own, which no limit can be set for";
  worker w(options());
  w.handle(where, takes_memory, {.on = level::process, .memory_limit = 64_MiB, .retry = backoff::none()});
  serve(w, [&](queue q) -> awaitable<void> {
    const auto large = co_await q.enqueue(where(200));
    const auto t = co_await error_of(large.result(default_timeout));
    EXPECT_NE(t.what.find("64 MiB"), std::string::npos) << t.what;
    const auto small = co_await q.enqueue(where(10));
    const auto result = co_await small.result(default_timeout);
    EXPECT_EQ(result, "x");
  });
}

AT_EACH_BROKER(worker_levels);

TEST(worker_handle, says_when_its_options_do_not_go_together) {
  const auto message = [](auto f, handler_options how) {
    worker w;
    w.handle(where, f, how);
    try {
      run_on_loop(w.run());
    } catch (const usage_error& e) {
      return std::string(e.what());
    }
    return std::string("nothing was thrown");
  };
  EXPECT_EQ(message(plain, {.memory_limit = 64_MiB}),
            "task \"where\": option memory_limit: it limits a process of its own, which needs on = "
            "level::process");
  const std::string captured = "x";
  EXPECT_NE(message([captured](int) { return captured; }, {.on = level::process}).find("without captures"),
            std::string::npos);
}

}  // namespace
}  // namespace quarq::test::worker_levels_tests
