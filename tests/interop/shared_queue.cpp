// Workers of both kinds on one queue.
#include <algorithm>
#include <csignal>
#include <mutex>
#include <set>

#include "interop/arq_lab.hpp"

namespace quarq::test {
namespace {

class shared_queue : public arq_lab {
 protected:
  static std::vector<int> numbers(int from, int to) {
    std::vector<int> all;
    for (int i = from; i < to; ++i) all.push_back(i);
    return all;
  }
};

TEST_P(shared_queue, every_job_runs_once) {
  constexpr int of_each = 400;
  quarq_worker ours(options());
  const auto first = python_worker(), second = python_worker({"--max-jobs", "100"});
  ours.start();
  python("for n in range(" + std::to_string(of_each) + "): c.enqueue_job('note', n)");
  quarq([](queue q) -> awaitable<void> {
    std::vector<call<void>> calls;
    for (const int n : numbers(of_each, 2 * of_each)) calls.push_back(note(n));
    co_await q.enqueue(std::move(calls));
  });
  EXPECT_TRUE(eventually([&] { return !exists("arq:queue"); }, 2 * default_timeout));
  ours.stop();
  auto ran = ours.noted();
  for (const auto& n : words({"LRANGE", "test:ran", "0", "-1"})) ran.push_back(std::stoi(n));
  std::ranges::sort(ran);
  EXPECT_EQ(ran, numbers(0, 2 * of_each));
}

TEST_P(shared_queue, a_job_that_python_hands_back_runs_at_ours) {
  const auto python = python_worker();
  arq_lab::python("c.enqueue_job('nap_at_first', _job_id='a')");
  EXPECT_TRUE(eventually([&] { return exists("test:started"); }, default_timeout));
  python->signal(SIGTERM);
  EXPECT_TRUE(python->wait(default_timeout));
  quarq_worker ours(options());
  ours.start();
  EXPECT_EQ(arq_lab::python("print(c.job('a').outcome())\nprint(c.job('a').result_info().job_try)"),
            "returned 'slept'\n2\n");
}

TEST_P(shared_queue, a_job_of_a_killed_python_worker_runs_at_ours_when_arq_s_time_is_over) {
  const auto theirs = python_worker();
  python("c.enqueue_job('nap_at_first', _job_id='a')");
  EXPECT_TRUE(eventually([&] { return exists("test:started"); }, default_timeout));
  theirs->kill();
  quarq_worker ours(options());
  ours.start();
  // Nobody can know before that it is gone: 310 s, by default.
  EXPECT_GT(number({"PTTL", "arq:in-progress:a"}), 250'000);
  EXPECT_EQ(python("print(c.enqueue_job('add', 1, 2).outcome(), c.job('a').status())"),
            "returned 3 in_progress\n");
  number({"PEXPIRE", "arq:in-progress:a", "1"});
  EXPECT_EQ(python("print(c.job('a').outcome())"), "returned 'slept'\n");
}

TEST_P(shared_queue, a_job_of_a_killed_worker_of_ours_runs_at_python_s_within_seconds) {
  process ours({program("fault_worker"), "--broker", url(), "--lease", "2"});
  python(R"(
c.enqueue_job('wait_for_gate', '/nowhere', _job_id='a').wait_for_status('in_progress')
)");
  ours.kill();
  const auto theirs = python_worker();
  EXPECT_EQ(python("print(c.job('a').outcome())\nprint(c.job('a').result_info().job_try)"),
            "returned 'in Python'\n2\n");
}

TEST_P(shared_queue, no_abort_around_the_end_of_a_job_overwrites_its_result) {
  if (GetParam().arq.empty()) GTEST_SKIP() << "arq's own Job.abort() is what this is about";
  constexpr task<void(double)> brief{"brief", "seconds"};
  std::mutex mutex;
  std::vector<std::string> ran;
  quarq_worker ours(options());
  ours.worker().handle(brief, [&](context& ctx, double seconds) -> awaitable<void> {
    co_await sleep_for(std::chrono::milliseconds(static_cast<int>(seconds * 1000)));
    const std::lock_guard lock(mutex);
    ran.push_back(ctx.id());
  });
  ours.start();
  // It would take what the abort of a job leaves behind.
  const auto theirs = python_worker({"--allow-abort-jobs"});
  // Ours notices its health record with the next renewal, and takes care from then on.
  ASSERT_TRUE(eventually([&] { return exists("arq:queue:quarq:python"); }, default_timeout));
  // On a busy machine all aborts of a round may come too early.
  const auto none_ran_to_its_end = [&] {
    const std::lock_guard lock(mutex);
    return ran.empty();
  };
  for (int round = 0; round < 10 && none_ran_to_its_end(); ++round) {
    python("abort_around_the_end(c, 240, 0.05, " + std::to_string(240 * round) + ")");
    EXPECT_TRUE(eventually([&] { return !exists("arq:queue"); }, default_timeout));
  }
  std::string ids;
  {
    const std::lock_guard lock(mutex);
    EXPECT_FALSE(ran.empty());
    for (const auto& id : ran) ids += "'" + id + "',";
  }
  EXPECT_EQ(python("print([(i, c.job(i).result_info().result) for i in [" + ids +
                   "] if not c.job(i).result_info().success])"),
            "[]\n");
}

TEST_P(shared_queue, a_cron_job_that_only_python_has_keeps_all_its_runs) {
  quarq_worker first(options()), second(options());
  first.start();
  second.start();
  const auto theirs = python_worker({"--cron", "tick", "--microsecond", "123456", "--poll-delay", "0.5"});
  // The times of those that ran, in a row from the first on.
  const auto in_a_row = [&] {
    std::set<std::int64_t> times;
    for (const auto& id : words({"LRANGE", "test:ticks", "0", "-1"})) {
      times.insert(std::stoll(id.substr(std::string("cron:tick:").size())));
    }
    int count = 0;
    for (auto at = times.empty() ? 0 : *times.begin(); times.contains(at); at += 1000) ++count;
    return count;
  };
  EXPECT_TRUE(eventually([&] { return in_a_row() >= 6; }, default_timeout)) << in_a_row();
}

TEST_P(shared_queue, a_cron_job_of_python_s_runs_once_wherever_it_is_claimed) {
  constexpr task<void()> tick{"cron:tick"};
  std::atomic<int> here{0};
  quarq_worker ours(options());
  ours.worker().handle(tick, [&] { ++here; });
  ours.start();
  const auto first = python_worker({"--cron", "tick"}), second = python_worker({"--cron", "tick"});
  const auto there = [&] { return words({"LRANGE", "test:ticks", "0", "-1"}); };
  EXPECT_TRUE(eventually([&] { return here + static_cast<int>(there().size()) >= 3; }, default_timeout));
  const auto ticks = there();
  EXPECT_EQ(std::set<std::string>(ticks.begin(), ticks.end()).size(), ticks.size());
  for (const auto& id : ticks) EXPECT_EQ(id.rfind("cron:tick:", 0), 0u);
}

TEST_P(shared_queue, a_cron_job_that_both_have_runs_once_at_each_of_its_times) {
  std::mutex mutex;
  std::vector<std::string> here;
  quarq_worker first(options()), second(options());
  for (auto* w : {&first, &second}) {
    w->worker().cron("tick",
                     [&](context& ctx) {
                       const std::lock_guard lock(mutex);
                       here.push_back(ctx.id());
                     },
                     {.second = "*"});
    w->start();
  }
  const auto third = python_worker({"--cron", "tick"}), fourth = python_worker({"--cron", "tick"});
  const auto all = [&] {
    auto runs = words({"LRANGE", "test:ticks", "0", "-1"});
    const std::lock_guard lock(mutex);
    runs.insert(runs.end(), here.begin(), here.end());
    return runs;
  };
  EXPECT_TRUE(eventually([&] { return all().size() >= 5; }, default_timeout));
  auto runs = all();
  std::ranges::sort(runs);
  EXPECT_EQ(std::ranges::adjacent_find(runs), runs.end());
  for (const auto& id : runs) {
    EXPECT_EQ(id.rfind("cron:tick:", 0), 0u) << id;
    EXPECT_EQ(id.substr(id.size() - 3), "000") << id;
  }
}

TEST_P(shared_queue, a_retry_that_ours_asks_for_is_run_by_python_when_it_is_due) {
  quarq_worker ours(options());
  ours.start();
  const auto seen = python(R"(
before = now_ms()
c.enqueue_job('try_again', 2, 3, _job_id='a').wait_for_status('deferred')
due = c.redis.zscore('arq:queue', 'a')
print(before + 3000 <= due <= now_ms() + 3000)
c.redis.set('noted', due)
)");
  EXPECT_EQ(seen, "True\n");
  ours.stop();
  const auto theirs = python_worker();
  EXPECT_EQ(python(R"(
print(c.job('a').result(20))
print(float(c.redis.get('noted')) <= c.job('a').result_info().started_ms, c.job('a').result_info().job_try)
)"),
            "2\nTrue 2\n");
}

IN_BOTH_CODECS(shared_queue);

}  // namespace
}  // namespace quarq::test
