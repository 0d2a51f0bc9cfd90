// A worker stands still (SIGSTOP) while jobs are enqueued: what is given to it all the same has not been started,
// and that is no attempt.
#include <csignal>

#include "faults/fault_test.hpp"

namespace quarq::test {
namespace {

class given_to_a_stopped_worker : public fault_test {};

TEST_P(given_to_a_stopped_worker, jobs_with_one_attempt_all_run) {
  auto& stopped = start_worker(lease(1));
  start_worker(lease(1));
  freeze(stopped);
  strings ids;
  for (int i = 0; i < 10; ++i) ids.push_back(enqueue(note(i).attempts(1)));
  for (int i = 0; i < 10; ++i) {
    const auto& id = ids[static_cast<std::size_t>(i)];
    EXPECT_EQ(result<int>(id), i);
    EXPECT_EQ(past().runs_of(id).size(), 1u);
  }
  // What was given to it lies in its socket when it goes on, and has ended elsewhere.
  stopped.thaw();
  stopped.signal(SIGTERM);
  ASSERT_TRUE(stopped.wait(soon)) << "it did not end";
  for (const auto& id : ids) EXPECT_EQ(past().runs_of(id).size(), 1u);
}

ON_EACH_BROKER(given_to_a_stopped_worker);

}  // namespace
}  // namespace quarq::test
