// A job that ends its worker's process whenever it is started, beside others that do no harm: it alone ends as
// dead. A job that only waits where workers are killed does not.
#include "faults/fault_test.hpp"

namespace quarq::test {
namespace {

/// More than a job may be lost, in case a push of one was not confirmed in time.
constexpr int most_workers = 10;

class suspects_run_alone : public fault_test {
 protected:
  /// What a supervisor does: starts the worker again as often as it ends, until all these jobs have ended.
  void supervise_until_ended(const strings& ids) {
    const auto flags = with(lease(1), at_once_);
    process* worker = &begin_worker(flags);
    int started = 1;
    const bool over = eventually(
        [&] {
          if (worker->ended() && started < most_workers) {
            worker = &begin_worker(flags);
            ++started;
          }
          return all_ended(ids);
        },
        2 * soon);
    EXPECT_TRUE(over) << started << " workers were started";
  }
  static strings with(strings flags, const strings& more) {
    flags.insert(flags.end(), more.begin(), more.end());
    return flags;
  }
  strings at_once_;
  bool all_ended(const strings& ids) {
    for (const auto& id : ids) {
      if (!is_final(state(id))) return false;
    }
    return true;
  }
};

TEST_P(suspects_run_alone, so_that_those_beside_the_one_that_kills_its_worker_succeed) {
  strings good;
  std::string bad;
  for (int i = 0; i < 20; ++i) {
    if (i == 10) bad = enqueue(crash("kill"));
    good.push_back(enqueue(note_slowly(i, 100)));
  }
  auto all = good;
  all.push_back(bad);
  supervise_until_ended(all);

  const auto seen = info(bad);
  EXPECT_EQ(seen.state, job_state::dead);
  EXPECT_NE(seen.error.find("crash was lost with its worker 5 times"), std::string::npos) << seen.error;
  EXPECT_EQ(past().runs_of(bad).size(), 5u);
  for (const auto& id : good) {
    EXPECT_EQ(state(id), job_state::succeeded) << id;
    EXPECT_EQ(info(id).attempts, 1) << id;
  }
}

// Both in the one slot of the one worker.
TEST_P(suspects_run_alone, and_yet_may_wait_for_a_job_that_their_worker_is_to_run) {
  at_once_ = {"--concurrency", "1"};
  const auto id = enqueue(crash_then_await(7));
  supervise_until_ended({id});
  EXPECT_EQ(state(id), job_state::succeeded);
  EXPECT_GE(past().runs_of(id).size(), 3u);
  EXPECT_EQ(info(id).result, "7");
}

// Each time beside a job that its worker is at.
TEST_P(suspects_run_alone, and_are_not_counted_as_lost_while_they_wait_for_that) {
  const auto one_slot = with(lease(1), {"--concurrency", "1"});
  const auto id = enqueue(wait_for_gate(gate()));
  auto& first = start_worker(one_slot);
  wait_for_start(id);
  kill(first);
  process* holder = &start_worker(one_slot);
  wait_for_start(id, 2);
  for (int kills = 1; kills <= 7; ++kills) {
    auto& next = start_worker(lease(1));
    const auto busy = enqueue(wait_for_gate(gate("beside " + std::to_string(kills))));
    wait_for_start(busy);
    kill(*holder);
    ASSERT_TRUE(next.logs("alone    ", soon)) << "after " << kills << " kills\n" << tail(next.log());
    open_gate("beside " + std::to_string(kills - 1));
    holder = &next;
  }
  EXPECT_EQ(info(id).losses, 2);
  open_gate("beside 7");
  wait_for_start(id, 3);
  open_gate();
  EXPECT_FALSE(result<std::string>(id).empty());
  EXPECT_EQ(past().runs_of(id).size(), 3u);
}

INSTANTIATE_TEST_SUITE_P(on, suspects_run_alone,
                         testing::Values(store_kind::sqlite, store_kind::redis, store_kind::arq),
                         [](const auto& kind) { return testing::PrintToString(kind.param); });

}  // namespace
}  // namespace quarq::test
