// quarq's clients on Python's workers.
#include "interop/arq_lab.hpp"

namespace quarq::test {
namespace {

class quarq_client_python_worker : public arq_lab {
 protected:
  template <class R>
  R result_of(call<R> c) {
    std::optional<R> result;
    quarq([&](queue q) -> awaitable<void> {
      const auto job = co_await q.enqueue(c);
      R got = co_await job.result(default_timeout);
      result.emplace(std::move(got));
    });
    return *result;
  }

  template <class R>
  std::string failure_of(call<R> c) {
    std::string seen;
    quarq([&](queue q) -> awaitable<void> {
      const auto job = co_await q.enqueue(c);
      seen = co_await what_is_thrown(job.result(default_timeout));
    });
    return seen;
  }

  /// msgpack has no exceptions.
  std::string failed_as(const std::string& in_pickle) const {
    return is_pickle() ? in_pickle : "job_failed arq.jobs.SerializationError: unable to serialize result";
  }
};

TEST_P(quarq_client_python_worker, a_result_comes_back) {
  const auto worker = python_worker();
  EXPECT_EQ(result_of(add(1, 2)), 3);
  EXPECT_EQ(result_of(nap(0)), "slept");
}

TEST_P(quarq_client_python_worker, values_of_every_kind_come_back) {
  using values = std::tuple<std::optional<int>, bool, std::uint64_t, double, std::string, bytes,
                            std::vector<std::map<std::string, int>>>;
  using answer = std::tuple<std::tuple<values>, std::map<std::string, int>>;
  constexpr task<answer(values)> echo{"echo"};
  const auto worker = python_worker();
  const values v{
      std::nullopt,    true, ~std::uint64_t{0}, 0.1, "h\xc3\xa9", bytes{std::byte{0}, std::byte{255}},
      {{{"a", 1}}, {}}};
  EXPECT_EQ(result_of(echo(v)), (answer{v, {}}));
}

TEST_P(quarq_client_python_worker, an_exception_comes_back) {
  const auto worker = python_worker();
  EXPECT_EQ(failure_of(fail("boom")), failed_as("job_failed ValueError: boom"));
  EXPECT_EQ(failure_of(sell("shoes", 3)), failed_as("job_failed arq_functions.SoldOut: [\"shoes\", 3]"));
}

TEST_P(quarq_client_python_worker, what_the_worker_detects_comes_back) {
  const auto worker = python_worker({"--job-timeout", "0.05", "--max-tries", "3"});
  EXPECT_EQ(failure_of(nap(30)), failed_as("timed_out: nap timed out"));
  EXPECT_EQ(failure_of(task<int()>{"nobody"}()),
            failed_as("retries_exhausted quarq::unknown_task: function 'nobody' not found"));
  EXPECT_EQ(failure_of(try_again(10, 0)),
            failed_as("retries_exhausted arq.worker.JobExecutionFailed: max 3 retries exceeded"));
}

TEST_P(quarq_client_python_worker, a_retry_of_arq_is_waited_for) {
  const auto worker = python_worker();
  EXPECT_EQ(result_of(try_again(3, 0.05)), 3);
}

TEST_P(quarq_client_python_worker, a_running_job_is_cancelled) {
  const auto worker = python_worker({"--allow-abort-jobs"});
  quarq([&](queue q) -> awaitable<void> {
    const auto job = co_await q.enqueue(nap(60));
    while (!exists("test:started")) co_await sleep_for(1ms);
    const auto answer = co_await job.cancel();
    EXPECT_EQ(answer, cancel_outcome::requested);
    const auto seen = co_await what_is_thrown(job.result(default_timeout));
    EXPECT_EQ(seen, failed_as("cancelled"));
  });
}

TEST_P(quarq_client_python_worker, a_cancelled_job_is_not_run) {
  quarq([&](queue q) -> awaitable<void> {
    const auto job = co_await q.enqueue(nap(0).id("a"));
    const auto answer = co_await job.cancel();
    EXPECT_EQ(answer, cancel_outcome::cancelled);
    const auto seen = co_await what_is_thrown(job.result(default_timeout));
    EXPECT_EQ(seen, "cancelled");
  });
  const auto worker = python_worker({"--burst", "--allow-abort-jobs"});
  EXPECT_TRUE(worker->wait(default_timeout));
  EXPECT_FALSE(exists("test:started"));
}

TEST_P(quarq_client_python_worker, a_job_s_life_is_seen) {
  const auto worker = python_worker({"--allow-abort-jobs"});
  quarq([&](queue q) -> awaitable<void> {
    const auto running = co_await q.enqueue(nap(60));
    const auto later = co_await q.enqueue(nap(0).delay(1min));
    while (!exists("test:started")) co_await sleep_for(1ms);
    const auto of_running = co_await running.state();
    const auto of_later = co_await later.state();
    EXPECT_EQ(of_running, job_state::running);
    EXPECT_EQ(of_later, job_state::deferred);
    const auto info = co_await running.info();
    EXPECT_EQ(info.task, "nap");
    EXPECT_EQ(info.arguments, "[60.0]");
    EXPECT_EQ(info.attempts, 1);
    co_await running.cancel();
    const auto done = co_await q.enqueue(add(1, 2));
    co_await done.result(default_timeout);
    const auto of_done = co_await done.state();
    EXPECT_EQ(of_done, job_state::succeeded);
  });
}

TEST_P(quarq_client_python_worker, what_we_enqueue_is_what_arq_enqueues) {
  quarq([](queue q) -> awaitable<void> {
    co_await q.enqueue(add(1, 2).id("ours"));
    co_await q.enqueue(add(1, 2).id("ours-later").delay(1h));
    co_await q.enqueue(add(1, 2).id("ours-expires").expires(1min));
  });
  EXPECT_EQ(python(R"(
c.enqueue_job('add', 1, 2, _job_id='theirs')
c.enqueue_job('add', 1, 2, _job_id='theirs-later', _defer_by=3600)
c.enqueue_job('add', 1, 2, _job_id='theirs-expires', _expires=60)
for end in ('', '-later', '-expires'):
    ours, theirs = [c.loads(c.redis.get(JOB + who + end)) for who in ('ours', 'theirs')]
    ours.pop('quarq', None)
    assert list(ours) == list(theirs), ours
    assert abs(ours.pop('et') - theirs.pop('et')) < 60000
    assert ours == theirs, (ours, theirs)
    ttls = [c.redis.pttl(JOB + who + end) for who in ('ours', 'theirs')]
    assert abs(ttls[0] - ttls[1]) < 60000, ttls
    scores = [c.redis.zscore(c.queue, who + end) for who in ('ours', 'theirs')]
    assert abs(scores[0] - scores[1]) < 60000, scores
print([(j[0], j[2], list(j[3]), j[4]) for j in c.queued_jobs() if j[0].startswith('ours')])
print(c.job('ours').status(), c.job('ours-later').status())
)"),
            "[('ours', 'add', [1, 2], {}), ('ours-expires', 'add', [1, 2], {}), ('ours-later', 'add', [1, "
            "2], {})]\n"
            "queued deferred\n");
}

TEST_P(quarq_client_python_worker, python_aborts_what_we_enqueued) {
  const auto worker = python_worker({"--allow-abort-jobs"});
  quarq([&](queue q) -> awaitable<void> {
    const auto job = co_await q.enqueue(nap(60).id("a"));
    while (!exists("test:started")) co_await sleep_for(1ms);
    python("try:\n    c.job('a').abort(timeout=20)\nexcept SerializationError:\n    pass");
    const auto seen = co_await what_is_thrown(job.result(default_timeout));
    EXPECT_EQ(seen, failed_as("cancelled"));
  });
}

IN_BOTH_CODECS(quarq_client_python_worker);

}  // namespace
}  // namespace quarq::test
