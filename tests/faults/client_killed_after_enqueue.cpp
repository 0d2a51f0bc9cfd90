// A client dies (SIGKILL) as soon as it has been told that its jobs are stored.
#include "faults/fault_test.hpp"

namespace quarq::test {
namespace {

class client_killed_after_enqueue : public fault_test {};

TEST_P(client_killed_after_enqueue, the_acknowledged_job_is_there_and_runs) {
  auto& client = start_client({"--count", "1", "--linger"});
  ASSERT_TRUE(eventually([&] { return client.lines().size() == 1; }, soon));
  kill(client);
  const auto id = client.lines().front();
  EXPECT_EQ(state(id), job_state::queued);
  start_worker();
  EXPECT_EQ(result<int>(id), 0);
}

TEST_P(client_killed_after_enqueue, in_the_middle_of_its_work_every_acknowledged_job_is_there) {
  auto& client = start_client({"--count", "0", "--at-once", "7", "--in-flight", "3"});
  ASSERT_TRUE(eventually([&] { return client.lines().size() >= 200; }, soon));
  kill(client);
  const auto ids = client.lines();
  start_worker();
  ASSERT_TRUE(eventually([&] { return past().never_ended(ids).empty(); }, soon));
  EXPECT_EQ(past().run_more_than_once(), strings());
}

ON_EACH_BROKER(client_killed_after_enqueue);

}  // namespace
}  // namespace quarq::test
