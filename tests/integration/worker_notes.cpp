// ctx.log() and ctx.progress(): what operators see of a job, while it runs and afterwards.
#include <atomic>
#include <filesystem>
#include <fstream>

#include <quarq/process_handler.hpp>
#include <quarq/process_pool.hpp>

#include "integration/worker_test.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace quarq::test::worker_notes_tests {
namespace {

constexpr task<int(int)> talk{"talk", "n"};
constexpr task<void(int)> mutter{"mutter", "n"};

strings texts_of(const job_info& job) {
  strings all;
  for (const auto& line : job.log) all.push_back(line.text);
  return all;
}

class worker_notes : public worker_test {
 protected:
  /// What is known of a job of this call when it has ended.
  template <class R>
  job_info info_after(worker& w, call<R> c) {
    std::optional<job_info> found;
    serve(w, [&](queue q) -> awaitable<void> {
      auto sent = q.enqueue(std::move(c));
      const auto job = co_await std::move(sent);
      co_await error_of(job.result(default_timeout));
      auto known = co_await job.info();
      found = std::move(known);
    });
    return *found;
  }
  template <class R, class F>
  static awaitable<job_info> info_when(job<R> one, F holds) {
    const auto deadline = std::chrono::steady_clock::now() + default_timeout;
    auto known = co_await one.info();
    while (!holds(known)) {
      if (std::chrono::steady_clock::now() > deadline)
        throw std::runtime_error("waited in vain for a job's notes");
      co_await sleep_for(5ms);
      known = co_await one.info();
    }
    co_return known;
  }
};

TEST_P(worker_notes, show_a_job_while_it_runs_and_when_it_has_ended) {
  latch seen;
  worker w(options());
  w.handle(talk, [&](context& ctx, int n) -> awaitable<int> {
    ctx.log("begins\nin two lines\n");
    ctx.progress(1, 4);
    co_await seen.wait();
    ctx.log("ends");
    ctx.progress(4, 4);
    co_return n;
  });
  strings expected{"begins", "in two lines"};
  serve(w, [&](queue q) -> awaitable<void> {
    const auto job = co_await q.enqueue(talk(7));
    const auto has_spoken = [](const job_info& known) { return known.log.size() == 2 && known.progress; };
    const auto running = co_await info_when(job, has_spoken);
    EXPECT_EQ(running.state, job_state::running);
    EXPECT_EQ(texts_of(running), expected);
    EXPECT_EQ(running.progress->done, 1u);
    EXPECT_EQ(running.progress->total, 4u);
    EXPECT_EQ(running.log[0].attempt, 1);
    EXPECT_GE(running.log[0].at, *running.enqueued_at);
    seen.open();
    const int result = co_await job.result(default_timeout);
    EXPECT_EQ(result, 7);
    const auto over = co_await job.info();
    expected.push_back("ends");
    EXPECT_EQ(texts_of(over), expected);
    EXPECT_EQ(over.progress->done, 4u);
    EXPECT_EQ(over.log_lines_cut, 0u);
  });
}

TEST_P(worker_notes, of_all_attempts_are_kept) {
  worker w(options());
  w.handle(talk,
           [](context& ctx, int n) -> awaitable<int> {
             // The second attempt says nothing.
             if (ctx.attempt() != 2) ctx.log("attempt " + std::to_string(ctx.attempt()));
             if (ctx.attempt() < 3) throw std::runtime_error("not yet");
             co_return n;
           },
           {.retry = backoff::constant(1ms).attempts(3)});
  const auto known = info_after(w, talk(1));
  EXPECT_EQ(known.state, job_state::succeeded);
  EXPECT_EQ(texts_of(known), (strings{"attempt 1", "attempt 3"}));
  ASSERT_EQ(known.log.size(), 2u);
  EXPECT_EQ(known.log[0].attempt, 1);
  EXPECT_EQ(known.log[1].attempt, 3);
  EXPECT_LE(known.log[0].at, known.log[1].at);
}

TEST_P(worker_notes, of_an_attempt_that_failed_are_there_while_the_next_one_runs) {
  latch seen;
  worker w(options());
  w.handle(talk,
           [&](context& ctx, int n) -> awaitable<int> {
             ctx.log("attempt " + std::to_string(ctx.attempt()));
             if (ctx.attempt() == 1) throw std::runtime_error("not yet");
             co_await seen.wait();
             co_return n;
           },
           {.retry = backoff::constant(1ms).attempts(2)});
  const strings expected{"attempt 1", "attempt 2"};
  serve(w, [&](queue q) -> awaitable<void> {
    const auto job = co_await q.enqueue(talk(1));
    const auto both = [](const job_info& known) { return known.log.size() == 2; };
    const auto running = co_await info_when(job, both);
    EXPECT_EQ(running.state, job_state::running);
    EXPECT_EQ(texts_of(running), expected);
    seen.open();
    co_await job.result(default_timeout);
  });
}

TEST_P(worker_notes, come_from_threads_too) {
  worker w(options());
  w.handle(talk, [](context& ctx, int n) {
    for (int i = 1; i <= n; ++i) {
      ctx.log("part " + std::to_string(i));
      ctx.progress(static_cast<std::uint64_t>(i), 0);
    }
    return n;
  });
  const auto known = info_after(w, talk(3));
  EXPECT_EQ(texts_of(known), (strings{"part 1", "part 2", "part 3"}));
  ASSERT_TRUE(known.progress);
  EXPECT_EQ(known.progress->done, 3u);
  EXPECT_EQ(known.progress->total, 0u);
}

TEST_P(worker_notes, are_bounded_and_say_what_is_left_out) {
  worker w(options());
  w.handle(talk, [](context& ctx, int n) {
    for (int i = 0; i < n; ++i) ctx.log(std::to_string(i));
    return n;
  });
  const auto known = info_after(w, talk(100'000));
  ASSERT_EQ(known.log.size(), 100u);
  EXPECT_EQ(known.log.back().text, "99999");
  EXPECT_EQ(known.log_lines_cut, 99'900u);
}

TEST_P(worker_notes, keep_the_end_of_a_task_that_returns_nothing) {
  worker w(options());
  w.handle(mutter, [](context& ctx, int n) {
    if (n > 0) ctx.log("done");
  });
  const auto known = info_after(w, mutter(1));
  EXPECT_EQ(known.state, job_state::succeeded);
  EXPECT_EQ(texts_of(known), strings(1, "done"));
  EXPECT_EQ(known.task, "mutter");
}

TEST_P(worker_notes, of_a_job_that_dies_are_kept_with_it) {
  worker w(options());
  w.handle(mutter, [](context& ctx, int) {
    ctx.log("it was \xff");
    throw permanent_failure("no");
  });
  const auto known = info_after(w, mutter(1));
  EXPECT_EQ(texts_of(known), strings(1, "it was \xff"));
}

TEST_P(worker_notes, of_jobs_that_run_together_are_not_mixed) {
  worker w(options());
  w.handle(talk, [](context& ctx, int n) -> awaitable<int> {
    ctx.log("job " + std::to_string(n));
    co_await sleep_for(1ms);
    ctx.log("job " + std::to_string(n));
    co_return n;
  });
  serve(w, [](queue q) -> awaitable<void> {
    std::vector<call<int>> calls;
    for (int i = 0; i < 40; ++i) calls.push_back(talk(i));
    const auto jobs = co_await q.enqueue(std::move(calls));
    for (const auto& one : jobs) {
      const int n = co_await one->result(default_timeout);
      const auto known = co_await one->info();
      EXPECT_EQ(texts_of(known), strings(2, "job " + std::to_string(n)));
    }
  });
}

constexpr task<int(std::string)> talk_apart{"talk_apart", "file"};

int talk_until_there_is(context& ctx, std::string file) {
  ctx.log("begins apart");
  ctx.progress(1, 2);
  if (!eventually([&] { return std::filesystem::exists(file); }, default_timeout)) return 1;
  ctx.log("ends apart");
  return 0;
}

TEST_P(worker_notes, come_from_processes_too_while_the_job_runs) {
  const temp_dir dir;
  worker w(options());
  w.handle(talk_apart, &talk_until_there_is, {.on = level::process});
  const strings expected{"begins apart", "ends apart"};
  serve(w, [&](queue q) -> awaitable<void> {
    const auto job = co_await q.enqueue(talk_apart(dir / "go_on"));
    const auto has_spoken = [](const job_info& known) { return known.log.size() == 1 && known.progress; };
    const auto running = co_await info_when(job, has_spoken);
    EXPECT_EQ(running.state, job_state::running);
    EXPECT_EQ(running.log[0].attempt, 1);
    EXPECT_EQ(running.progress->total, 2u);
    std::ofstream(dir / "go_on").flush();
    const int result = co_await job.result(default_timeout);
    EXPECT_EQ(result, 0);
    const auto over = co_await job.info();
    EXPECT_EQ(texts_of(over), expected);
  });
}

int say_apart(context& ctx, int n) {
  ctx.log("part " + std::to_string(n));
  return n;
}

TEST_P(worker_notes, come_from_functions_that_a_handler_runs_in_processes) {
  const process_pool apart({.size = 1});
  worker w(options());
  w.handle(talk, [&apart](int n) -> awaitable<int> {
    co_await apart.run(&say_apart, n);
    const int last = co_await apart.run(&say_apart, n + 1);
    co_return last;
  });
  const auto known = info_after(w, talk(1));
  EXPECT_EQ(texts_of(known), (strings{"part 1", "part 2"}));
}

AT_EACH_BROKER(worker_notes);

}  // namespace
}  // namespace quarq::test::worker_notes_tests
