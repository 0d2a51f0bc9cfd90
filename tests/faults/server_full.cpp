// Redis has no memory left (maxmemory with noeviction): it takes no more jobs, and those it has are drained.
#include <algorithm>

#include "faults/fault_test.hpp"

namespace quarq::test {
namespace {

class server_full : public fault_test {
 protected:
  /// From now on it refuses whatever needs memory, however much is freed meanwhile.
  void fill_up() {
    redis().command({"CONFIG", "SET", "maxmemory-policy", "noeviction"});
    redis().command({"CONFIG", "SET", "maxmemory", "1kb"});
  }
  void make_room() { redis().command({"CONFIG", "SET", "maxmemory", "0"}); }

  /// The server knows that the pushed job has come: from now on it counts as an attempt.
  void wait_until_counted() {
    EXPECT_TRUE(eventually(
        [&] {
          const auto keys = redis().keys();
          return std::none_of(keys.begin(), keys.end(),
                              [](const auto& key) { return key.find(":pushed:") != std::string::npos; });
        },
        soon));
  }

  strings enqueue_many(int count) {
    strings ids;
    for (int i = 0; i < count; ++i) ids.push_back(enqueue(note(i)));
    return ids;
  }
  void expect_each_ran_once(const strings& ids) {
    for (std::size_t i = 0; i < ids.size(); ++i) {
      EXPECT_EQ(result<int>(ids[i]), static_cast<int>(i));
      EXPECT_EQ(past().runs_of(ids[i]).size(), 1u);
    }
  }
};

TEST_P(server_full, a_worker_starts_and_drains_what_there_is) {
  const auto ids = enqueue_many(100);
  fill_up();
  EXPECT_THROW(enqueue(note(1)), broker_error);
  auto& worker = start_worker();
  EXPECT_TRUE(eventually([&] { return summary().queued == 0 && summary().running == 0; }, soon));
  EXPECT_FALSE(worker.ended());
  EXPECT_EQ(worker.log().find("could not"), std::string::npos) << worker.log();
  expect_each_ran_once(ids);
  make_room();
  EXPECT_EQ(result<int>(enqueue(note(7))), 7);
}

TEST_P(server_full, what_runs_is_recorded_and_what_a_killed_worker_held_is_found) {
  auto& victim = start_worker(lease(1));
  const auto lost = enqueue(wait_for_gate(gate()));
  wait_for_start(lost);
  wait_until_counted();
  fill_up();
  auto& other = start_worker(lease(1));
  kill(victim);
  EXPECT_EQ(wait_for_start(lost, 2).pid, other.pid());
  open_gate();
  EXPECT_EQ(result<std::string>(lost), std::to_string(other.pid()) + " try 1");
  other.signal(SIGTERM);
  const auto end = other.wait(soon);
  ASSERT_TRUE(end) << "it did not end";
  EXPECT_EQ(end->code, 0);
  EXPECT_EQ(other.log().find("could not"), std::string::npos) << other.log();
}

INSTANTIATE_TEST_SUITE_P(on, server_full, testing::Values(store_kind::redis, store_kind::arq), kind_name);

}  // namespace
}  // namespace quarq::test
