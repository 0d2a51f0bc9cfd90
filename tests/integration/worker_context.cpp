// What handlers and hooks do with jobs: enqueue them, await them, have them cancelled with their own.
#include "integration/worker_test.hpp"

namespace quarq::test::worker_context_tests {
namespace {

constexpr task<int(int)> parent{"parent", "number"};
constexpr task<int(int)> child{"child", "number"};
constexpr task<std::string(int)> report{"report", "number"};

awaitable<int> twice(int n) {
  co_return 2 * n;
}

template <class F>
std::string thrown_by(F f) {
  try {
    f();
  } catch (const std::exception& e) {
    return e.what();
  }
  return "nothing was thrown";
}

std::string asks_for_its_queue(context& ctx, int) {
  return thrown_by([&] { ctx.queue(); });
}
awaitable<std::string> enqueues_all_the_same(context& ctx, int n) {
  const auto e = co_await error_of(ctx.enqueue(child(n)));
  co_return e.what;
}

class worker_context : public worker_test {
 protected:
  worker made() { return worker(options()); }

  template <class T>
  T result_of(worker& w, call<T> c) {
    std::optional<T> result;
    serve(w, [&](queue q) -> awaitable<void> {
      const auto job = co_await q.enqueue(std::move(c));
      result = co_await job.result(default_timeout);
    });
    return *result;
  }

  /// In a queue that nobody serves, with the context's cancel_with_parent.
  static awaitable<void> enqueue_tied(context& ctx, std::string id) {
    const enqueue_options tied{.queue = "unserved", .cancel_with_parent = true};
    co_await ctx.enqueue(child(1).id(std::move(id)), tied);
  }
  /// Waits until it is in this state; it need not be there yet.
  awaitable<void> until_tied_is(std::string id, job_state wanted) {
    const auto job = queue(url(), "unserved").find<int>(std::move(id));
    const auto deadline = std::chrono::steady_clock::now() + default_timeout;
    while (std::chrono::steady_clock::now() < deadline) {
      auto now = job_state::dead;
      try {
        now = co_await job.state();
      } catch (const job_not_found&) {
      }
      if (now == wanted) co_return;
      co_await sleep_for(1ms);
    }
    throw std::runtime_error("waited in vain for a child's state");
  }
  /// Runs a job, and looks at a child when its worker has ended.
  job_state child_after(worker& w, call<int> c, std::string id) {
    std::optional<job_state> found;
    const auto look = [&]() -> awaitable<void> {
      const queue unserved(url(), "unserved");
      const auto one = unserved.find<int>(std::move(id));
      co_await error_of(one.state());  // opens the store, so that it is kept
      co_await alongside(w, run_one(queue(url()), std::move(c)));
      found = co_await one.state();
    };
    run_on_loop(look());
    return *found;
  }
  static awaitable<void> run_one(queue q, call<int> c) {
    const auto job = co_await q.enqueue(std::move(c));
    co_await error_of(job.result(default_timeout));
  }
};

TEST_P(worker_context, enqueues_into_the_jobs_own_queue) {
  worker w(options());
  w.handle(child, twice);
  w.handle(parent, [](context& ctx, int n) -> awaitable<int> {
    const auto part = co_await ctx.enqueue(child(n));
    const int doubled = co_await part.result(default_timeout);
    co_return doubled + 1;
  });
  EXPECT_EQ(result_of(w, parent(20)), 41);
}

TEST_P(worker_context, enqueues_many_calls_together) {
  worker w(options());
  w.handle(child, twice);
  w.handle(parent, [](context& ctx, int n) -> awaitable<int> {
    std::vector<call<int>> calls;
    for (int i = 1; i <= n; ++i) calls.push_back(child(i).id("part " + std::to_string(i % 3)));
    const auto parts = co_await ctx.enqueue(std::move(calls));
    EXPECT_FALSE(parts.back().has_value()) << "its id was taken";
    int sum = 0;
    for (const auto& part : parts) {
      if (!part) continue;
      const int doubled = co_await part->result(default_timeout);
      sum += doubled;
    }
    co_return sum;
  });
  EXPECT_EQ(result_of(w, parent(4)), 12);
}

TEST_P(worker_context, reaches_other_queues_and_machines) {
  auto both = options();
  both.queues = {{"default"}, {"parts"}};
  worker w(both);
  strings queues;
  w.handle(child, [&](context& ctx, int n) -> awaitable<int> {
    queues.push_back(ctx.queue_name());
    co_return n;
  });
  w.handle(parent, [](context& ctx, int n) -> awaitable<int> {
    const auto one = co_await ctx.enqueue(child(n), {.queue = "parts"});
    const int a = co_await one.result(default_timeout);
    const auto two = co_await ctx.queue("parts").enqueue(child(n));
    const int b = co_await two.result(default_timeout);
    const int c = co_await ctx.machines().run(child, n);
    const int d = co_await ctx.machines("parts", {.deadline = 1min}).run(child, n);
    EXPECT_EQ(ctx.queue().name(), "default");
    co_return a + b + c + d;
  });
  EXPECT_EQ(result_of(w, parent(10)), 40);
  EXPECT_EQ(queues, (strings{"parts", "parts", "default", "parts"}));
}

TEST_P(worker_context, needs_the_name_of_a_queue_where_there_is_no_job) {
  worker w(options());
  w.handle(child, twice);
  std::optional<job<int>> begun;
  w.on_startup([&](context& ctx) -> awaitable<void> {
    EXPECT_EQ(thrown_by([&] { ctx.queue(); }),
              "context: there is no job here whose queue it could be: name one, as in ctx.queue(\"mail\") or "
              "ctx.enqueue(call, {.queue = \"mail\"})");
    begun = co_await ctx.enqueue(child(21), {.queue = "default"});
  });
  serve(w, [&](queue q) -> awaitable<void> {
    co_await until([&] { return begun.has_value(); });
    const int n = co_await q.find<int>(begun->id()).result(default_timeout);
    EXPECT_EQ(n, 42);
  });
}

TEST_P(worker_context, its_queues_say_that_the_worker_has_ended) {
  worker w(options());
  std::optional<queue> kept;
  std::optional<job<int>> kept_job;
  w.handle(parent, [&](context& ctx, int n) -> awaitable<int> {
    kept = ctx.queue();
    kept_job = kept->find<int>("some job");
    kept->close();
    const auto state = co_await error_of(kept_job->state());
    EXPECT_NE(state.as<job_not_found>(), nullptr) << state.what;
    co_return n;
  });
  const auto afterwards = [&]() -> awaitable<void> {
    co_await alongside(w, [](queue q) -> awaitable<void> {
      const auto job = co_await q.enqueue(parent(1));
      co_await job.result(default_timeout);
    }(queue(url())));
    const auto sent = co_await error_of(kept->enqueue(child(1)));
    EXPECT_NE(sent.as<usage_error>(), nullptr);
    EXPECT_NE(sent.what.find("queue default of a quarq::context: its worker has ended"), std::string::npos)
        << sent.what;
    const auto waited = co_await error_of(kept_job->result());
    EXPECT_NE(waited.as<usage_error>(), nullptr) << waited.what;
  };
  run_on_loop(afterwards());
  kept_job.reset();
  EXPECT_EQ(kept->name(), "default");
}

TEST_P(worker_context, has_no_connection_in_a_process_and_none_for_the_loops_of_threads) {
  worker in_process(options());
  in_process.handle(report, asks_for_its_queue, {.on = level::process});
  EXPECT_EQ(result_of(in_process, report(1)).substr(0, 59),
            "context: there is no connection to a broker here: a handler");
  worker on_thread(options());
  on_thread.handle(report, enqueues_all_the_same, {.on = level::thread});
  EXPECT_EQ(result_of(on_thread, report(1)),
            "a queue of a quarq::context belongs to its worker's loop, and this is another: make a "
            "quarq::queue of its own here");
}

// ---- cancelled with their parent

TEST_P(worker_context, children_stay_when_their_parent_succeeds) {
  worker w(options());
  w.handle(parent, [](context& ctx, int n) -> awaitable<int> {
    co_await enqueue_tied(ctx, "tied");
    co_return n;
  });
  EXPECT_EQ(child_after(w, parent(1), "tied"), job_state::queued);
}

TEST_P(worker_context, children_are_cancelled_when_their_parent_fails) {
  const auto fails = [](context& ctx, int n) -> awaitable<int> {
    co_await enqueue_tied(ctx, "tied " + std::to_string(n));
    co_await ctx.enqueue(child(1).id("free " + std::to_string(n)), {.queue = "unserved"});
    throw std::runtime_error("no");
  };
  // The worker did it before it ended.
  worker one(options()), two(options());
  one.handle(parent, fails);
  EXPECT_EQ(child_after(one, parent(1).attempts(1), "tied 1"), job_state::cancelled);
  two.handle(parent, fails);
  EXPECT_EQ(child_after(two, parent(2).attempts(1), "free 2"), job_state::queued);
}

TEST_P(worker_context, children_are_cancelled_when_their_parent_is_or_runs_out_of_time) {
  worker w(options());
  w.handle(parent, [](context& ctx, int n) -> awaitable<int> {
    co_await enqueue_tied(ctx, "of " + std::to_string(n));
    co_await sleep_for(1h);
    co_return n;
  });
  serve(w, [&](queue q) -> awaitable<void> {
    const auto cancelled = co_await q.enqueue(parent(1).attempts(1));
    co_await until_tied_is("of 1", job_state::queued);
    co_await cancelled.cancel();
    co_await until_tied_is("of 1", job_state::cancelled);
    co_await q.enqueue(parent(2).attempts(1).timeout(200ms));
    co_await until_tied_is("of 2", job_state::cancelled);
  });
}

TEST_P(worker_context, children_of_an_attempt_that_is_repeated_are_cancelled) {
  worker w(options());
  w.handle(parent, [](context& ctx, int n) -> awaitable<int> {
    co_await enqueue_tied(ctx, "of attempt " + std::to_string(ctx.attempt()));
    if (ctx.attempt() == 1) throw std::runtime_error("no");
    co_return n;
  });
  serve(w, [&](queue q) -> awaitable<void> {
    const auto job = co_await q.enqueue(parent(1).attempts(2).backoff(backoff::constant(1ms)));
    co_await job.result(default_timeout);
    co_await until_tied_is("of attempt 1", job_state::cancelled);
    co_await until_tied_is("of attempt 2", job_state::queued);
  });
}

TEST_P(worker_context, a_job_that_has_the_id_already_is_not_cancelled) {
  worker w(options());
  w.handle(parent, [](context& ctx, int) -> awaitable<int> {
    co_await ctx.enqueue(child(1).id("another's"), {.queue = "unserved"});
    co_await enqueue_tied(ctx, "another's");
    co_return 1;
  });
  EXPECT_EQ(child_after(w, parent(1).attempts(1), "another's"), job_state::queued);
}

AT_EACH_BROKER(worker_context);

}  // namespace
}  // namespace quarq::test::worker_context_tests
