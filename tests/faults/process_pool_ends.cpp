// Children that die, and parents that do.
#include <algorithm>
#include <fstream>
#include <set>
#include <string>

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <quarq/gather.hpp>
#include <quarq/process_pool.hpp>
#include <quarq/time.hpp>

#include "support/on_loop.hpp"
#include "support/process.hpp"

namespace quarq::test {
namespace {

// Sanitizers catch it and exit: then it is no signal any more. No core files.
void die_of(int signal) {
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  ::signal(signal, SIG_DFL);
  raise(signal);
}

int add(int a, int b) {
  return a + b;
}

std::string lost_message(process_pool& pool, int signal) {
  try {
    run_on_loop(pool.run(die_of, signal));
  } catch (const worker_lost& e) {
    return e.what();
  }
  return "nothing was thrown";
}

TEST(process_pool_ends, a_crash_is_named_and_costs_one_call) {
  process_pool pool({.size = 1, .name = "crashers"});
  for (const int signal : {SIGSEGV, SIGKILL, SIGABRT, SIGBUS}) {
    const std::string message = lost_message(pool, signal);
    const std::string expected = "died of SIG" + std::string(sigabbrev_np(signal)) + " in mid-call";
    EXPECT_NE(message.find(expected), std::string::npos) << message;
    EXPECT_NE(message.find("crashers"), std::string::npos) << message;
    EXPECT_EQ(run_on_loop(pool.run(add, 1, signal)), 1 + signal);
  }
}

TEST(process_pool_ends, an_exit_is_named_by_its_code) {
  process_pool pool({.size = 1});
  try {
    run_on_loop(pool.run([] { std::exit(3); }));
    FAIL() << "nothing was thrown";
  } catch (const worker_lost& e) {
    EXPECT_NE(std::string(e.what()).find("exited with code 3"), std::string::npos) << e.what();
  }
}

TEST(process_pool_ends, a_child_that_closes_its_socket_is_lost_too) {
  process_pool pool({.size = 1});
  const auto hang_up = [] {
    ::close(3);
    while (true) pause();
  };
  EXPECT_THROW(run_on_loop(pool.run(hang_up)), worker_lost);
  EXPECT_EQ(run_on_loop(pool.run(add, 1, 2)), 3);
}

void die_and_leave_a_fork(std::string pid_file) {
  if (const pid_t fork_of_child = fork(); fork_of_child == 0) {
    alarm(60);
    while (true) pause();
  } else {
    std::ofstream(pid_file) << fork_of_child;
  }
  raise(SIGKILL);
}

TEST(process_pool_ends, a_child_is_lost_though_a_fork_of_it_holds_its_socket) {
  temp_dir dir;
  process_pool pool({.size = 1});
  EXPECT_THROW(run_on_loop(pool.run(die_and_leave_a_fork, dir / "pid_file")), worker_lost);
  pid_t left = 0;
  ASSERT_TRUE(std::ifstream(dir / "pid_file") >> left);
  ::kill(left, SIGKILL);
}

TEST(process_pool_ends, a_child_that_writes_nonsense_is_replaced) {
  process_pool pool({.size = 1});
  const auto babble = [] {
    const std::string nonsense(100, 'x');
    (void)!::write(3, nonsense.data(), nonsense.size());
    while (true) pause();
  };
  EXPECT_THROW(run_on_loop(pool.run(babble)), decode_error);
  EXPECT_EQ(run_on_loop(pool.run(add, 1, 2)), 3);
}

TEST(process_pool_ends, other_calls_are_not_harmed) {
  process_pool pool({.size = 2});
  const auto slow = [](int n) {
    usleep(50'000);
    return n;
  };
  const auto crash = [&]() -> awaitable<bool> {
    bool lost = false;
    try {
      co_await pool.run(die_of, SIGSEGV);
    } catch (const worker_lost&) {
      lost = true;
    }
    co_return lost;
  };
  const auto body = [&]() -> awaitable<void> {
    auto [n, lost] = co_await gather(pool.run(slow, 7), crash());
    EXPECT_EQ(n, 7);
    EXPECT_TRUE(lost);
  };
  run_on_loop(body);
}

TEST(process_pool_ends, idle_children_that_are_killed_are_replaced) {
  process_pool pool({.size = 2});
  for (int round = 0; round < 5; ++round) {
    EXPECT_EQ(run_on_loop(pool.run(add, 1, 2)), 3);
    const auto before = pool.pids();
    ASSERT_FALSE(before.empty());
    for (const pid_t pid : before) ::kill(pid, SIGKILL);
    const auto replaced = [&] {
      const auto now = pool.pids();
      return std::none_of(now.begin(), now.end(), [&](pid_t pid) {
        return std::find(before.begin(), before.end(), pid) != before.end();
      });
    };
    ASSERT_TRUE(eventually(replaced, default_timeout));
  }
}

TEST(process_pool_ends, mains_own_work_never_runs_in_a_child) {
  temp_dir dir;
  process parent({program("process_pool_parent"), "trace", dir / "trace"});
  const auto end = parent.wait(default_timeout);
  ASSERT_TRUE(end);
  EXPECT_EQ(end->code, 0) << parent.log();
  EXPECT_EQ(read_file(dir / "trace"), "main\nchild\nchild\nchild\n");
}

TEST(process_pool_ends, children_that_can_not_start_fail_the_calls) {
  process parent({program("process_pool_parent"), "broken"});
  const auto end = parent.wait(default_timeout);
  ASSERT_TRUE(end) << parent.output();
  const auto lines = parent.lines();
  ASSERT_EQ(lines.size(), 3u) << parent.output() << parent.log();
  for (int i = 0; i < 2; ++i)
    EXPECT_NE(lines[i].find("can't be started: it died of SIGKILL before it was ready"), std::string::npos)
        << lines[i];
  EXPECT_EQ(lines[2], "works again");
}

TEST(process_pool_ends, no_child_survives_its_parent) {
  process parent({program("process_pool_parent"), "busy"});
  // Two children, one that has a child of its own, and that one.
  ASSERT_TRUE(eventually([&] { return parent.lines().size() == 4; }, default_timeout)) << parent.log();
  std::set<pid_t> pids;
  for (const auto& line : parent.lines()) pids.insert(std::stoi(line));
  ASSERT_EQ(pids.size(), 4u);
  ::kill(parent.pid(), SIGKILL);
  const auto all_gone = [&] {
    return std::all_of(pids.begin(), pids.end(), [](pid_t pid) {
      // A zombie is dead, though nobody has reaped it yet.
      const std::string status = read_file("/proc/" + std::to_string(pid) + "/stat");
      const auto name_end = status.rfind(") ");
      return name_end == std::string::npos || status[name_end + 2] == 'Z' || status[name_end + 2] == 'X';
    });
  };
  EXPECT_TRUE(eventually(all_gone, default_timeout));
}

TEST(process_pool_ends, the_mark_of_a_child_is_refused_without_its_socket) {
  process alone({program("process_pool_parent"), "--quarq-child=1", std::to_string(getpid()), "x"});
  const auto end = alone.wait(default_timeout);
  ASSERT_TRUE(end);
  EXPECT_EQ(end->code, 64);
  EXPECT_NE(alone.log().find("descriptor 3 is no socket"), std::string::npos) << alone.log();
  process other({program("process_pool_parent"), "--quarq-child=0"});
  ASSERT_TRUE(other.wait(default_timeout));
  EXPECT_NE(other.log().find("another version"), std::string::npos) << other.log();
}

}  // namespace
}  // namespace quarq::test
