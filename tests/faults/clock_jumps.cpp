// The wall clock of the machine is set by an hour, to and fro, while workers that are well run jobs: none of
// them loses its jobs, and a worker that is killed at that moment is found. On Redis it is the server's clock,
// too.
#include <algorithm>
#include <cstdlib>
#include <stdexcept>

#include <fmt/format.h>

#include "faults/fault_test.hpp"
#include "soak/wall_clock.hpp"

namespace quarq::test {
namespace {

/// All processes that are started meanwhile go by it. What runs the test does not.
class settable_wall_clock {
 public:
  settable_wall_clock() {
    for (const auto& [name, value] : clock_.environment()) ::setenv(name.c_str(), value.c_str(), 1);
  }
  ~settable_wall_clock() {
    for (const auto& [name, value] : clock_.environment()) ::unsetenv(name.c_str());
  }
  settable_wall_clock(const settable_wall_clock&) = delete;
  settable_wall_clock& operator=(const settable_wall_clock&) = delete;

  void set(std::chrono::microseconds ahead) { clock_.set(ahead); }

 private:
  temp_dir folder_;
  soak::wall_clock clock_{folder_ / "clock"};
};

/// The clock is there before the server is.
class clock_jumps : public settable_wall_clock, public fault_test {
 protected:
  static constexpr std::size_t workers = 6;

  void SetUp() override {
    if (!soak::clocks_can_be_set()) GTEST_SKIP() << "a sanitizer's processes can't have another clock";
  }
  process& start_worker_with_one_slot() {
    auto flags = lease(2);
    flags.insert(flags.end(), {"--concurrency", "1"});
    return start_worker(flags);
  }
  void wait_until_the_store_knows(const process& worker) {
    const auto name_ends = fmt::format(":{}", worker.pid());
    const bool is_known = eventually(
        [&] {
          const auto all = ask<std::vector<broker::worker_summary>>(
              [](broker::broker& b) { return b.workers("default"); });
          return std::any_of(all.begin(), all.end(), [&](const broker::worker_summary& each) {
            return each.worker_info.find(name_ends) != std::string::npos;
          });
        },
        soon);
    if (!is_known) throw std::runtime_error("a worker opened no lease");
  }
  /// Of a job that ends when the gate is opened. All other workers have one.
  std::string give_a_job_to(const process& worker) {
    auto id = enqueue(wait_for_gate(gate()));
    EXPECT_EQ(wait_for_start(id).pid, worker.pid());
    return id;
  }
};

TEST_P(clock_jumps, no_worker_that_is_well_loses_a_job_and_a_killed_one_is_found) {
  strings kept, lost;
  for (std::size_t i = 0; i < workers; ++i) kept.push_back(give_a_job_to(start_worker_with_one_slot()));
  for (const auto ahead : {1h, -1h, 0h}) {
    auto& victim = start_worker_with_one_slot();
    lost.push_back(give_a_job_to(victim));
    // There before: the first to come after a silence takes the others for lost (docs/delivery.md).
    const auto& heir = start_worker_with_one_slot();
    wait_until_the_store_knows(heir);
    set(ahead);
    kill(victim);
    EXPECT_EQ(wait_for_start(lost.back(), 2).pid, heir.pid());
  }
  open_gate();
  for (const auto& id : kept) {
    EXPECT_TRUE(result<std::string>(id).ends_with(" try 1"));
    EXPECT_EQ(past().runs_of(id).size(), 1u);
  }
  for (const auto& id : lost) {
    result<std::string>(id);
    EXPECT_EQ(past().runs_of(id).size(), 2u);
  }
  for (const auto& p : processes()) EXPECT_EQ(p.log().find("lease lost"), std::string::npos) << p.pid();
}

ON_EACH_BROKER(clock_jumps);

}  // namespace
}  // namespace quarq::test
