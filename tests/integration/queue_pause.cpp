// Programs that pause queues and resume them: quarq::queue, quarq::client and workers, at every broker.
#include <quarq/client.hpp>

#include "integration/worker_test.hpp"
#include "support/captured_log.hpp"

namespace quarq::test::queue_pause_tests {
namespace {

constexpr task<int(int)> twice{"twice", "n"};
constexpr task<void()> idle{"idle"};

class queue_pause : public worker_test {};
AT_EACH_BROKER(queue_pause);

TEST_P(queue_pause, a_worker_gets_no_job_until_the_queue_is_resumed) {
  worker w(options());
  std::vector<int> ran;
  w.handle(twice, [&](int n) {
    ran.push_back(n);
    return 2 * n;
  });
  serve(w, [&](queue q) -> awaitable<void> {
    const auto before = co_await q.enqueue(twice(1));
    int result = co_await before.result(default_timeout);
    EXPECT_EQ(result, 2);
    bool changed = co_await q.pause();
    EXPECT_TRUE(changed);
    changed = co_await q.pause();
    EXPECT_FALSE(changed);
    bool paused = co_await q.is_paused();
    EXPECT_TRUE(paused);
    const auto during = co_await q.enqueue(twice(2));
    // Who asks for an answer waits until its deadline.
    const auto late = co_await error_of(machines(q).with_deadline(100ms).run(twice, 3));
    EXPECT_NE(late.as<timed_out>(), nullptr) << late.what;
    EXPECT_EQ(ran, std::vector<int>{1});
    changed = co_await q.resume();
    EXPECT_TRUE(changed);
    result = co_await during.result(default_timeout);
    EXPECT_EQ(result, 4);
    changed = co_await q.resume();
    EXPECT_FALSE(changed);
  });
}

TEST_P(queue_pause, a_job_that_runs_ends_while_its_queue_is_paused) {
  worker w(options());
  latch may_end;
  w.handle(idle, [&]() -> awaitable<void> { co_await may_end.wait(); });
  serve(w, [&](queue q) -> awaitable<void> {
    const auto job = co_await q.enqueue(idle());
    co_await until_in(job, job_state::running);
    co_await q.pause();
    may_end.open();
    co_await job.result(default_timeout);
  });
}

TEST_P(queue_pause, a_worker_logs_once_that_it_is_paused_and_that_it_is_resumed) {
  const captured_log log;
  const auto is_logged = [&](const char* what, std::size_t times) {
    return log.count("queue default is " + std::string(what)) == times;
  };
  worker w(options());
  w.handle(twice, [](int n) { return 2 * n; });
  serve(w, [&](queue q) -> awaitable<void> {
    co_await q.pause();
    // The worker, which is idle, learns of it when it might have had a job.
    const auto job = co_await q.enqueue(twice(1));
    auto paused = [&] { return is_logged("paused: its jobs wait until it is resumed", 1); };
    co_await until(paused);
    EXPECT_TRUE(is_logged("resumed", 0)) << log.text();
    co_await q.resume();
    co_await job.result(default_timeout);
    EXPECT_TRUE(is_logged("resumed", 1)) << log.text();
    EXPECT_TRUE(is_logged("paused", 1)) << log.text();
  });
}

TEST_P(queue_pause, a_client_does_the_same_blocking) {
  if (url() == "sqlite::memory:") return;
  client c(url());
  EXPECT_TRUE(c.pause());
  EXPECT_TRUE(c.is_paused());
  EXPECT_TRUE(c.resume());
  EXPECT_FALSE(c.resume());
}

}  // namespace
}  // namespace quarq::test::queue_pause_tests
