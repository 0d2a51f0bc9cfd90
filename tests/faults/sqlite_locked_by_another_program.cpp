// Another program holds the file's write lock for about as long as a lease lasts, and for longer: no worker
// that lives loses its jobs, and one that is killed meanwhile is found.
#include <algorithm>
#include <thread>

#include "faults/fault_test.hpp"
#include "support/locked_file.hpp"

namespace quarq::test {
namespace {

class sqlite_locked_by_another_program : public fault_test {
 protected:
  /// Workers of other processes wait for the file during this.
  void hold_lock(milliseconds time, const std::function<void()>& meanwhile) {
    const locked_file held(file());
    meanwhile();
    std::this_thread::sleep_for(time);
  }

  std::size_t starts() const {
    std::size_t count = 0;
    for (const auto& id : ids_) count += past().runs_of(id).size();
    return count;
  }

  strings ids_;
};

TEST_P(sqlite_locked_by_another_program, no_living_worker_loses_a_job_and_a_killed_one_is_found) {
  constexpr std::size_t workers = 6;
  for (std::size_t i = 0; i < workers; ++i) {
    start_worker({"--concurrency", "1"});
    ids_.push_back(enqueue(wait_for_gate(gate())));
    wait_for_start(ids_.back());
  }
  start_worker();
  for (const auto time : {3'000ms, 6'600ms, 20'000ms}) hold_lock(time, [] {});
  EXPECT_EQ(starts(), workers);

  const auto first = past().runs_of(ids_.front()).front();
  const auto victim = std::find_if(processes().begin(), processes().end(),
                                   [&](const process& p) { return p.pid() == first.pid; });
  ASSERT_TRUE(victim != processes().end());
  hold_lock(6'600ms, [&] { kill(*victim); });
  const auto unlocked = now_micros();
  const auto again = wait_for_start(ids_.front(), 2);
  EXPECT_LE(again.started - unlocked, 10s * slowness);

  open_gate();
  for (const auto& id : ids_) result<std::string>(id);
  EXPECT_EQ(starts(), workers + 1);
  for (const auto& p : processes()) EXPECT_EQ(p.log().find("lease lost"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(on, sqlite_locked_by_another_program, testing::Values(store_kind::sqlite),
                         kind_name);

}  // namespace
}  // namespace quarq::test
