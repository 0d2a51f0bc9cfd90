// Jobs that wait for jobs of their own queue, more of them than their worker runs at once.
#include <quarq/gather.hpp>

#include "integration/worker_test.hpp"

namespace quarq::test::jobs_that_wait_tests {
namespace {

constexpr task<int(int)> parent{"parent", "number"};
constexpr task<int(int)> child{"child", "number"};

awaitable<int> twice(int n) {
  co_return 2 * n;
}
awaitable<int> waits_for_a_child(context& ctx, int n) {
  const auto job = co_await ctx.enqueue(child(n));
  const int doubled = co_await job.result();
  co_return doubled + 1;
}

class jobs_that_wait : public worker_test {
 protected:
  worker_options at_once(std::size_t concurrency) const {
    auto o = options();
    o.concurrency = concurrency;
    return o;
  }

  /// Runs so many jobs of `parent`, and expects of each what twice and one more is.
  void run_parents(worker& w, int count) {
    serve(w, [&](queue q) -> awaitable<void> {
      std::vector<call<int>> calls;
      for (int i = 0; i < count; ++i) calls.push_back(parent(i));
      const auto jobs = co_await q.enqueue(std::move(calls));
      for (int i = 0; i < count; ++i) {
        const int result = co_await jobs[static_cast<std::size_t>(i)]->result(default_timeout);
        EXPECT_EQ(result, 2 * i + 1);
      }
    });
  }
};

TEST_P(jobs_that_wait, all_end_where_more_of_them_wait_than_may_run) {
  worker w(at_once(4));
  w.handle(child, twice).handle(parent, waits_for_a_child);
  run_parents(w, 6);
}

TEST_P(jobs_that_wait, a_thousand_of_them_end_too) {
  worker w(at_once(100));
  w.handle(child, twice).handle(parent, waits_for_a_child);
  run_parents(w, 1'000);
}

TEST_P(jobs_that_wait, by_a_queue_of_their_own_through_machines_and_among_other_awaits) {
  worker w(at_once(1));
  const queue captured(url());
  w.handle(child, twice).handle(parent, [&](context& ctx, int n) -> awaitable<int> {
    if (n % 4 == 0) {
      const int doubled = co_await machines(captured).run(child, n);
      co_return doubled + 1;
    }
    const auto one = co_await captured.enqueue(child(n));
    const auto two = co_await ctx.enqueue(child(n));
    if (n % 4 == 1) {
      const auto [a, b] = co_await gather(one.result(), two.result());
      EXPECT_EQ(a, b);
      co_return b + 1;
    }
    if (n % 4 == 2) {
      const int doubled = co_await with_timeout(one.result(), default_timeout);
      co_return doubled + 1;
    }
    int sum = 0;
    const auto add = [&]() -> awaitable<void> {
      const int doubled = co_await one.result();
      sum += doubled;
    };
    const auto spawn_it = [&](task_group& group) -> awaitable<void> {
      group.spawn(add());
      co_return;
    };
    co_await with_task_group(spawn_it);
    co_return sum + 1;
  });
  run_parents(w, 8);
}

TEST_P(jobs_that_wait, three_levels_deep) {
  constexpr task<int(int)> tree{"tree", "depth"};
  worker w(at_once(2));
  w.handle(tree, [&](context& ctx, int depth) -> awaitable<int> {
    if (depth == 0) co_return 1;
    std::vector<call<int>> calls(3, tree(depth - 1));
    const auto jobs = co_await ctx.enqueue(std::move(calls));
    int leaves = 0;
    for (const auto& job : jobs) {
      const int below = co_await job->result();
      leaves += below;
    }
    co_return leaves;
  });
  serve(w, [&](queue q) -> awaitable<void> {
    const auto job = co_await q.enqueue(tree(3));
    const int leaves = co_await job.result(default_timeout);
    EXPECT_EQ(leaves, 27);
  });
}

TEST_P(jobs_that_wait, slots_are_right_again_after_cancels_and_timeouts_in_the_middle_of_waits) {
  constexpr task<void()> hold{"hold"};
  worker w(at_once(3));
  int running = 0, most = 0;
  latch go_on;
  w.handle(hold, [&]() -> awaitable<void> {
    most = std::max(most, ++running);
    co_await go_on.wait();
    --running;
  });
  w.handle(parent, [](context& ctx, int n) -> awaitable<int> {
    const auto late = co_await ctx.enqueue(child(n).delay(1h));
    const int doubled = co_await late.result();
    co_return doubled;
  });
  serve(w, [&](queue q) -> awaitable<void> {
    std::vector<job<int>> parents;
    for (int i = 0; i < 4; ++i) {
      auto c = parent(i).attempts(1);
      if (i % 2 == 0) c.timeout(200ms);
      auto one = co_await q.enqueue(std::move(c));
      parents.push_back(std::move(one));
    }
    for (int i = 1; i < 4; i += 2) {
      co_await until_in(parents[static_cast<std::size_t>(i)], job_state::running);
      co_await parents[static_cast<std::size_t>(i)].cancel();
    }
    for (const auto& one : parents) {
      const auto end = co_await error_of(one.result(default_timeout));
      EXPECT_TRUE(end.as<timed_out>() != nullptr || end.as<cancelled>() != nullptr) << end.what;
    }
    std::vector<job<void>> holding;
    for (int i = 0; i < 5; ++i) {
      auto one = co_await q.enqueue(hold());
      holding.push_back(std::move(one));
    }
    co_await until([&] { return running == 3; });
    go_on.open();
    for (const auto& one : holding) co_await one.result(default_timeout);
  });
  EXPECT_EQ(most, 3);
}

AT_EACH_BROKER(jobs_that_wait);

}  // namespace
}  // namespace quarq::test::jobs_that_wait_tests
