// A worker among other processes: signals that it gets from the system around it.
#include <csignal>
#include <fstream>
#include <string>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <quarq/quarq.hpp>

#include "programs/fault_tasks.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace quarq::test::worker_signals_tests {
namespace {

awaitable<int> ask(std::string broker, int number) {
  const queue q(std::move(broker));
  const auto job = co_await q.enqueue(note(number));
  const auto answer = co_await job.result(default_timeout);
  co_return answer;
}

class worker_signals : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return dir_ / name; }
  std::string broker() const { return "sqlite:" + path("jobs.db"); }
  std::map<std::string, std::string> environment() const { return {{"QUARQ_TEST_HISTORY", path("history")}}; }

 private:
  temp_dir dir_;
};

TEST_F(worker_signals, a_terminal_that_is_closed_ends_it_in_order) {
  process worker({program("fault_worker"), "--broker", broker()}, environment());
  ASSERT_TRUE(worker.logs("serves", default_timeout)) << worker.log();
  worker.signal(SIGHUP);
  const auto end = worker.wait(default_timeout);
  ASSERT_TRUE(end) << worker.log();
  EXPECT_EQ(end->code, 0) << worker.log();
  EXPECT_TRUE(worker.logs("stopped", default_timeout)) << worker.log();
}

TEST_F(worker_signals, it_works_on_when_the_reader_of_its_log_has_gone) {
  const auto log = path("log");
  ASSERT_EQ(mkfifo(log.c_str(), 0600), 0);
  const process worker(
      {"/bin/sh", "-c", "exec \"$0\" --broker \"$1\" >\"$2\" 2>&1", program("fault_worker"), broker(), log},
      environment());
  std::string first;
  std::getline(std::ifstream(log), first);
  EXPECT_NE(first.find("serves"), std::string::npos) << first;
  for (int number = 1; number <= 3; ++number) EXPECT_EQ(run(ask(broker(), number)), number);
}

}  // namespace
}  // namespace quarq::test::worker_signals_tests
