// What a worker's command line does, in a process of its own.
#include <gtest/gtest.h>

#include <quarq/quarq.hpp>

#include "programs/fault_tasks.hpp"
#include "support/on_loop.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace quarq::test::worker_main_tests {
namespace {

using namespace std::chrono_literals;

class worker_main : public testing::Test {
 protected:
  void enqueue(int count) {
    const auto client = [&]() -> awaitable<void> {
      queue q(url_);
      for (int i = 0; i < count; ++i) co_await q.enqueue(note(4711));
    };
    run_on_loop(client);
  }

  /// Its log, when it has ended by itself.
  std::string run(std::vector<std::string> options) {
    options.insert(options.begin(), {program("fault_worker"), "--broker", url_});
    process worker(std::move(options));
    const auto end = worker.wait(default_timeout);
    EXPECT_TRUE(end && end->code == 0) << worker.log();
    return worker.log();
  }

  static int count(const std::string& text, const std::string& in) {
    int found = 0;
    for (auto at = in.find(text); at != std::string::npos; at = in.find(text, at + 1)) ++found;
    return found;
  }

  temp_dir dir_;
  std::string url_ = "sqlite:" + (dir_ / "jobs.db");
};

TEST_F(worker_main, logs_results_unless_told_not_to) {
  enqueue(1);
  auto log = run({"--burst"});
  EXPECT_EQ(count("finished task=note", log), 1) << log;
  EXPECT_EQ(count("result=4711", log), 1) << log;
  enqueue(1);
  log = run({"--burst", "--no-log-results"});
  EXPECT_EQ(count("finished task=note", log), 1) << log;
  EXPECT_EQ(count("result", log), 0) << log;
}

TEST_F(worker_main, a_burst_may_be_limited_to_some_jobs) {
  enqueue(5);
  auto log = run({"--burst", "--max-jobs", "2"});
  EXPECT_EQ(count("finished task=note", log), 2) << log;
  log = run({"--burst", "--max-jobs", "10"});
  EXPECT_EQ(count("finished task=note", log), 3) << log;
}

}  // namespace
}  // namespace quarq::test::worker_main_tests
