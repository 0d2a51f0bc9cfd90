// How calls to other processes end when something else ends first: the caller, the pool, the loop.
#include <filesystem>
#include <fstream>
#include <memory>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <quarq/gather.hpp>
#include <quarq/time.hpp>

#include "base/sanitizers.hpp"
#include "integration/process_pool_test.hpp"

namespace quarq::test::process_pool_tests {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

// Writes its pid to a file, then waits to be killed.
void wait_for_ever(std::string path) {
  std::ofstream(path) << getpid();
  while (true) pause();
}

TEST_F(process_pool_test, a_timeout_kills_the_process_and_the_pool_goes_on) {
  const auto body = [&]() -> awaitable<void> {
    auto call = pool_.run(wait_for_ever, path("started"));
    co_await with_timeout(std::move(call), 300ms);
  };
  // The child may not even have started within that time.
  EXPECT_THROW(run_on_loop(body), timed_out);
  EXPECT_EQ(run(add, 1, 2), 3);
}

TEST_F(process_pool_test, a_cancelled_call_is_killed_and_ends_once) {
  asio::io_context loop(1);
  asio::cancellation_signal cancel;
  int ends = 0;
  std::exception_ptr failure;
  asio::co_spawn(loop, pool_.run(wait_for_ever, path("started")),
                 asio::bind_cancellation_slot(cancel.slot(), [&](std::exception_ptr e) {
                   ++ends;
                   failure = e;
                 }));
  pid_t pid = 0;
  const auto runs = [&] {
    loop.poll();
    return static_cast<bool>(std::ifstream(path("started")) >> pid);
  };
  ASSERT_TRUE(eventually(runs, default_timeout));
  cancel.emit(asio::cancellation_type::terminal);
  cancel.emit(asio::cancellation_type::terminal);
  loop.run();
  EXPECT_EQ(ends, 1);
  ASSERT_TRUE(failure);
  try {
    std::rethrow_exception(failure);
  } catch (const boost::system::system_error& e) {
    EXPECT_EQ(e.code(), asio::error::operation_aborted);
  }
  EXPECT_TRUE(is_gone(pid));
  EXPECT_EQ(run(add, 1, 2), 3);
}

TEST_F(process_pool_test, a_call_cancelled_while_it_waits_never_starts) {
  process_pool one({.size = 1});
  asio::io_context loop(1);
  asio::cancellation_signal cancel_first, cancel_second;
  int ends = 0;
  const auto end = [&](std::exception_ptr) { ++ends; };
  asio::co_spawn(loop, one.run(wait_for_ever, path("started")),
                 asio::bind_cancellation_slot(cancel_first.slot(), end));
  const auto runs = [&] {
    loop.poll();
    pid_t pid = 0;
    return static_cast<bool>(std::ifstream(path("started")) >> pid);
  };
  ASSERT_TRUE(eventually(runs, default_timeout));
  asio::co_spawn(loop, one.run(append_to, path("lines"), "second"),
                 asio::bind_cancellation_slot(cancel_second.slot(), end));
  loop.poll();
  cancel_second.emit(asio::cancellation_type::terminal);
  ASSERT_TRUE(eventually([&] { return loop.poll(), ends == 1; }, default_timeout));
  cancel_first.emit(asio::cancellation_type::terminal);
  loop.run();
  EXPECT_EQ(run_on_loop(one.run(add, 1, 1)), 2);
  EXPECT_FALSE(std::filesystem::exists(path("lines")));
}

TEST_F(process_pool_test, a_call_that_times_out_while_it_waits_never_starts) {
  process_pool one({.size = 1});
  const auto body = [&]() -> awaitable<void> {
    const auto waits = [&]() -> awaitable<void> {
      auto call = one.run(append_to, path("lines"), "late");
      co_await with_timeout(std::move(call), 20ms);
    };
    std::vector<awaitable<void>> both;
    both.push_back(one.run(wait_for_ever, path("started")));
    both.push_back(waits());
    co_await gather(std::move(both));
  };
  EXPECT_THROW(run_on_loop(body), timed_out);
  EXPECT_EQ(run_on_loop(one.run(add, 1, 1)), 2);
  EXPECT_FALSE(std::filesystem::exists(path("lines")));
}

TEST_F(process_pool_test, very_many_waiting_calls_are_cancelled) {
  // So many that a search of the line for each would take minutes.
  constexpr int calls = base::sanitized ? 10'000 : 100'000;
  process_pool one({.size = 1});
  asio::io_context loop(1);
  asio::cancellation_signal cancel;
  bool ended = false;
  const auto all_calls = [&]() -> awaitable<void> {
    std::vector<awaitable<void>> all;
    all.push_back(one.run(wait_for_ever, path("started")));
    for (int i = 0; i < calls; ++i) all.push_back(one.run(append_to, path("lines"), "late"));
    co_await gather(std::move(all));
  };
  asio::co_spawn(
      loop, all_calls(),
      asio::bind_cancellation_slot(cancel.slot(), [&](const std::exception_ptr&) { ended = true; }));
  const auto runs = [&] {
    loop.poll();
    return std::filesystem::exists(path("started"));
  };
  ASSERT_TRUE(eventually(runs, default_timeout));
  cancel.emit(asio::cancellation_type::terminal);
  loop.run_for(default_timeout);
  EXPECT_TRUE(ended);
  EXPECT_EQ(run_on_loop(one.run(add, 1, 1)), 2);
  EXPECT_FALSE(std::filesystem::exists(path("lines")));
}

TEST_F(process_pool_test, calls_wait_in_their_order) {
  process_pool one({.size = 1});
  const auto body = [&]() -> awaitable<void> {
    std::vector<awaitable<void>> all;
    for (int i = 0; i < 50; ++i) all.push_back(one.run(append_to, path("lines"), std::to_string(i)));
    co_await gather(std::move(all));
  };
  run_on_loop(body);
  std::string expected;
  for (int i = 0; i < 50; ++i) expected += std::to_string(i) + '\n';
  EXPECT_EQ(read_file(path("lines")), expected);
  EXPECT_EQ(one.pids().size(), 1u);
}

TEST_F(process_pool_test, the_pool_may_end_first) {
  auto pool = std::make_unique<process_pool>(process_pool_options{.size = 1});
  asio::io_context loop(1);
  int cancellations = 0;
  const auto end = [&](std::exception_ptr e) {
    try {
      if (e) std::rethrow_exception(e);
    } catch (const cancelled&) {
      ++cancellations;
    }
  };
  for (int i = 0; i < 3; ++i) asio::co_spawn(loop, pool->run(wait_for_ever, path("started")), end);
  pid_t pid = 0;
  const auto runs = [&] {
    loop.poll();
    return static_cast<bool>(std::ifstream(path("started")) >> pid);
  };
  ASSERT_TRUE(eventually(runs, default_timeout));
  pool.reset();
  EXPECT_NE(::kill(pid, 0), 0);
  loop.run();
  EXPECT_EQ(cancellations, 3);
}

TEST_F(process_pool_test, the_loop_may_end_first) {
  pid_t pid = 0;
  {
    asio::io_context loop(1);
    for (int i = 0; i < 4; ++i)
      asio::co_spawn(loop, pool_.run(wait_for_ever, path("started" + std::to_string(i))), asio::detached);
    const auto runs = [&] {
      loop.poll();
      return static_cast<bool>(std::ifstream(path("started0")) >> pid);
    };
    ASSERT_TRUE(eventually(runs, default_timeout));
  }
  EXPECT_TRUE(is_gone(pid));
  EXPECT_EQ(run(add, 1, 2), 3);
}

TEST_F(process_pool_test, ctrl_c_is_for_the_parent) {
  const auto body = [&]() -> awaitable<int> {
    auto call = pool_.run([] {
      raise(SIGINT);
      raise(SIGTERM);
      return 5;
    });
    const int result = co_await std::move(call);
    co_return result;
  };
  EXPECT_EQ(run_on_loop(body), 5);
}

TEST_F(process_pool_test, a_process_for_a_call_whose_loop_is_gone_serves_the_next) {
  process_pool pool({.size = 1});
  asio::io_context first;
  auto second = std::make_unique<asio::io_context>();
  asio::co_spawn(first, pool.run(own_pid), asio::detached);
  asio::co_spawn(*second, pool.run(own_pid), asio::detached);
  first.poll();
  second->poll();
  // When the first call has ended, the process is the second's, which will not go on.
  first.run();
  second.reset();
  EXPECT_GT(run_on_loop(pool.run(own_pid)), 0);
}

}  // namespace
}  // namespace quarq::test::process_pool_tests
