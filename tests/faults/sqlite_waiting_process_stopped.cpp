// A process stands still (SIGSTOP) while it waits for a file that another program has locked, for longer than it was to
// wait: that does not count.
#include <thread>

#include <gtest/gtest.h>

#include "support/locked_file.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace quarq::test {

using namespace std::chrono_literals;

TEST(sqlite_waiting_process_stopped, goes_on_with_what_it_waited_for) {
  const temp_dir folder;
  const auto file = folder / "jobs.db";
  process client({program("sqlite_enqueuer"), file + "?timeout=4", "a"});
  const auto acknowledges_more_than = [&](std::size_t count) {
    return eventually([&] { return client.lines().size() > count; }, default_timeout);
  };
  ASSERT_TRUE(acknowledges_more_than(0)) << client.log();
  std::size_t before = 0;
  {
    const locked_file held(file);
    std::this_thread::sleep_for(200ms);
    client.freeze();
    before = client.lines().size();
    std::this_thread::sleep_for(5s);
    client.thaw();
    std::this_thread::sleep_for(200ms);
  }
  EXPECT_TRUE(acknowledges_more_than(before)) << client.log();
}

}  // namespace quarq::test
