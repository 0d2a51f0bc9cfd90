// Python's clients on quarq's workers.
#include "interop/arq_lab.hpp"

namespace quarq::test {
namespace {

class python_client_quarq_worker : public arq_lab {
 protected:
  python_client_quarq_worker() : worker_(options()) {}

  /// TTL in ms.
  void expect_ttl(const std::string& key, std::int64_t min, std::int64_t max) const {
    const auto ttl = number({"PTTL", key});
    EXPECT_GE(ttl, min) << key;
    EXPECT_LE(ttl, max) << key;
  }

  quarq_worker worker_;
};

TEST_P(python_client_quarq_worker, arguments_come_by_position_and_by_name) {
  worker_.start();
  EXPECT_EQ(python(R"(
print(c.enqueue_job('add', 1, 2).outcome())
print(c.enqueue_job('add', 1, right=2).outcome())
print(c.enqueue_job('add', left=1, right=2).outcome())
print(c.enqueue_job('nap', 0).outcome())
print(c.enqueue_job('note', n=7).outcome())
)"),
            "returned 3\nreturned 3\nreturned 3\nreturned 'slept'\nreturned None\n");
  EXPECT_EQ(worker_.noted(), std::vector<int>{7});
}

TEST_P(python_client_quarq_worker, values_of_every_kind_come_back) {
  using values = std::tuple<std::optional<int>, bool, std::uint64_t, double, std::string, bytes,
                            std::vector<std::map<std::string, int>>>;
  constexpr task<values(values)> same{"same", "what"};
  worker_.worker().handle(same, [](values v) { return v; });
  worker_.start();
  EXPECT_EQ(python(R"(
v = [None, True, 2**64 - 1, 0.1, 'h\u00e9 \U0001f600', b'\0\xff', [{'a': 1}, {}]]
print(c.enqueue_job('same', v).result(20) == v)
)"),
            "True\n");
}

TEST_P(python_client_quarq_worker, the_arguments_in_a_result_are_those_that_were_given) {
  constexpr task<int(std::vector<int>, std::tuple<int, std::tuple<int>>, std::string)> given{"given"};
  worker_.worker().handle(
      given, [](std::vector<int>, std::tuple<int, std::tuple<int>>, std::string) { return 1; }, {});
  worker_.start();
  const std::string arguments = is_pickle() ? "({3}, (1, (2,)), datetime.datetime(2024, 1, 2, 0, 0))"  //
                                            : "[[3], [1, [2]], '2024']";
  EXPECT_EQ(python("import datetime\nj = c.enqueue_job('given', *" + arguments +
                   ")\nprint(j.result(20))\nprint(j.info()[1])\nprint(c.all_job_results()[0].args)\n"),
            "1\n" + arguments + "\n" + arguments + "\n");
}

TEST_P(python_client_quarq_worker, an_exception_is_raised_in_python) {
  worker_.start();
  EXPECT_EQ(python("print(c.enqueue_job('fail', 'boom').outcome())"), raised("ValueError", "boom"));
}

TEST_P(python_client_quarq_worker, arguments_that_do_not_fit_are_a_type_error) {
  worker_.start();
  EXPECT_EQ(python("print(c.enqueue_job('add', 1, 'two').outcome())"),
            raised("TypeError", "add: argument 2 (right): expected integer, got string"));
  EXPECT_EQ(python("print(c.enqueue_job('add', 1).outcome())"),
            raised("TypeError", "add: expected 2 arguments, got 1"));
  EXPECT_EQ(python("print(c.enqueue_job('add', 1, 2, left=3).outcome())"),
            raised("TypeError", "add: argument 1 (left) is given twice: by position and by name"));
}

TEST_P(python_client_quarq_worker, a_function_that_is_not_there_is_what_arq_says) {
  auto how = options();
  how.unknown_task_timeout = 1ms;
  quarq_worker impatient(how);
  impatient.start();
  const auto out = python("print(c.enqueue_job('nobody', _job_try=5).outcome())");
  EXPECT_EQ(out, is_pickle()
                     ? "raised JobExecutionFailed(\"function 'nobody' not found\")\n"
                     : "raised SerializationError(\"JobExecutionFailed: function 'nobody' not found\")\n");
}

TEST_P(python_client_quarq_worker, a_job_is_tried_as_often_as_the_worker_says) {
  worker_.start();
  EXPECT_EQ(python(R"(
print(c.enqueue_job('try_again', 3, 0).outcome())
print(c.enqueue_job('try_again', 4, 0, _job_try=4).outcome())
j = c.enqueue_job('try_again', 3, 0)
j.result(20)
print(j.result_info().job_try)
)"),
            "returned 3\nreturned 4\n3\n");
}

TEST_P(python_client_quarq_worker, a_first_try_above_the_worker_s_limit_is_what_arq_says) {
  worker_.start();
  EXPECT_EQ(python("print(c.enqueue_job('try_again', 9, 0, _job_try=7).outcome())"),
            raised("JobExecutionFailed", "max 5 retries exceeded"));
}

TEST_P(python_client_quarq_worker, a_job_s_life_is_seen) {
  python(R"(
c.enqueue_job('nap', 30, _job_id='running')
c.enqueue_job('nap', 0, _job_id='later', _defer_by=100)
c.enqueue_job('add', 1, right=2, _job_id='waiting', _queue_name='nobody serves it')
)");
  worker_.start();
  EXPECT_EQ(python(R"(
c.job('running').wait_for_status('in_progress')
print(c.job('later').status(), c.job('waiting', 'nobody serves it').status(), c.job('none').status())
print(list(c.job('waiting').info()[1]), c.job('waiting').info()[2:])
print([(j[0], j[2]) for j in c.queued_jobs()])
j = c.enqueue_job('add', 1, right=2)
j.result(20)
print(j.status(), j.info()[0], list(j.info()[1]), j.info()[2:])
r = j.result_info()
print(r.success, r.result, r.queue, r.job_id == j.job_id, r.enqueued_ms <= r.started_ms <= r.finished_ms <= now_ms() + 1000)
)"),
            "deferred queued not_found\n[1] ({'right': 2}, None)\n[('running', 'nap'), ('later', 'nap')]\n"
            "complete add [1] ({'right': 2}, 1)\nTrue 3 arq:queue True True\n");
}

TEST_P(python_client_quarq_worker, a_result_is_kept_as_long_as_the_worker_says) {
  const auto keeps = [&](const char* name, retention keep) {
    handler_options how;
    how.keep_result = keep;
    worker_.worker().handle(task<int()>{name}, [] { return 1; }, how);
  };
  keeps("kept", 90s);
  keeps("kept_for_ever", forever);
  keeps("not_kept", 0ms);
  worker_.start();
  EXPECT_EQ(
      python(R"(
c.enqueue_job('kept', _job_id='a').result(20)
c.enqueue_job('kept_for_ever', _job_id='b').result(20)
print(c.enqueue_job('not_kept', _job_id='c').outcome())
)"),
      "raised ResultNotFound('Not waiting for job result because the job is not in queue. Is the worker "
      "function configured to keep result?')\n");
  expect_ttl("arq:result:a", 60'000, 90'000);
  EXPECT_EQ(number({"PTTL", "arq:result:b"}), -1);
  EXPECT_FALSE(exists("arq:result:c"));
}

TEST_P(python_client_quarq_worker, a_failure_is_kept_as_long_as_the_worker_says_too) {
  const auto fails = [&](const char* name, std::optional<retention> keep) {
    handler_options how{.retry = backoff::none()};
    how.keep_result = keep;
    worker_.worker().handle(task<int()>{name}, []() -> int { throw std::runtime_error("no"); }, how);
  };
  fails("kept", std::nullopt);
  fails("kept_for_a_minute", 60s);
  fails("not_kept", 0ms);
  worker_.start();
  EXPECT_EQ(python(R"(
c.enqueue_job('kept', _job_id='a').outcome()
c.enqueue_job('kept_for_a_minute', _job_id='b').outcome()
for attempt in range(2):
    c.enqueue_job('not_kept', _job_id='nightly').outcome()
print(c.enqueue_job('not_kept', _job_id='nightly') is None)
)"),
            "False\n");
  expect_ttl("arq:result:a", 3'500'000, 3'600'000);
  expect_ttl("arq:result:b", 1, 60'000);
}

TEST_P(python_client_quarq_worker, nothing_of_an_ended_job_is_left_but_its_result) {
  worker_.start();
  python(
      "c.enqueue_job('add', 1, 2, _job_id='a').result(20)\nc.enqueue_job('fail', 'x', "
      "_job_id='b').outcome()");
  for (const std::string id : {"a", "b"}) {
    EXPECT_TRUE(exists("arq:result:" + id));
    for (const std::string prefix : {"arq:job:", "arq:retry:", "arq:in-progress:"})
      EXPECT_FALSE(exists(prefix + id)) << prefix << id;
  }
  EXPECT_FALSE(exists("arq:queue"));
  EXPECT_FALSE(exists("arq:abort"));
}

TEST_P(python_client_quarq_worker, while_a_job_runs_its_keys_are_those_of_arq) {
  worker_.start();
  python("c.enqueue_job('nap', 30, _job_id='a').wait_for_status('in_progress')");
  EXPECT_EQ(word({"TYPE", "arq:queue"}), "zset");
  EXPECT_FALSE(word({"ZSCORE", "arq:queue", "a"}).empty());
  EXPECT_EQ(word({"GET", "arq:retry:a"}), "1");
  expect_ttl("arq:retry:a", 88'000'000, 88'400'000);
  EXPECT_TRUE(exists("arq:job:a"));
  // Arq's 310 s would leave the job of a killed worker alone for as long.
  expect_ttl("arq:in-progress:a", 1, 30'000);
}

TEST_P(python_client_quarq_worker, ids_are_unique_against_each_other) {
  EXPECT_EQ(python(R"(
print(c.enqueue_job('add', 1, 2, _job_id='a') is None, c.enqueue_job('add', 1, 2, _job_id='a') is None)
)"),
            "False True\n");
  quarq([](queue q) -> awaitable<void> {
    std::string seen = "accepted";
    try {
      co_await q.enqueue(add(3, 4).id("a"));
    } catch (const duplicate_job& e) {
      seen = e.id();
    }
    EXPECT_EQ(seen, "a");
    co_await q.enqueue(add(3, 4).id("b"));
  });
  worker_.start();
  EXPECT_EQ(python(R"(
print(c.job('a').outcome(), c.job('b').outcome())
print(c.enqueue_job('add', 1, 2, _job_id='a'), c.enqueue_job('add', 1, 2, _job_id='b'))
)"),
            "returned 3 returned 7\nNone None\n");
}

TEST_P(python_client_quarq_worker, a_job_whose_payload_has_expired_is_what_arq_says) {
  python("c.enqueue_job('add', 1, 2, _job_id='a', _expires=0.001)");
  EXPECT_TRUE(eventually([&] { return !exists("arq:job:a"); }, default_timeout));
  worker_.start();
  EXPECT_EQ(python("print(c.job('a').outcome())"), raised("JobExecutionFailed", "job expired"));
}

TEST_P(python_client_quarq_worker, python_aborts_a_running_job) {
  worker_.start();
  const auto out = python(R"(
j = c.enqueue_job('nap', 60)
j.wait_for_status('in_progress')
try:
    print(j.abort(timeout=20))
except SerializationError as e:
    print(e)
print(c.redis.zcard('arq:abort'))
)");
  EXPECT_EQ(out, is_pickle() ? "True\n0\n" : "CancelledError: nap was cancelled while it ran\n0\n");
}

TEST_P(python_client_quarq_worker, python_aborts_a_job_that_has_not_started) {
  worker_.start();
  const auto out = python(R"(
j = c.enqueue_job('nap', 0, _defer_by=1000)
try:
    print(j.abort(timeout=20))
except SerializationError as e:
    print(str(e).split(':')[0])
print(c.redis.zcard('arq:abort'), c.queued_jobs())
)");
  EXPECT_EQ(out, is_pickle() ? "True\n0 []\n" : "CancelledError\n0 []\n");
}

TEST_P(python_client_quarq_worker, a_worker_that_comes_between_the_steps_of_an_abort_waits_for_the_second) {
  worker_.start();
  const auto out = python(R"(
def first_step():
    j = c.enqueue_job('note', 7, _defer_by=1000)
    c.redis.zadd(c.queue, {j.job_id: 1})
    while c.redis.zscore(c.queue, j.job_id) == 1:
        time.sleep(0.005)
    return j
j = first_step()
c.redis.zadd(ABORT, {j.job_id: now_ms()})
print('cancelled' in j.outcome().lower(), c.redis.zcard(ABORT))
print(first_step().outcome())
)");
  EXPECT_EQ(out, "True 0\nreturned None\n");
  EXPECT_EQ(worker_.noted(), std::vector<int>{7});
}

TEST_P(python_client_quarq_worker, deferred_jobs_run_when_they_are_due) {
  worker_.start();
  EXPECT_EQ(python(R"(
start = now_ms()
late = c.enqueue_job('add', 1, 1, _defer_by=0.3)
until = c.enqueue_job('add', 2, 2, _defer_until=dt.datetime.now(dt.timezone.utc) + dt.timedelta(seconds=0.3))
print(late.result(20), until.result(20))
for job in (late, until):
    print(job.result_info().started_ms >= start + 300)
)"),
            "2 4\nTrue\nTrue\n");
}

TEST_P(python_client_quarq_worker, a_payload_that_is_none_is_one_dead_job_and_harms_nobody) {
  worker_.start();
  EXPECT_EQ(python(R"(
import os
class Evil:
    def __reduce__(self):
        return os.system, ('touch evil',)
good = {'t': None, 'f': 'add', 'a': (1, 2), 'k': {}, 'et': now_ms()}
bad = {'time': dict(good, et='soon'), 'names': dict(good, k={1: 2}), 'short': {'f': 'add'}}
if c.dumps is pickle.dumps:
    bad['evil'] = dict(good, a=(Evil(),))
for job_id, d in bad.items():
    c.redis.psetex(JOB + job_id, 100000, c.dumps(d))
    c.redis.zadd(c.queue, {job_id: now_ms()})
print(c.enqueue_job('add', 1, 2).outcome())
for job_id in bad:
    assert 'unable to deserialize job: job payload: ' in c.job(job_id).outcome(), c.job(job_id).outcome()
print(c.enqueue_job('add', 3, 4).outcome())
)"),
            "returned 3\nreturned 7\n");
}

IN_BOTH_CODECS(python_client_quarq_worker);

}  // namespace
}  // namespace quarq::test
