// Handlers that were registered once, for several users.
#include <string>

#include <gtest/gtest.h>

#include <quarq/handlers.hpp>
#include <quarq/queue.hpp>
#include <quarq/worker.hpp>

#include "integration/worker_test.hpp"

namespace quarq::test::worker_handlers_tests {
namespace {

inline constexpr task<int(int)> twice{"twice", "n"};
inline constexpr task<int(int)> count{"count", "by"};

worker_options in_memory() {
  base::set_log_level("off");
  worker_options options;
  options.broker = "sqlite::memory:";
  return options;
}

awaitable<void> expect_result(call<int> c, int expected) {
  const queue jobs("sqlite::memory:");
  const auto job = co_await jobs.enqueue(std::move(c));
  const int got = co_await job.result();
  EXPECT_EQ(got, expected);
}

TEST(handlers, are_shared_by_those_that_serve_them) {
  handlers all;
  all.handle(count, [sum = 0](int by) mutable -> awaitable<int> { co_return sum += by; });
  worker first(in_memory()), second(in_memory());
  first.handle(all);
  second.handle(all);
  run_on_loop(alongside(first, expect_result(count(1), 1)));
  run_on_loop(alongside(second, expect_result(count(2), 3)));
}

TEST(handlers, may_be_joined) {
  handlers one, two;
  one.handle(twice, [](int n) { return 2 * n; });
  two.handle(count, [](int by) { return by; }).handle(one);
  worker w(in_memory());
  w.handle(two);
  run_on_loop(alongside(w, expect_result(twice(4), 8)));
}

TEST(handlers, of_the_same_task_are_refused_by_the_worker) {
  handlers all;
  all.handle(twice, [](int n) { return n; }).handle(all);
  worker w(in_memory());
  w.handle(all);
  const auto t = run_on_loop(error_of(w.run()));
  EXPECT_EQ(t.what, "task \"twice\" has a handler already");
}

}  // namespace
}  // namespace quarq::test::worker_handlers_tests
