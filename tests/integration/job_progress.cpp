// ctx.progress(), as those hear it that wait for the job: job.result(on_progress), and machines.
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "integration/worker_test.hpp"
#include "support/redis_server.hpp"

namespace quarq::test::job_progress_tests {
namespace {

constexpr task<int(int)> work_through{"work_through", "parts"};
constexpr task<int(int)> stuck{"stuck"};
constexpr task<int(int)> quick{"quick"};

using said = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

class job_progress_test : public worker_test {
 protected:
  job_progress_test() : w_(options()) {
    // Goes on when what it has said was heard.
    w_.handle(work_through, [this](context& ctx, int parts) -> awaitable<int> {
      const auto total = static_cast<std::uint64_t>(parts);
      for (std::uint64_t done = 1; done <= total; ++done) {
        const auto before = reports_;
        ctx.progress(done, total);
        co_await until([&] { return reports_ > before; });
      }
      co_return parts;
    });
    w_.handle(stuck, [this](context& ctx, int n) -> awaitable<int> {
      ctx.progress(1, 2);
      co_await until_cancelled(stopped_);
      co_return n;
    });
  }

  worker w_;
  int reports_ = 0, stopped_ = 0;
  said heard_;
  const std::function<void(const job_progress&)> hear_ = [this](const job_progress& p) {
    heard_.emplace_back(p.done, p.total);
    ++reports_;
  };
};

TEST_P(job_progress_test, is_heard_by_those_that_wait_for_the_result) {
  serve(w_, [&](queue q) -> awaitable<void> {
    const auto job = co_await q.enqueue(work_through(3));
    const int result = co_await job.result(hear_);
    EXPECT_EQ(result, 3);
  });
  EXPECT_EQ(heard_, (said{{1, 3}, {2, 3}, {3, 3}}));
}

TEST_P(job_progress_test, is_heard_of_a_call_on_machines) {
  serve(w_, [&](queue q) -> awaitable<void> {
    const auto where = machines(q).with_progress(hear_).with_deadline(default_timeout);
    const int result = co_await where.run(work_through, 2);
    EXPECT_EQ(result, 2);
  });
  EXPECT_EQ(heard_, (said{{1, 2}, {2, 2}}));
}

TEST_P(job_progress_test, of_the_elements_under_way_is_reported_by_a_map_between_their_ends) {
  std::vector<std::pair<std::size_t, double>> heard;
  const auto report = [&](const progress& p) {
    heard.emplace_back(p.done, p.under_way);
    ++reports_;
  };
  const std::vector<int> parts{2, 2};
  serve(w_, [&](queue q) -> awaitable<void> {
    const machines where(q);
    const auto got = co_await where.map(work_through, parts, {.max_concurrency = 1}, report);
    EXPECT_EQ(got, parts);
  });
  const decltype(heard) expected{{0, 0.5}, {0, 1.0}, {1, 0.0}, {1, 0.5}, {1, 1.0}, {2, 0.0}};
  EXPECT_EQ(heard, expected);
}

TEST_P(job_progress_test, heard_by_a_callback_that_throws_ends_the_wait_and_not_the_job) {
  const auto hear = [](const job_progress&) { throw std::runtime_error("seen enough"); };
  serve(w_, [&](queue q) -> awaitable<void> {
    const auto job = co_await q.enqueue(stuck(1));
    const auto t = co_await error_of(job.result(hear));
    EXPECT_EQ(t.what, "seen enough");
    const auto state = co_await job.state();
    EXPECT_EQ(state, job_state::running);
    co_await job.cancel();
    co_await error_of(job.result(default_timeout));
  });
}

TEST_P(job_progress_test, heard_by_a_callback_that_throws_cancels_a_call_on_machines) {
  const auto hear = [](const job_progress&) { throw std::runtime_error("seen enough"); };
  const auto report = [](const progress&) { throw std::runtime_error("enough of all"); };
  const std::vector<int> numbers{1, 2};
  serve(w_, [&](queue q) -> awaitable<void> {
    const machines where(q);
    auto t = co_await error_of(where.with_progress(hear).run(stuck, 1));
    EXPECT_EQ(t.what, "seen enough");
    co_await until([&] { return stopped_ == 1; });
    t = co_await error_of(where.map_outcomes(stuck, numbers, {.max_concurrency = 2}, report));
    EXPECT_EQ(t.what, "enough of all");
    co_await until([&] { return stopped_ == 3; });
  });
}

TEST_P(job_progress_test, is_not_waited_for_once_the_job_has_ended) {
  bool heard = false;
  const auto hear = [&](const job_progress&) { heard = true; };
  w_.handle(quick, [](int n) { return n; });
  serve(w_, [&](queue q) -> awaitable<void> {
    const auto job = co_await q.enqueue(quick(1));
    const int first = co_await job.result(hear);
    EXPECT_EQ(first, 1);
    const auto t = co_await error_of(q.find<int>("unknown").result(hear));
    EXPECT_NE(t.as<job_not_found>(), nullptr) << t.what;
  });
  EXPECT_FALSE(heard);
}

AT_EACH_BROKER(job_progress_test);

// On Redis, MGET is for progress alone.
TEST(job_progress_unheard, costs_the_server_nothing) {
  base::set_log_level("off");
  redis_server server;
  worker_options o;
  o.broker = server.url();
  worker w(o);
  std::uint64_t seen = 0;
  w.handle(work_through, [&](context& ctx, int parts) -> awaitable<int> {
    const auto total = static_cast<std::uint64_t>(parts);
    for (std::uint64_t done = 1; done <= total; ++done) {
      ctx.progress(done, total);
      co_await until([&] { return seen >= done; });
    }
    co_return parts;
  });
  // A worker says so much in more than the time after which those ask that want to hear it.
  const auto look_on = [&](job<int> one) -> awaitable<void> {
    while (seen < 4) {
      const auto known = co_await one.info();
      if (known.progress) seen = known.progress->done;
      co_await sleep_for(5ms);
    }
  };
  const auto hear = [&](const job_progress& p) { seen = p.done; };
  const auto client = [&]() -> awaitable<void> {
    queue q(o.broker);
    const auto first = co_await q.enqueue(work_through(4));
    co_await gather(first.result(default_timeout), look_on(first));
    EXPECT_EQ(server.calls_of("mget"), 0);
    seen = 0;
    const auto second = co_await q.enqueue(work_through(1));
    co_await second.result(hear);
    EXPECT_GE(server.calls_of("mget"), 1);
  };
  run_on_loop(alongside(w, client()), default_timeout);
}

}  // namespace
}  // namespace quarq::test::job_progress_tests
