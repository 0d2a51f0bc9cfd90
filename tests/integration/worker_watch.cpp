// --watch: a worker's program starts again when it, or what it is made of, changes. Real programs, real
// files.
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "integration/worker_test.hpp"
#include "programs/fault_tasks.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace quarq::test::worker_watch_tests {
namespace {

namespace fs = std::filesystem;

constexpr const char* serves = "serves default at";

class worker_watch : public testing::Test {
 protected:
  worker_watch() {
    fs::create_directories(watched_);
    fs::copy_file(program("fault_worker"), program_);
  }

  /// A worker whose program stands alone in a folder, and who watches another one, in which its jobs are.
  process start(std::vector<std::string> more = {}) {
    std::vector<std::string> words{program_, "--broker", url_, "--watch", watched_};
    words.insert(words.end(), more.begin(), more.end());
    return process(std::move(words));
  }
  std::size_t starts(const process& worker) const {
    const auto log = worker.log();
    std::size_t count = 0;
    for (auto at = log.find(serves); at != std::string::npos; at = log.find(serves, at + 1)) ++count;
    return count;
  }
  bool has_started(const process& worker, std::size_t times) const {
    return eventually([&] { return starts(worker) == times; }, default_timeout);
  }
  void write(const std::string& file, const std::string& text = "x") const { std::ofstream(file) << text; }
  std::string path(const std::string& name) const { return watched_ + "/" + name; }

  temp_dir dir_;
  std::string watched_ = dir_ / "source", program_ = dir_ / "worker";
  std::string url_ = "sqlite:" + watched_ + "/jobs.db";
};

TEST_F(worker_watch, starts_again_in_the_same_process_when_a_file_changes) {
  fs::create_directories(path("deep/er"));
  auto worker = start();
  ASSERT_TRUE(has_started(worker, 1)) << worker.log();
  write(path("deep/er/tasks.hpp"));
  ASSERT_TRUE(has_started(worker, 2)) << worker.log();
  EXPECT_TRUE(worker.logs("deep/er/tasks.hpp has changed", default_timeout)) << worker.log();
  // A folder that was made later.
  fs::create_directories(path("new"));
  ASSERT_TRUE(has_started(worker, 3)) << worker.log();
  fs::rename(path("deep/er/tasks.hpp"), path("new/tasks.hpp"));
  ASSERT_TRUE(has_started(worker, 4)) << worker.log();
  worker.signal(SIGTERM);
  const auto end = worker.wait(default_timeout);
  ASSERT_TRUE(end);
  EXPECT_EQ(end->code, 0) << "signal " << end->signal << "\n" << worker.log();
}

TEST_F(worker_watch, lets_running_jobs_end_and_then_runs_the_new_program) {
  auto worker = start();
  const auto gate = dir_ / "gate";
  std::string answer;
  const auto client = [&]() -> awaitable<void> {
    queue q(url_);
    const auto job = co_await q.enqueue(wait_for_gate(std::string(gate)));
    co_await until_in(job, job_state::running);
    // As a linker does it: the old file goes, and for a moment what is there can't be started.
    fs::remove(program_);
    write(program_, "#!/bin/sh\necho new: \"$@\"\n");
    fs::permissions(program_, fs::perms::owner_all);
    EXPECT_TRUE(
        worker.logs("worker has changed: starting again when running jobs have ended", default_timeout));
    EXPECT_EQ(worker.output(), "");
    write(gate);
    answer = co_await job.result(default_timeout);
  };
  run_on_loop(client);
  EXPECT_EQ(answer, std::to_string(worker.pid()) + " try 1");
  const auto end = worker.wait(default_timeout);
  ASSERT_TRUE(end) << worker.log();
  EXPECT_EQ(end->code, 0);
  EXPECT_EQ(worker.output(), "new: --broker " + url_ + " --watch " + watched_ + "\n");
}

TEST_F(worker_watch, what_it_writes_itself_is_no_change) {
  auto worker = start();
  ASSERT_TRUE(has_started(worker, 1)) << worker.log();
  const auto client = [&]() -> awaitable<void> {
    for (int i = 0; i < 3; ++i) {
      queue q(url_);
      const auto job = co_await q.enqueue(note(i));
      co_await job.result(default_timeout);
    }
  };
  run_on_loop(client);
  write(path(".hidden"));
  write(path("backup~"));
  // What comes first of this, in the order in which it happened, is a file that counts.
  write(path("counts"));
  ASSERT_TRUE(has_started(worker, 2)) << worker.log();
  EXPECT_TRUE(worker.logs("counts has changed", default_timeout)) << worker.log();
  EXPECT_EQ(starts(worker), 2u);
}

TEST_F(worker_watch, a_signal_ends_it_even_if_something_has_changed) {
  auto worker = start();
  const auto gate = dir_ / "gate";
  const auto client = [&]() -> awaitable<void> {
    queue q(url_);
    const auto job = co_await q.enqueue(wait_for_gate(std::string(gate)));
    co_await until_in(job, job_state::running);
    write(path("tasks.hpp"));
    EXPECT_TRUE(worker.logs("tasks.hpp has changed", default_timeout));
    worker.signal(SIGTERM);
  };
  run_on_loop(client);
  const auto end = worker.wait(default_timeout);
  ASSERT_TRUE(end) << worker.log();
  EXPECT_EQ(end->code, 0);
  EXPECT_EQ(starts(worker), 1u);
}

TEST_F(worker_watch, a_folder_that_is_not_there_is_a_wrong_command_line) {
  auto worker = start({"--watch", path("nowhere")});
  const auto end = worker.wait(default_timeout);
  ASSERT_TRUE(end);
  EXPECT_EQ(end->code, 2);
  EXPECT_NE(worker.log().find("--watch " + path("nowhere") + ": expected a folder that is there"),
            std::string::npos)
      << worker.log();
}

}  // namespace
}  // namespace quarq::test::worker_watch_tests
