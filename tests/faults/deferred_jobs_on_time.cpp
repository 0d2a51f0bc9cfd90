// Deferred jobs start when they are due, though nobody polls. This is the one place where time itself is
// tested.
#include <algorithm>

#include "faults/fault_test.hpp"

namespace quarq::test {
namespace {

class deferred_jobs_on_time : public fault_test {
 protected:
  /// How much later than due each of them started; negative if earlier.
  std::vector<double> lateness_ms(const std::map<std::string, job_info::time_point>& due) {
    std::vector<double> late;
    const auto all = past();
    for (const auto& run : all.runs()) {
      const auto wanted = due.find(run.id);
      if (wanted == due.end()) continue;
      late.push_back(std::chrono::duration<double, std::milli>(run.started - wanted->second).count());
    }
    std::sort(late.begin(), late.end());
    return late;
  }

  void expect_on_time(const std::map<std::string, job_info::time_point>& due) {
    wait_for_ends(due.size());
    const auto late = lateness_ms(due);
    ASSERT_EQ(late.size(), due.size());
    EXPECT_GE(late.front(), 0) << "one started before its time";
  }
};

TEST_P(deferred_jobs_on_time, none_starts_before_its_time_and_all_start) {
  start_worker();
  std::map<std::string, job_info::time_point> due;
  for (int i = 0; i < 20; ++i) {
    const auto id = enqueue(note(i).delay(1500ms + 90ms * i));
    const auto seen = info(id);
    ASSERT_TRUE(seen.due_at) << to_string(seen.state);
    due[id] = *seen.due_at;
  }
  expect_on_time(due);
}

TEST_P(deferred_jobs_on_time, one_that_is_due_sooner_does_not_wait_for_one_that_is_due_later) {
  start_worker();
  enqueue(note(0).delay(1h));
  std::map<std::string, job_info::time_point> due;
  // Each is due sooner than those enqueued before it.
  for (int i = 10; i > 0; --i) {
    const auto id = enqueue(note(i).delay(200ms * i + 1500ms));
    const auto seen = info(id);
    ASSERT_TRUE(seen.due_at) << to_string(seen.state);
    due[id] = *seen.due_at;
  }
  expect_on_time(due);
}

TEST_P(deferred_jobs_on_time, a_moment_of_the_clock_works_as_a_delay_does) {
  start_worker();
  std::map<std::string, job_info::time_point> due;
  const auto first = std::chrono::floor<milliseconds>(std::chrono::system_clock::now()) + 1s;
  for (int i = 0; i < 10; ++i) {
    const auto when = first + 100ms * i;
    due[enqueue(note(i).at(when))] = when;
  }
  expect_on_time(due);
}

ON_EACH_BROKER(deferred_jobs_on_time);

}  // namespace
}  // namespace quarq::test
