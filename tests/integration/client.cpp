// The blocking client: what it returns and throws, from one thread and from many, and how it ends.
#include <atomic>
#include <functional>
#include <memory>
#include <stdexcept>
#include <thread>

#include <quarq/client.hpp>
#include <quarq/thread_pool.hpp>

#include "base/sanitizers.hpp"
#include "integration/worker_test.hpp"
#include "support/forked.hpp"

namespace quarq::test::client_tests {
namespace {

constexpr task<int(int)> twice{"twice", "number"};
constexpr task<void(int)> nothing{"nothing"};
constexpr task<int(int)> unlucky{"unlucky", "number"};
constexpr task<int(int)> nobodys{"nobodys", "number"};

template <class F>
thrown thrown_by(F f) {
  thrown t;
  try {
    f();
  } catch (const std::exception& e) {
    t.what = e.what();
    t.error = std::current_exception();
  }
  return t;
}

class client_test : public worker_test {
 protected:
  client_test() : w_(options()) {
    w_.handle(twice, [](int n) -> awaitable<int> { co_return 2 * n; });
    w_.handle(nothing, [](int) -> awaitable<void> { co_return; });
    w_.handle(unlucky, [](int n) -> int { throw permanent_failure("no " + std::to_string(n)); });
  }

  /// Runs `work` on a thread without a loop, alongside the worker.
  void serve_thread(const std::function<void()>& work) {
    serve(w_, [&](queue) -> awaitable<void> {
      thread_pool_options one;
      one.size = 1;
      thread_pool threads(one);
      co_await threads.run(work);
    });
  }

  worker w_;
};

TEST_P(client_test, a_call_goes_there_and_its_result_comes_back) {
  serve_thread([&] {
    client c(url());
    const auto job = c.enqueue(twice(21));
    EXPECT_EQ(c.result(job, default_timeout), 42);
    EXPECT_EQ(c.result(c.find<int>(job.id())), 42);
    EXPECT_EQ(c.state(job), job_state::succeeded);
    EXPECT_EQ(c.info(job).task, "twice");
    EXPECT_EQ(c.cancel(job), cancel_outcome::too_late);
    c.result(c.enqueue(nothing(1)), default_timeout);
  });
}

TEST_P(client_test, many_calls_go_in_one_step) {
  serve_thread([&] {
    client c(url());
    std::vector<call<int>> calls;
    calls.push_back(twice(1).id("a"));
    calls.push_back(twice(2).id("b"));
    calls.push_back(twice(3).id("a"));
    const auto jobs = c.enqueue(std::move(calls));
    ASSERT_EQ(jobs.size(), 3u);
    EXPECT_FALSE(jobs[2]);
    EXPECT_EQ(c.result(*jobs[0], default_timeout), 2);
    EXPECT_EQ(c.result(*jobs[1], default_timeout), 4);
  });
}

TEST_P(client_test, it_throws_what_the_awaited_form_throws) {
  serve_thread([&] {
    client c(url());
    const auto failed = c.enqueue(unlucky(7));
    const auto failure = thrown_by([&] { c.result(failed, default_timeout); });
    EXPECT_NE(failure.as<job_failed>(), nullptr) << failure.what;
    EXPECT_EQ(failure.what, "no 7");
    const auto deferred = c.enqueue(twice(1).id("taken").delay(1h));
    const auto late = thrown_by([&] { c.result(deferred, 10ms); });
    EXPECT_NE(late.as<timed_out>(), nullptr) << late.what;
    const auto again = thrown_by([&] { c.enqueue(twice(2).id("taken")); });
    EXPECT_NE(again.as<duplicate_job>(), nullptr) << again.what;
    EXPECT_EQ(c.cancel(deferred), cancel_outcome::cancelled);
    const auto taken_back = thrown_by([&] { c.result(deferred, default_timeout); });
    EXPECT_NE(taken_back.as<cancelled>(), nullptr) << taken_back.what;
    const auto unknown = thrown_by([&] { c.state(c.find<int>("nobody")); });
    EXPECT_NE(unknown.as<job_not_found>(), nullptr) << unknown.what;
    const auto bad = thrown_by([&] { c.enqueue(twice(1).attempts(0)); });
    EXPECT_NE(bad.as<usage_error>(), nullptr) << bad.what;
  });
}

TEST_P(client_test, many_threads_use_it_at_once) {
  constexpr int threads = 8, calls = 40;
  serve_thread([&] {
    client c(url());
    std::atomic<int> right = 0;
    std::vector<std::jthread> all;
    for (int t = 0; t < threads; ++t) {
      all.emplace_back([&, t] {
        for (int i = 0; i < calls; ++i) {
          const auto job = c.enqueue(twice(t * calls + i));
          if (c.result(job, default_timeout) == 2 * (t * calls + i)) ++right;
        }
      });
    }
    all.clear();
    EXPECT_EQ(right, threads * calls);
  });
}

TEST_P(client_test, many_jobs_are_cancelled_in_one_call) {
  client c(url());
  std::vector<client_job<int>> jobs;
  for (int i = 0; i < 3; ++i) jobs.push_back(c.enqueue(nobodys(i)));
  jobs.push_back(c.find<int>("nobody"));
  const std::vector<cancel_outcome> expected = {cancel_outcome::cancelled, cancel_outcome::cancelled,
                                                cancel_outcome::cancelled, cancel_outcome::not_found};
  EXPECT_EQ(c.cancel(jobs), expected);
  EXPECT_EQ(c.state(jobs[0]), job_state::cancelled);
}

TEST_P(client_test, a_thread_that_waits_holds_up_none_that_does_not) {
  client c(url());
  const auto job = c.enqueue(nobodys(1));
  std::jthread waiting([&] {
    const auto end = thrown_by([&] { c.result(job, default_timeout); });
    EXPECT_NE(end.as<cancelled>(), nullptr) << end.what;
  });
  for (int i = 0; i < 20; ++i) c.enqueue(nobodys(i));
  EXPECT_EQ(c.cancel(job), cancel_outcome::cancelled);
}

TEST_P(client_test, close_ends_calls_in_other_threads_and_refuses_later_ones) {
  client c(url());
  const auto job = c.enqueue(nobodys(1));
  std::atomic<int> begun = 0;
  const auto wait = [&] {
    ++begun;
    const auto end = thrown_by([&] { c.result(job); });
    EXPECT_NE(end.as<closed_error>(), nullptr) << end.what;
  };
  std::jthread first(wait), second(wait);
  while (begun < 2) std::this_thread::yield();
  c.close();
  first.join();
  second.join();
  const auto later = thrown_by([&] { c.enqueue(nobodys(2)); });
  EXPECT_NE(later.as<closed_error>(), nullptr) << later.what;
  c.close();
}

TEST_P(client_test, it_refuses_to_block_a_loop) {
  client c(url());
  const auto block = [&]() -> awaitable<void> {
    const auto refused = thrown_by([&] { c.enqueue(nobodys(1)); });
    EXPECT_NE(refused.as<std::logic_error>(), nullptr) << refused.what;
    co_return;
  };
  run(block());
}

TEST_P(client_test, a_copy_of_the_process_is_refused) {
  if (base::thread_sanitizer)
    GTEST_SKIP() << "the thread sanitizer can't follow a copy of a threaded process";
  auto c = std::make_unique<client>(url());
  c->enqueue(nobodys(1));
  forked copy([&] {
    const auto refused = thrown_by([&] { c->enqueue(nobodys(2)); });
    c.reset();
    return refused.as<error>() != nullptr && refused.what.find("fork()") != std::string::npos ? 0 : 1;
  });
  EXPECT_EQ(copy.wait(), 0);
  c->enqueue(nobodys(3));
}

AT_EACH_BROKER(client_test);

}  // namespace
}  // namespace quarq::test::client_tests
