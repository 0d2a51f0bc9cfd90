// fork() without exec: in a called function, and in a program that has children.
#include <atomic>
#include <optional>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <quarq/joinable_queue.hpp>
#include <quarq/process.hpp>
#include <quarq/process_pool.hpp>
#include <quarq/time.hpp>

#include "base/sanitizers.hpp"
#include "processes/frames.hpp"
#include "support/forked.hpp"
#include "support/on_loop.hpp"
#include "support/process.hpp"

namespace quarq::test::process_copies_tests {
namespace {

using namespace std::chrono_literals;

int add(int a, int b) {
  return a + b;
}

void wait_for_ever() {
  while (true) pause();
}

// The exit code of a copy of this process; the copy itself comes back as nothing.
std::optional<int> code_of_copy() {
  const pid_t copy = fork();
  if (copy == 0) return std::nullopt;
  int status = 0;
  waitpid(copy, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int return_twice(int n) {
  const auto code = code_of_copy();
  return code ? n + *code : -1;
}

int return_and_throw(int n) {
  const auto code = code_of_copy();
  if (!code) throw std::runtime_error("exec failed");
  return n + *code;
}

awaitable<int> return_twice_later(int n) {
  co_await sleep_for(1ms);
  co_return return_twice(n);
}

TEST(process_copies, a_copy_that_returns_from_a_called_function_answers_nothing) {
  process_pool pool({.size = 1});
  for (int n = 10; n < 20; ++n) {
    EXPECT_EQ(run_on_loop(pool.run(return_twice, n)), n);
    EXPECT_EQ(run_on_loop(pool.run(return_twice_later, n)), n);
    EXPECT_EQ(run_on_loop(pool.run(add, n, n)), 2 * n);
  }
}

TEST(process_copies, a_copy_that_throws_out_of_a_called_function_ends_with_1) {
  process_pool pool({.size = 1});
  for (int n = 10; n < 20; ++n) {
    EXPECT_EQ(run_on_loop(pool.run(return_and_throw, n)), n + 1);
    EXPECT_EQ(run_on_loop(pool.run(add, n, n)), 2 * n);
  }
}

TEST(process_copies, an_answer_to_another_call_is_an_error) {
  process_pool pool({.size = 1});
  const auto answer_99 = [] {
    std::string bytes(processes::header_size, '\0');
    processes::frame_header header;
    header.kind = processes::frame_kind::value;
    header.size = 1;
    header.call = 99;
    processes::write_header(bytes.data(), header);
    bytes += '\x05';
    (void)!::write(3, bytes.data(), bytes.size());
    return 1;
  };
  EXPECT_EQ(run_on_loop(pool.run(add, 1, 2)), 3);
  try {
    run_on_loop(pool.run(answer_99));
    FAIL() << "nothing was thrown";
  } catch (const decode_error& e) {
    EXPECT_NE(std::string(e.what()).find("answered call 99 instead of call 2"), std::string::npos)
        << e.what();
  }
  EXPECT_EQ(run_on_loop(pool.run(add, 3, 4)), 7);
}

// 0 if `use` throws a quarq::error that names fork().
template <class F>
int refusal(F use) {
  try {
    use();
  } catch (const error& e) {
    return std::string(e.what()).find("fork()") != std::string::npos ? 0 : 2;
  }
  return 1;
}

TEST(process_copies, a_copy_of_a_pool_is_refused_and_leaves_the_children_alone) {
  auto pool = std::make_unique<process_pool>(process_pool_options{.size = 1});
  EXPECT_EQ(run_on_loop(pool->run(add, 1, 2)), 3);
  const auto before = pool->pids();
  forked copy([&] {
    const int run = refusal([&] { run_on_loop(pool->run(add, 1, 2)); });
    const int limited = refusal([&] { run_on_loop(pool->with_memory_limit(1 << 20).run(add, 1, 2)); });
    const int pids = refusal([&] { pool->pids(); });
    pool.reset();
    return run + 4 * limited + 16 * pids;
  });
  EXPECT_EQ(copy.wait(), 0);
  EXPECT_EQ(run_on_loop(pool->run(add, 1, 2)), 3);
  EXPECT_EQ(pool->pids(), before);
}

TEST(process_copies, a_copy_is_refused_though_no_child_is_idle_and_whatever_is_locked) {
  process_pool pool({.size = 1});
  EXPECT_EQ(run_on_loop(pool.run(add, 1, 2)), 3);
  boost::asio::io_context loop(1);
  boost::asio::co_spawn(loop, pool.run(wait_for_ever), [](const std::exception_ptr&) {});
  loop.poll();
  std::atomic<bool> goes_on = true;
  std::jthread locks([&] {
    // The allocators of sanitizers stay locked in the copy.
    while (goes_on && !base::sanitized) pool.pids();
  });
  for (int i = 0; i < 200; ++i) {
    forked copy([&] {
      const int run = refusal([&] { run_on_loop(pool.run(add, 1, 2)); });
      return run + 4 * refusal([&] { pool.pids(); });
    });
    const int code = copy.wait();
    EXPECT_EQ(code, 0) << "copy " << i;
    if (code != 0) break;
  }
  goes_on = false;
}

TEST(process_copies, a_copy_of_a_process_is_refused_and_does_not_kill) {
  quarq::process waits(wait_for_ever);
  forked copy([&] {
    waits.terminate();
    waits.kill();
    const int wait = refusal([&] { waits.wait(); });
    const int join = refusal([&] { run_on_loop(waits.join()); });
    const int code = refusal([&] { waits.exit_code(); });
    return wait + 4 * join + 16 * code + 64 * refusal([&] { waits.running(); });
  });
  EXPECT_EQ(copy.wait(), 0);
  EXPECT_TRUE(waits.running());
  waits.terminate();
  EXPECT_EQ(waits.wait(), -SIGTERM);
}

// Its memory is meant for several processes, however they came about.
TEST(process_copies, a_joinable_queue_works_in_a_copy) {
  joinable_queue<int> there, back;
  forked copy([&] {
    while (const auto n = there.pop()) {
      back.push(*n + 1);
      there.task_done();
    }
    return 0;
  });
  for (int n = 0; n < 10; ++n) there.push(n);
  EXPECT_TRUE(there.join_for(default_timeout));
  there.close();
  EXPECT_EQ(copy.wait(), 0);
  for (int n = 0; n < 10; ++n) EXPECT_EQ(back.try_pop(), n + 1);
}

}  // namespace
}  // namespace quarq::test::process_copies_tests
