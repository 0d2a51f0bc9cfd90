// Jobs that can't be run, or that harm whoever runs them, end in the dead set with their reason and their
// payload, and harm nobody else; once the cause is mended they can be sent again.
#include <quarq/msgpack.hpp>

#include "faults/fault_test.hpp"
#include "model/record.hpp"

namespace quarq::test {
namespace {

using backoff::constant;

model::record record_of(std::string task, std::string arguments, int attempts = 1) {
  model::record r;
  r.task = std::move(task);
  r.arguments = std::move(arguments);
  r.max_attempts = attempts;
  return r;
}

class bad_jobs : public fault_test {
 protected:
  /// The job is dead, says why, and has kept its payload.
  void expect_dead(const std::string& id, const std::string& type, const std::string& error,
                   const std::string& arguments) {
    wait_for_state(id, job_state::dead, 2 * soon);
    const auto seen = info(id);
    EXPECT_EQ(seen.error_type, type) << id;
    EXPECT_NE(seen.error.find(error), std::string::npos) << id << ": " << seen.error;
    EXPECT_EQ(seen.arguments, arguments) << id;
  }

  /// Innocent jobs, before, beside and after the bad ones.
  strings enqueue_good_jobs(int count) {
    strings ids;
    for (int i = 0; i < count; ++i) ids.push_back(enqueue(note(i)));
    return ids;
  }
  void expect_unharmed(const strings& good) {
    EXPECT_TRUE(eventually([&] { return past().never_ended(good).empty(); }, soon));
    for (const auto& id : good) wait_for_state(id, job_state::succeeded);
  }

  /// Starts workers again as often as a job ends their process, until the job is dead.
  void tend_until_dead(const std::string& id, const strings& flags) {
    process* worker = &start_worker(flags);
    const bool dead = eventually(
        [&] {
          if (worker->ended()) worker = &start_worker(flags);
          return state(id) == job_state::dead;
        },
        2 * soon);
    EXPECT_TRUE(dead) << "the job is " << to_string(state(id));
  }
};

TEST_P(bad_jobs, what_is_no_payload_at_all_is_dead_at_its_first_start) {
  if (GetParam() == store_kind::arq) GTEST_SKIP() << "enqueue() translates records into arq's payloads";
  enqueue_raw({{"garbage", "\xc1\xff\x80 not msgpack"},
               {"empty", ""},
               {"a number", to_msgpack(42)},
               {"cut", model::encode(record_of("note", encode_arguments(1))).substr(0, 6)},
               {"no arguments",
                "\x81\xa1"
                "f\xa4note"},
               {"no task",
                "\x81\xa1"
                "a\x90"},
               {"deep", std::string(100'000, '\x91')}});
  const auto good = enqueue_good_jobs(10);
  auto& worker = start_worker();
  for (const std::string id : {"garbage", "empty", "a number", "cut", "no arguments", "no task", "deep"}) {
    wait_for_state(id, job_state::dead);
    const auto seen = info(id);
    EXPECT_EQ(seen.error_type, "quarq::decode_error") << id;
    EXPECT_EQ(seen.error.rfind("job payload: ", 0), 0u) << id << ": " << seen.error;
    EXPECT_EQ(seen.attempts, 1) << id;
  }
  expect_unharmed(good);
  EXPECT_FALSE(worker.ended());
  // Its bytes are what they were.
  const auto kept = ask<std::optional<broker::job_details>>(
      [](broker::broker& b) { return b.inspect("default", "garbage"); });
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->record, "\xc1\xff\x80 not msgpack");
}

TEST_P(bad_jobs, wrong_arguments_are_named_and_a_worker_that_takes_them_can_run_the_job) {
  enqueue_raw({{"wrong type", model::encode(record_of("typed", encode_arguments(std::string("four"))))},
               {"wrong count", model::encode(record_of("typed", encode_arguments(1, 2)))}});
  const auto good = enqueue_good_jobs(5);
  auto& worker = start_worker();
  expect_dead("wrong type", "quarq::decode_error", "typed: argument 1 (number): expected integer, got string",
              "[\"four\"]");
  expect_dead("wrong count", "quarq::decode_error", "typed: expected 1 argument, got 2", "[1, 2]");
  expect_unharmed(good);

  worker.signal(SIGTERM);
  ASSERT_TRUE(worker.wait(soon));
  EXPECT_EQ(requeue({"wrong type"}), 1u);
  EXPECT_EQ(info("wrong type").attempts, 0);
  start_fixed_worker();
  EXPECT_EQ(result<int>("wrong type"), 4);
  EXPECT_EQ(state("wrong count"), job_state::dead);
}

TEST_P(bad_jobs, an_unknown_task_is_left_to_a_newer_worker) {
  const auto id = enqueue(new_task(5).attempts(1));
  const auto good = enqueue_good_jobs(5);
  start_worker();
  expect_unharmed(good);
  start_fixed_worker();
  EXPECT_EQ(result<int>(id), 5);
  EXPECT_EQ(info(id).attempts, 1);
}

TEST_P(bad_jobs, an_unknown_task_is_dead_after_a_while_and_can_be_run_by_a_newer_worker) {
  const auto id = enqueue(new_task(5));
  const auto good = enqueue_good_jobs(5);
  auto& worker = start_worker({"--unknown-task-timeout", "0.1"});
  expect_dead(id, "quarq::unknown_task", "no worker has had a handler for task \"new_task\" for 100 ms",
              "[5]");
  EXPECT_EQ(info(id).attempts, 1);
  expect_unharmed(good);
  worker.signal(SIGTERM);
  ASSERT_TRUE(worker.wait(soon));
  EXPECT_EQ(requeue({id}), 1u);
  start_fixed_worker();
  EXPECT_EQ(result<int>(id), 5);
  EXPECT_EQ(info(id).attempts, 1);
}

TEST_P(bad_jobs, a_handler_that_throws_each_time_ends_its_job_as_dead) {
  const auto id = enqueue(throw_it("no such \"page\"").attempts(3).backoff(constant(50ms)));
  const auto good = enqueue_good_jobs(5);
  auto& worker = start_worker();
  expect_dead(id, "std::runtime_error", "no such \"page\"", "[\"no such \\\"page\\\"\"]");
  const auto runs = past().runs_of(id);
  ASSERT_EQ(runs.size(), 3u);
  EXPECT_EQ(runs[2].attempts, 3);
  expect_unharmed(good);
  worker.signal(SIGTERM);
  ASSERT_TRUE(worker.wait(soon));
  EXPECT_EQ(requeue({}), 1u);
  start_fixed_worker();
  EXPECT_EQ(result<std::string>(id), "no such \"page\"");
}

TEST_P(bad_jobs, a_handler_that_crashes_its_worker_each_time_ends_its_job_as_dead) {
  for (const std::string how : {"segv", "abort", "exit"}) {
    SCOPED_TRACE(how);
    const auto id = enqueue(crash(how).attempts(1));
    const auto good = enqueue_good_jobs(20);
    tend_until_dead(id, lease(1));
    expect_dead(id, "quarq::worker_lost", "crash was lost with its worker 5 times", "[\"" + how + "\"]");
    // A loss is no attempt. One that was pushed and ended its worker before that could say so has not been
    // counted.
    const auto runs = past().runs_of(id).size();
    EXPECT_TRUE(runs == 5 || (on_redis() && runs == 6)) << runs;
    expect_unharmed(good);
  }
}

TEST_P(bad_jobs, a_job_that_crashed_its_workers_runs_again_once_it_is_mended) {
  const auto id = enqueue(crash("kill").attempts(1));
  tend_until_dead(id, {"--lease", "1", "--max-losses", "2"});
  for (auto& p : processes()) p.signal(SIGTERM);
  for (auto& p : processes()) ASSERT_TRUE(p.wait(soon));
  EXPECT_EQ(requeue({id}), 1u);
  start_fixed_worker();
  EXPECT_EQ(result<std::string>(id), "kill");
}

ON_EACH_BROKER(bad_jobs);

}  // namespace
}  // namespace quarq::test
