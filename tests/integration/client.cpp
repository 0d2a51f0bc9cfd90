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
#include "support/process.hpp"

namespace quarq::test::client_tests {
namespace {

constexpr task<int(int)> twice{"twice", "number"};
constexpr task<void(int)> nothing{"nothing"};
constexpr task<int(int)> unlucky{"unlucky", "number"};
constexpr task<int(int)> nobodys{"nobodys", "number"};
constexpr task<int(int)> work_through{"work_through", "parts"};
constexpr task<int(int)> stuck{"stuck", "number"};
constexpr task<int(int)> gated{"gated", "number"};

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

// ---- what a job says of itself

/// A point that one thread passes, and for which others wait.
class mark {
 public:
  void pass() { passed_ = true; }
  bool is_passed() const {
    return eventually([&] { return passed_.load(); }, default_timeout);
  }

 private:
  std::atomic<bool> passed_ = false;
};

class client_progress : public client_test {
 protected:
  client_progress() {
    // Goes on when what it has said was heard.
    w_.handle(work_through, [this](context& ctx, int parts) -> awaitable<int> {
      for (int done = 1; done <= parts; ++done) {
        const int before = reports_;
        ctx.progress(static_cast<std::uint64_t>(done), static_cast<std::uint64_t>(parts));
        co_await until([&] { return reports_ > before; });
      }
      co_return parts;
    });
    w_.handle(stuck, [this](context& ctx, int n) -> awaitable<int> {
      ctx.progress(static_cast<std::uint64_t>(n), 100);
      co_await until_cancelled(stopped_);
      co_return n;
    });
    w_.handle(gated, [this](int n) -> awaitable<int> {
      co_await until([&] { return gate_is_open_.load(); });
      co_return n;
    });
  }

  std::atomic<int> reports_ = 0;
  std::atomic<bool> gate_is_open_ = false;

 private:
  int stopped_ = 0;
};

TEST_P(client_progress, is_heard_by_the_thread_that_waits) {
  serve_thread([&] {
    client c(url());
    std::vector<std::uint64_t> heard;
    const auto hear = [&, here = std::this_thread::get_id()](const job_progress& p) {
      EXPECT_EQ(std::this_thread::get_id(), here);
      EXPECT_EQ(p.total, 3u);
      heard.push_back(p.done);
      ++reports_;
    };
    EXPECT_EQ(c.result(c.enqueue(work_through(3)), hear), 3);
    EXPECT_EQ(heard, (std::vector<std::uint64_t>{1, 2, 3}));
    EXPECT_EQ(c.result(c.enqueue(work_through(3)), default_timeout, hear), 3);
    EXPECT_EQ(heard.size(), 6u);
  });
}

TEST_P(client_progress, is_heard_by_each_of_many_threads_of_its_own_job) {
  constexpr int threads = 5;
  serve_thread([&] {
    client c(url());
    std::vector<std::jthread> all;
    for (int t = 1; t <= threads; ++t) {
      all.emplace_back([&, t] {
        const auto job = c.enqueue(stuck(t).id(std::to_string(t)));
        const auto hear = [&](const job_progress& p) {
          EXPECT_EQ(p.done, static_cast<std::uint64_t>(t));
          EXPECT_EQ(c.cancel(job), cancel_outcome::requested);
        };
        const auto end = thrown_by([&] { c.result(job, default_timeout, hear); });
        EXPECT_NE(end.as<cancelled>(), nullptr) << end.what;
      });
    }
  });
}

TEST_P(client_progress, may_be_heard_for_long_while_other_threads_go_on) {
  serve_thread([&] {
    client c(url());
    mark begun, others_done;
    std::jthread other([&] {
      EXPECT_TRUE(begun.is_passed());
      EXPECT_EQ(c.result(c.enqueue(twice(4)), default_timeout), 8);
      others_done.pass();
    });
    const auto hear = [&](const job_progress&) {
      begun.pass();
      EXPECT_TRUE(others_done.is_passed());
      ++reports_;
    };
    EXPECT_EQ(c.result(c.enqueue(work_through(1)), default_timeout, hear), 1);
  });
}

TEST_P(client_progress, passes_the_loop_to_a_thread_that_waited_before) {
  serve_thread([&] {
    client c(url());
    const auto awaited = c.enqueue(gated(6));
    mark begun, others_done;
    std::jthread other;
    const auto hear = [&](const job_progress& p) {
      if (p.done == 1) {
        other = std::jthread([&] {
          begun.pass();
          EXPECT_EQ(c.result(awaited, default_timeout), 6);
          others_done.pass();
        });
        EXPECT_TRUE(begun.is_passed());
      } else {
        gate_is_open_ = true;
        EXPECT_TRUE(others_done.is_passed());
      }
      ++reports_;
    };
    EXPECT_EQ(c.result(c.enqueue(work_through(2)), default_timeout, hear), 2);
  });
}

TEST_P(client_progress, heard_by_a_callback_that_throws_ends_the_wait_and_not_the_job) {
  serve_thread([&] {
    client c(url());
    const auto job = c.enqueue(stuck(1));
    const auto hear = [](const job_progress&) { throw std::runtime_error("seen enough"); };
    const auto end = thrown_by([&] { c.result(job, hear); });
    EXPECT_EQ(end.what, "seen enough");
    EXPECT_EQ(c.state(job), job_state::running);
    const auto late = thrown_by([&] { c.result(job, 10ms, [](const job_progress&) {}); });
    EXPECT_NE(late.as<timed_out>(), nullptr) << late.what;
    EXPECT_EQ(c.cancel(job), cancel_outcome::requested);
    const std::function<void(const job_progress&)> none;
    const auto taken_back = thrown_by([&] { c.result(job, default_timeout, none); });
    EXPECT_NE(taken_back.as<cancelled>(), nullptr) << taken_back.what;
    const auto unknown = thrown_by([&] { c.result(c.find<int>("nobody"), hear); });
    EXPECT_NE(unknown.as<job_not_found>(), nullptr) << unknown.what;
  });
}

TEST_P(client_progress, can_be_heard_until_close_and_its_callback_can_not_close) {
  serve_thread([&] {
    client c(url());
    mark begun;
    std::atomic<bool> returned = false;
    std::jthread closes([&] {
      EXPECT_TRUE(begun.is_passed());
      c.close();
      EXPECT_TRUE(returned) << "closed before the callback had returned";
    });
    const auto job = c.enqueue(stuck(1));
    const auto hear = [&](const job_progress&) {
      const auto refused = thrown_by([&] { c.close(); });
      EXPECT_NE(refused.as<std::logic_error>(), nullptr) << refused.what;
      begun.pass();
      const auto is_refused = [&] { return thrown_by([&] { c.state(job); }).as<closed_error>() != nullptr; };
      EXPECT_TRUE(eventually(is_refused, default_timeout));
      returned = true;
    };
    const auto end = thrown_by([&] { c.result(job, hear); });
    EXPECT_NE(end.as<closed_error>(), nullptr) << end.what;
    closes.join();
    client again(url());
    EXPECT_EQ(again.cancel(again.find<int>(job.id())), cancel_outcome::requested);
    thrown_by([&] { again.result(again.find<int>(job.id()), default_timeout); });
  });
}

AT_EACH_BROKER(client_progress);

}  // namespace
}  // namespace quarq::test::client_tests
