// A copy of a process, made by fork() while that one uses the SQLite broker, is refused, and never hangs.
#include <csignal>
#include <exception>
#include <functional>
#include <optional>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sanitizers.hpp"
#include "integration/sqlite_test.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace quarq::test::sqlite_forked_tests {

namespace {

/// Runs `check` in a copy of this process, and gives what it returned; nothing if it hangs.
std::optional<int> exit_code_of_copy(const std::function<bool()>& check) {
  const pid_t copy = fork();
  if (copy == 0) _exit(check() ? 0 : 1);
  int status = 0;
  const bool ended = eventually([&] { return waitpid(copy, &status, WNOHANG) == copy; }, default_timeout);
  if (ended) return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  ::kill(copy, SIGKILL);
  waitpid(copy, &status, 0);
  return std::nullopt;
}

bool names_fork(const std::string& text) {
  return holds(text, "fork()") && holds(text, std::to_string(getppid())) &&
         holds(text, std::to_string(getpid()));
}

/// In the copy, where a loop of the original must not be used.
std::string refusal_of_call(const std::shared_ptr<broker::broker>& store) {
  return error_of<usage_error>([&] { run_on_loop(store->queues()); });
}

}  // namespace

TEST(sqlite_forked, a_copy_may_neither_use_the_originals_broker_nor_open_one) {
  // The copy's exceptions are thrown beside a thread that only the original has.
  if (base::thread_sanitizer)
    GTEST_SKIP() << "the thread sanitizer can't follow a copy of a threaded process";
  temp_dir folder;
  const auto url = "sqlite:" + (folder / "jobs.db");
  boost::asio::io_context loop;
  auto store = broker::open(url, loop.get_executor());
  const auto enqueue = [](std::shared_ptr<broker::broker> to) -> awaitable<void> {
    co_await enqueue_ids(*to, "q", strings(1, "job"));
  };
  std::exception_ptr failure;
  boost::asio::co_spawn(loop, enqueue(store), [&](std::exception_ptr e) { failure = e; });
  loop.run();
  EXPECT_FALSE(failure);

  EXPECT_EQ(exit_code_of_copy([&] { return names_fork(refusal_of_call(store)); }), 0);
  EXPECT_EQ(exit_code_of_copy([&] {
              boost::asio::io_context own;
              return names_fork(error_of<usage_error>([&] { broker::open(url, own.get_executor()); }));
            }),
            0);
  // Its end does not wait for a thread that only the original has.
  EXPECT_EQ(exit_code_of_copy([&] {
              store.reset();
              return true;
            }),
            0);
}

TEST(sqlite_forked, a_copy_made_when_no_broker_is_open_may_open_one) {
  temp_dir folder;
  const auto url = "sqlite:" + (folder / "jobs.db");
  const auto use = [](std::string where) -> awaitable<void> {
    const auto loop = co_await boost::asio::this_coro::executor;
    auto store = broker::open(where, loop);
    co_await enqueue_one(*store, "q", numbered_jobs(1).front());
  };
  run_on_loop(use(url));
  EXPECT_EQ(exit_code_of_copy([&] {
              run_on_loop(use(url));
              return true;
            }),
            0);
}

}  // namespace quarq::test::sqlite_forked_tests
