// What keeps the jobs goes away and comes back, while a client sends and two workers run jobs: redis-server
// is killed and restarted; the file of SQLite is locked by somebody else.
#include <sqlite3.h>

#include "faults/fault_test.hpp"

namespace quarq::test {
namespace {

/// A lock on the file, held by a process that is neither client nor worker.
class file_lock {
 public:
  explicit file_lock(const std::string& file) {
    sqlite3_open(file.c_str(), &opened_);
    sqlite3_busy_timeout(opened_, 10'000);
    held_ = sqlite3_exec(opened_, "BEGIN EXCLUSIVE", nullptr, nullptr, nullptr) == SQLITE_OK;
  }
  ~file_lock() { sqlite3_close(opened_); }
  file_lock(const file_lock&) = delete;
  file_lock& operator=(const file_lock&) = delete;

  bool held() const noexcept { return held_; }

 private:
  sqlite3* opened_ = nullptr;
  bool held_ = false;
};

class redis_restarted_under_load : public fault_test {
 protected:
  redis_restarted_under_load() : fault_test("always") {}

  /// Until more jobs have been acknowledged and more have run, which only a store that works again makes
  /// possible.
  void wait_for_progress(const process& client) {
    const auto sent = client.lines().size();
    const auto ended = past().ended_runs();
    const bool both = eventually(
        [&] { return client.lines().size() > sent + 50 && past().ended_runs() > ended + 50; }, soon);
    ASSERT_TRUE(both) << client.lines().size() - sent << " more jobs were acknowledged and "
                      << past().ended_runs() - ended << " more have run";
  }

  void take_away_and_bring_back() {
    if (on_redis()) {
      redis().kill();
      redis().restart();
    } else {
      const file_lock lock(file());
      ASSERT_TRUE(lock.held());
      // Longer than a worker's next look at its lease, so that it meets the lock.
      std::this_thread::sleep_for(1500ms);
    }
  }

  void expect_all_ran(const process& client) {
    const auto ids = client.lines();
    EXPECT_TRUE(eventually([&] { return past().never_ended(ids).empty(); }, soon))
        << past().never_ended(ids).size() << " of " << ids.size() << " acknowledged jobs did not run";
  }
};

TEST_P(redis_restarted_under_load, clients_and_workers_go_on_and_every_acknowledged_job_runs) {
  auto& first = start_worker();
  auto& second = start_worker();
  auto& client = start_client({"--count", "0", "--at-once", "5", "--in-flight", "4", "--pause-ms", "2"});
  for (int i = 0; i < 4; ++i) {
    wait_for_progress(client);
    if (HasFatalFailure()) return;
    take_away_and_bring_back();
  }
  wait_for_progress(client);
  EXPECT_FALSE(client.ended());
  kill(client);
  expect_all_ran(client);
  EXPECT_FALSE(first.ended());
  EXPECT_FALSE(second.ended());
}

TEST_P(redis_restarted_under_load, a_job_that_ran_meanwhile_is_recorded_once) {
  auto& worker = start_worker();
  const auto id = enqueue(wait_for_gate(gate()));
  wait_for_start(id);
  if (on_redis()) redis().kill();
  {
    std::unique_ptr<file_lock> lock;
    if (!on_redis()) lock = std::make_unique<file_lock>(file());
    open_gate();
    wait_for_ends(1);
  }
  if (on_redis()) redis().restart();
  EXPECT_EQ(result<std::string>(id), std::to_string(worker.pid()) + " try 1");
  EXPECT_EQ(past().runs_of(id).size(), 1u);
}

/// A file has no server that could be away.
class redis_away : public fault_test {};

TEST_P(redis_away, a_worker_without_its_server_still_ends_on_a_signal) {
  auto& worker = start_worker(shutdown_timeout(0));
  const auto id = enqueue(wait_for_gate(gate()));
  wait_for_start(id);
  redis().kill();
  worker.signal(SIGTERM);
  ASSERT_TRUE(worker.wait(soon)) << "it did not end";
  redis().restart();
  open_gate();
  auto& next = start_worker();
  // Counted only if the worker could still say that the job had come.
  const auto by = result<std::string>(id);
  EXPECT_TRUE(by.starts_with(std::to_string(next.pid()) + " try ")) << by;
}

TEST_P(redis_away, a_worker_that_has_not_found_its_server_yet_ends_on_a_signal) {
  redis().kill();
  auto& worker = begin_worker();
  ASSERT_TRUE(worker.logs("connecting again", soon)) << "it says nothing about its server";
  worker.signal(SIGTERM);
  const auto end = worker.wait(soon);
  ASSERT_TRUE(end) << "it did not end";
  EXPECT_EQ(end->code, 0) << "signal " << end->signal;
}

TEST_P(redis_away, a_worker_waits_for_its_server_and_then_serves) {
  redis().kill();
  auto& worker = begin_worker();
  ASSERT_TRUE(worker.logs("connecting again", soon)) << "it says nothing about its server";
  redis().restart();
  wait_until_serving(worker);
  EXPECT_EQ(result<int>(enqueue(note(7))), 7);
}

ON_EACH_BROKER(redis_restarted_under_load);
INSTANTIATE_TEST_SUITE_P(on, redis_away, testing::Values(store_kind::redis, store_kind::arq), kind_name);

}  // namespace
}  // namespace quarq::test
