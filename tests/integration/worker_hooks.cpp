// What runs around jobs, and what jobs share.
#include <algorithm>

#include "integration/worker_test.hpp"

namespace quarq::test::worker_hooks_tests {
namespace {

constexpr task<int(int)> twice{"twice"};
constexpr task<int(std::string, int)> repeat{"repeat", "word", "times"};

int do_twice(int n) {
  return 2 * n;
}

struct counter {
  int value = 0;
};

class worker_hooks : public worker_test {};

TEST_P(worker_hooks, run_in_order_around_each_job) {
  strings seen;
  worker w(options());
  w.handle(twice, [&](context& ctx, int n) -> awaitable<int> {
    seen.push_back("handler " + ctx.task());
    co_return 2 * n;
  });
  w.on_startup([&](context& ctx) -> awaitable<void> {
    seen.push_back("startup " + ctx.id());
    co_return;
  });
  w.on_shutdown([&](context&) -> awaitable<void> {
    seen.emplace_back("shutdown");
    co_return;
  });
  w.before_job([&](context& ctx) -> awaitable<void> {
    seen.push_back("before " + ctx.id());
    co_return;
  });
  w.after_job([&](context& ctx, const job_end& end) -> awaitable<void> {
    seen.push_back("after " + ctx.id() + " " + std::string(to_string(end.state)));
    co_return;
  });
  serve(w, [&](queue q) -> awaitable<void> {
    const auto job = co_await q.enqueue(twice(1).id("one"));
    co_await job.result(default_timeout);
  });
  EXPECT_EQ(seen, (strings{"startup ", "before one", "handler twice", "after one succeeded", "shutdown"}));
}

TEST_P(worker_hooks, what_was_made_before_the_start_is_state_of_the_worker) {
  std::string lent = "lent";
  worker w(options());
  w.emplace<counter>();
  w.emplace<counter>().value = 40;  // in place of the first
  w.provide(lent);
  w.on_startup([](context& ctx) -> awaitable<void> {
    ctx.state<counter>().value += 2;
    co_return;
  });
  w.handle(twice, [](context& ctx, int) { return ctx.state<counter>().value; });
  w.handle(repeat, [](context& ctx, std::string, int) {
    ctx.state<std::string>() += ", and changed";
    return 0;
  });
  serve(w, [&](queue q) -> awaitable<void> {
    const auto first = co_await q.enqueue(twice(1));
    const int value = co_await first.result(default_timeout);
    EXPECT_EQ(value, 42);
    const auto second = co_await q.enqueue(repeat("x", 1));
    co_await second.result(default_timeout);
  });
  EXPECT_EQ(lent, "lent, and changed");
}

TEST_P(worker_hooks, the_workers_state_is_shared_and_a_jobs_own_is_not) {
  worker w(options());
  w.on_startup([](context& ctx) -> awaitable<void> {
    ctx.emplace<counter>().value = 100;
    co_return;
  });
  w.before_job([](context& ctx) -> awaitable<void> {
    ctx.emplace<std::string>("of " + ctx.id());
    co_return;
  });
  strings own;
  w.handle(twice, [&](context& ctx, int n) -> awaitable<int> {
    own.push_back(ctx.state<std::string>());
    const int before = ctx.state<counter>().value;
    ctx.state<counter>().value += n;
    co_return before;
  });
  serve(w, [&](queue q) -> awaitable<void> {
    const auto first = co_await q.enqueue(twice(5).id("first"));
    const int a = co_await first.result(default_timeout);
    const auto second = co_await q.enqueue(twice(5).id("second"));
    const int b = co_await second.result(default_timeout);
    EXPECT_EQ(a, 100);
    EXPECT_EQ(b, 105);
  });
  EXPECT_EQ(own, (strings{"of first", "of second"}));
}

TEST_P(worker_hooks, state_that_is_not_there_is_named) {
  worker w(options());
  w.handle(twice, [](context& ctx, int) { return ctx.state<counter>().value; });
  serve(w, [&](queue q) -> awaitable<void> {
    const auto job = co_await q.enqueue(twice(1).attempts(1));
    const auto error = co_await error_of(job.result(default_timeout));
    EXPECT_NE(error.what.find("counter"), std::string::npos) << error.what;
  });
}

TEST_P(worker_hooks, know_the_arguments_of_any_task) {
  strings seen;
  const auto look = [&](context& ctx) {
    std::string text = ctx.task() + " " + ctx.arguments_json();
    if (ctx.task() == repeat.name()) {
      const auto [word, times] = ctx.arguments(repeat);
      text += " is " + std::to_string(times) + " times " + word;
    }
    seen.push_back(text);
  };
  worker w(options());
  w.handle(twice, do_twice);
  w.handle(repeat, [](const std::string& word, int times) { return static_cast<int>(word.size()) * times; });
  w.before_job([&](context& ctx) -> awaitable<void> {
    look(ctx);
    co_return;
  });
  w.after_job([&](context& ctx, const job_end&) -> awaitable<void> {
    look(ctx);
    co_return;
  });
  w.on_startup([&](context& ctx) -> awaitable<void> {
    EXPECT_EQ(ctx.arguments_json(), "");
    EXPECT_THROW(ctx.arguments(twice), usage_error);
    co_return;
  });
  serve(w, [&](queue q) -> awaitable<void> {
    const auto first = co_await q.enqueue(twice(5));
    co_await first.result(default_timeout);
    const auto second = co_await q.enqueue(repeat("ha", 3));
    const int six = co_await second.result(default_timeout);
    EXPECT_EQ(six, 6);
  });
  EXPECT_EQ(seen, (strings{"twice [5]", "twice [5]", "repeat [\"ha\", 3] is 3 times ha",
                           "repeat [\"ha\", 3] is 3 times ha"}));
}

TEST_P(worker_hooks, arguments_asked_for_as_anothers_are_refused) {
  worker w(options());
  w.handle(twice, do_twice);
  w.before_job([](context& ctx) -> awaitable<void> {
    ctx.arguments(repeat);
    co_return;
  });
  serve(w, [&](queue q) -> awaitable<void> {
    const auto job = co_await q.enqueue(twice(1).attempts(1));
    const auto error = co_await error_of(job.result(default_timeout));
    EXPECT_EQ(error.what, "context::arguments: asked for those of repeat, but the job is one of twice");
  });
}

TEST_P(worker_hooks, arguments_that_do_not_fit_end_a_job_at_once) {
  constexpr task<int(std::string)> twice_of_text{"twice"};
  worker w(options());
  w.handle(twice, do_twice);
  w.before_job([](context& ctx) -> awaitable<void> {
    ctx.arguments(twice);
    co_return;
  });
  serve(w, [&](queue q) -> awaitable<void> {
    const auto job = co_await q.enqueue(twice_of_text("two"));
    const auto error = co_await error_of(job.result(default_timeout));
    EXPECT_EQ(error.what, "twice: argument 1: expected integer, got string");
    EXPECT_TRUE(error.as<retries_exhausted>() && error.as<retries_exhausted>()->attempts() == 1);
  });
}

int count_in_process(context& ctx, const std::string&, int) {
  const auto [word, times] = ctx.arguments(repeat);
  return static_cast<int>(ctx.arguments_json().size() + word.size()) + times;
}

TEST_P(worker_hooks, a_handler_in_a_process_knows_its_arguments) {
  worker w(options());
  w.handle(repeat, count_in_process, {.on = level::process});
  serve(w, [&](queue q) -> awaitable<void> {
    const auto job = co_await q.enqueue(repeat(std::string(200'000, 'x'), 3));
    const int count = co_await job.result(default_timeout);
    EXPECT_EQ(count, 200'007 + 200'000 + 3);
  });
}

TEST_P(worker_hooks, an_exception_before_a_job_fails_that_job_alone) {
  worker w(options());
  w.handle(twice, do_twice);
  w.before_job([](context& ctx) -> awaitable<void> {
    if (ctx.id() == "bad") throw std::runtime_error("no room");
    co_return;
  });
  serve(w, [&](queue q) -> awaitable<void> {
    const auto bad = co_await q.enqueue(twice(1).id("bad").attempts(1));
    const auto good = co_await q.enqueue(twice(2));
    const auto error = co_await error_of(bad.result(default_timeout));
    EXPECT_EQ(error.what, "no room");
    const int four = co_await good.result(default_timeout);
    EXPECT_EQ(four, 4);
  });
}

TEST_P(worker_hooks, an_exception_after_a_job_fails_that_job_alone) {
  worker w(options());
  w.handle(twice, do_twice);
  w.after_job([](context& ctx, const job_end&) -> awaitable<void> {
    if (ctx.id() == "bad") throw std::runtime_error("could not note it");
    co_return;
  });
  serve(w, [&](queue q) -> awaitable<void> {
    const auto bad = co_await q.enqueue(twice(1).id("bad").attempts(1));
    const auto good = co_await q.enqueue(twice(2));
    const auto error = co_await error_of(bad.result(default_timeout));
    EXPECT_EQ(error.what, "could not note it");
    const int four = co_await good.result(default_timeout);
    EXPECT_EQ(four, 4);
  });
}

TEST_P(worker_hooks, after_a_failure_a_hooks_own_exception_does_not_hide_the_jobs) {
  worker w(options());
  w.handle(twice, [](int) -> int { throw std::runtime_error("the job's"); });
  w.after_job([](context&, const job_end& end) -> awaitable<void> {
    EXPECT_EQ(end.error_type, "std::runtime_error");
    EXPECT_EQ(end.error, "the job's");
    throw std::runtime_error("the hook's");
    co_return;
  });
  serve(w, [&](queue q) -> awaitable<void> {
    const auto job = co_await q.enqueue(twice(1).attempts(1));
    const auto error = co_await error_of(job.result(default_timeout));
    EXPECT_EQ(error.what, "the job's");
  });
}

TEST_P(worker_hooks, after_job_hears_of_each_try) {
  strings ends;
  worker w(options());
  w.handle(twice, [](context& ctx, int n) {
    if (ctx.attempt() < 3) throw std::runtime_error("not yet");
    return 2 * n;
  });
  w.after_job([&](context& ctx, const job_end& end) -> awaitable<void> {
    ends.push_back(std::to_string(ctx.attempt()) + " " + std::string(to_string(end.state)));
    co_return;
  });
  serve(w, [&](queue q) -> awaitable<void> {
    const auto job = co_await q.enqueue(twice(1).backoff(backoff::constant(1ms)));
    co_await job.result(default_timeout);
  });
  EXPECT_EQ(ends, (strings{"1 deferred", "2 deferred", "3 succeeded"}));
}

TEST_P(worker_hooks, after_a_try_was_recorded_its_job_is_seen_so_and_its_id_is_free) {
  strings ends;
  worker w(options());
  w.handle(twice, [](context& ctx, int n) {
    if (n == 1 && ctx.attempt() == 1) throw std::runtime_error("not yet");
    return 2 * n;
  });
  std::optional<queue> there;
  w.after_commit([&](context& ctx, const job_end& end) -> awaitable<void> {
    ends.push_back(ctx.arguments_json() + " " + std::string(to_string(end.state)));
    if (end.state != job_state::succeeded) co_return;
    const auto [n] = ctx.arguments(twice);
    auto next = twice(n + 1).id("again").keep_result(0ms);
    if (n < 3) co_await there->enqueue(std::move(next));
  });
  serve(w, [&](queue q) -> awaitable<void> {
    there = q;
    auto first = twice(1).id("again").keep_result(0ms).backoff(backoff::constant(1ms));
    co_await q.enqueue(std::move(first));
    co_await until([&] { return ends.size() == 4; });
    const auto kept = co_await q.enqueue(twice(5));
    co_await kept.result(default_timeout);
    there.reset();
  });
  EXPECT_EQ(ends,
            (strings{"[1] deferred", "[1] succeeded", "[2] succeeded", "[3] succeeded", "[5] succeeded"}));
}

TEST_P(worker_hooks, an_exception_after_a_try_was_recorded_is_only_logged) {
  int calls = 0;
  worker w(options());
  w.handle(twice, do_twice);
  w.after_commit([&](context&, const job_end&) -> awaitable<void> {
    ++calls;
    throw std::runtime_error("nobody hears");
    co_return;
  });
  serve(w, [&](queue q) -> awaitable<void> {
    const auto first = co_await q.enqueue(twice(1));
    const int two = co_await first.result(default_timeout);
    EXPECT_EQ(two, 2);
    const auto second = co_await q.enqueue(twice(2));
    co_await second.result(default_timeout);
  });
  EXPECT_EQ(calls, 2);
}

TEST_P(worker_hooks, an_exception_at_startup_keeps_the_worker_from_starting) {
  bool ran = false;
  worker w(options());
  w.handle(twice, [&](int n) {
    ran = true;
    return n;
  });
  w.on_startup([](context&) -> awaitable<void> {
    throw std::runtime_error("no database");
    co_return;
  });
  without_worker([](queue q) -> awaitable<void> { co_await q.enqueue(twice(1)); });
  try {
    run_to_end(w);
    ADD_FAILURE() << "it started";
  } catch (const std::runtime_error& e) {
    EXPECT_STREQ(e.what(), "no database");
  }
  EXPECT_FALSE(ran);
}

TEST_P(worker_hooks, an_exception_at_shutdown_is_only_logged) {
  worker w(options());
  w.handle(twice, do_twice);
  w.on_shutdown([](context&) -> awaitable<void> {
    throw std::runtime_error("too late");
    co_return;
  });
  serve(w, [&](queue q) -> awaitable<void> {
    const auto job = co_await q.enqueue(twice(1));
    co_await job.result(default_timeout);
  });
  EXPECT_EQ(w.jobs_done(), 1u);
}

AT_EACH_BROKER(worker_hooks);

}  // namespace
}  // namespace quarq::test::worker_hooks_tests
