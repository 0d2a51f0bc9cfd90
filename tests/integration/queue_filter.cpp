// Programs that cancel by filter: quarq::queue, quarq::client and workers, at every broker.
#include <quarq/client.hpp>

#include "integration/worker_test.hpp"

namespace quarq::test::queue_filter_tests {
namespace {

constexpr task<int(int)> twice{"twice", "n"};
constexpr task<void()> idle{"idle"};

class queue_filter : public worker_test {};
AT_EACH_BROKER(queue_filter);

TEST_P(queue_filter, jobs_are_cancelled_by_task_and_state) {
  without_worker([&](queue q) -> awaitable<void> {
    std::vector<call<int>> calls;
    for (int i = 0; i < 20; ++i) calls.push_back(i % 2 ? twice(i) : twice(i).delay(1h));
    const auto jobs = co_await q.enqueue(std::move(calls));
    const auto other = co_await q.enqueue(idle());
    auto done = co_await q.cancel(job_filter{.state = job_state::queued, .task = "twice"});
    EXPECT_EQ(done.cancelled, 10u);
    EXPECT_EQ(done.requested, 0u);
    const auto left = co_await jobs.at(0)->state();
    EXPECT_EQ(left, job_state::deferred);
    const auto gone = co_await jobs.at(1)->state();
    EXPECT_EQ(gone, job_state::cancelled);
    const auto wrong = co_await error_of(q.cancel(job_filter{.state = job_state::dead | job_state::queued}));
    EXPECT_NE(wrong.as<usage_error>(), nullptr) << wrong.what;
    done = co_await q.cancel(job_filter{.task = "twice"});
    EXPECT_EQ(done.cancelled, 10u);
    const auto still = co_await other.state();
    EXPECT_EQ(still, job_state::queued);
  });
}

TEST_P(queue_filter, a_client_does_the_same_blocking) {
  if (url() == "sqlite::memory:") return;
  client c(url());
  const auto job = c.enqueue(idle());
  EXPECT_EQ(c.cancel(job_filter{.task = "idle"}).cancelled, 1u);
  EXPECT_EQ(c.state(job), job_state::cancelled);
  EXPECT_EQ(c.requeue(job_filter{.task = "idle"}), 0u);
}

}  // namespace
}  // namespace quarq::test::queue_filter_tests
