// Functions in other processes: what they are given, what comes back, and their limits.
#include <atomic>
#include <fstream>
#include <optional>
#include <thread>

#include <boost/describe.hpp>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <quarq/gather.hpp>
#include <quarq/process_handler.hpp>
#include <quarq/process_pool.hpp>
#include <quarq/time.hpp>

#include "integration/process_pool_test.hpp"
#include "processes/memory_limit.hpp"
#include "support/descriptors.hpp"

namespace quarq::test::process_pool_tests {
namespace {

using namespace std::chrono_literals;

// ---- what is called

std::string shout(std::string_view text, const std::string& end) {
  return std::string(text) + end;
}

void fail_with(std::string why) {
  throw std::invalid_argument(why);
}

void throw_a_number() {
  throw 7;
}

awaitable<int> twice_later(int x) {
  co_await sleep_for(1ms);
  co_return 2 * x;
}

awaitable<void> fail_later(std::string why) {
  co_await sleep_for(1ms);
  throw std::runtime_error(why);
}

bool is_asked_to_stop(std::stop_token stop, int) {
  return stop.stop_requested();
}

bytes reversed(bytes data) {
  return bytes(data.rbegin(), data.rend());
}

struct ticket {
  ticket() = default;
  explicit ticket(int n) : number(std::make_unique<int>(n)) {}
  std::unique_ptr<int> number;
};

ticket next_ticket(ticket last) {
  return ticket(*last.number + 1);
}

}  // namespace
}  // namespace quarq::test::process_pool_tests

template <>
struct quarq::codec<quarq::test::process_pool_tests::ticket> {
  static void encode(encoder& out, const test::process_pool_tests::ticket& value) {
    out.integer(*value.number);
  }
  static test::process_pool_tests::ticket decode(decoder& in) {
    return test::process_pool_tests::ticket(static_cast<int>(in.integer()));
  }
};

namespace quarq::test::process_pool_tests {
namespace {

// An open file, as a value.
struct open_file {
  int descriptor = -1;
};

}  // namespace
}  // namespace quarq::test::process_pool_tests

template <>
struct quarq::codec<quarq::test::process_pool_tests::open_file> {
  static void encode(encoder& out, const test::process_pool_tests::open_file& value) {
    out.file(value.descriptor);
  }
  static test::process_pool_tests::open_file decode(decoder& in) { return {in.file()}; }
};

namespace quarq::test::process_pool_tests {
namespace {

int write_to(open_file file, std::string text) {
  const auto count = ::write(file.descriptor, text.data(), text.size());
  ::close(file.descriptor);
  return static_cast<int>(count);
}

open_file open_for_reading(std::string path) {
  return {::open(path.c_str(), O_RDONLY)};
}

constexpr task<int(int, int)> add_task{"process_pool.add"};
constexpr task<int(int)> unknown_task{"process_pool.unknown"};
const int captured = 1000;
const process_handler add_handler(add_task, [base = captured](int a, int b) { return base + a + b; });

bool has_children() {
  siginfo_t info{};
  return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

// ---- values

TEST_F(process_pool_test, functions_lambdas_and_coroutines_run_in_another_process) {
  EXPECT_EQ(run(add, 2, 3), 5);
  EXPECT_EQ(run([](int a) { return a + 1; }, 4), 5);
  EXPECT_EQ(run([](auto a) { return a; }, std::string("generic")), "generic");
  EXPECT_EQ(run(twice_later, 21), 42);
  EXPECT_EQ(run(shout, "hello", "!"), "hello!");
  EXPECT_FALSE(run(is_asked_to_stop, 1));
  EXPECT_NE(run(own_pid), getpid());
}

TEST_F(process_pool_test, nothing_comes_back_from_a_void_function) {
  run(append_to, path("lines"), "one");
  EXPECT_EQ(read_file(path("lines")), "one\n");
}

TEST_F(process_pool_test, move_only_values_there_and_back) {
  ticket first(1);
  const ticket next = run(next_ticket, std::move(first));
  EXPECT_EQ(*next.number, 2);
}

TEST_F(process_pool_test, an_exception_comes_back_with_its_type_and_its_message) {
  try {
    run(fail_with, "no luck");
    FAIL() << "nothing was thrown";
  } catch (const call_failed& e) {
    EXPECT_EQ(e.type(), "std::invalid_argument");
    EXPECT_STREQ(e.what(), "no luck");
  }
  EXPECT_THROW(run(fail_later, "later"), call_failed);
  EXPECT_THROW(run(fail_with, "not \xff UTF-8" + std::string(100'000, 'x')), usage_error);
  try {
    run(throw_a_number);
    FAIL() << "nothing was thrown";
  } catch (const call_failed& e) {
    EXPECT_EQ(e.type(), "int");
  }
}

TEST_F(process_pool_test, a_call_that_can_not_be_encoded_leaves_the_pool_as_it_is) {
  EXPECT_EQ(run(add, 1, 1), 2);
  const auto before = pool_.pids();
  EXPECT_THROW(run(shout, "\xff", ""), usage_error);
  EXPECT_EQ(run(add, 2, 2), 4);
  EXPECT_EQ(pool_.pids(), before);
}

TEST_F(process_pool_test, tasks_are_found_by_name) {
  EXPECT_EQ(run(add_task, 1, 2), 1003);
  try {
    run(unknown_task, 1);
    FAIL() << "nothing was thrown";
  } catch (const error& e) {
    EXPECT_NE(std::string(e.what()).find("process_pool.unknown"), std::string::npos) << e.what();
  }
}

// ---- big values

TEST_F(process_pool_test, big_values_go_through_shared_memory) {
  for (const std::size_t size : {0ul, 1ul, 65'535ul, 65'536ul, 1ul << 20, 9ul << 20, 100ul}) {
    bytes data(size);
    for (std::size_t i = 0; i < size; ++i) data[i] = static_cast<std::byte>(i * 7);
    const bytes expected(data.rbegin(), data.rend());
    EXPECT_EQ(run(reversed, std::move(data)), expected) << size;
  }
  // More than is kept, then little, then more again.
  for (const std::size_t size : {70ul << 20, 100'000ul, 80ul << 20}) {
    EXPECT_EQ(run([](bytes b) { return b.size(); }, bytes(size, std::byte(1))), size);
  }
}

TEST_F(process_pool_test, big_values_may_be_anywhere_in_arguments_and_results) {
  using pages = std::vector<std::pair<std::string, std::optional<std::string>>>;
  pages all;
  for (int i = 0; i < 5; ++i) all.emplace_back(std::string(100'000 + i, 'a'), std::string(i, 'b'));
  EXPECT_EQ(run([](pages p) { return p; }, all), all);
  std::vector<int> numbers(200'000);
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<int>(i);
  EXPECT_EQ(run([](std::vector<int> v) { return v; }, numbers), numbers);
}

TEST_F(process_pool_test, open_files_go_along) {
  const auto before = open_descriptors();
  {
    const std::string name = path("file");
    const int file = ::open(name.c_str(), O_WRONLY | O_CREAT, 0600);
    EXPECT_EQ(run(write_to, open_file{file}, "hello"), 5);
    ::close(file);
    EXPECT_EQ(read_file(name), "hello");
    const open_file back = run(open_for_reading, name);
    char text[6] = {};
    EXPECT_EQ(::read(back.descriptor, text, 5), 5);
    EXPECT_STREQ(text, "hello");
    ::close(back.descriptor);
  }
  // The children's sockets and pidfds, and the supervisor's own.
  EXPECT_LE(open_descriptors(), before + 8);
  EXPECT_THROW(to_msgpack(open_file{1}), usage_error);
}

// ---- limits

TEST_F(process_pool_test, a_call_beyond_its_memory_limit_says_so) {
  if (!processes::memory_limits_work()) GTEST_SKIP() << "sanitizers need memory as they please";
  const auto take = [](std::size_t size) { return std::vector<char>(size, 'x').size(); };
  EXPECT_EQ(run_on_loop(pool_.with_memory_limit(64_MiB).run(take, 30u << 20)), 30u << 20);
  const auto before = pool_.pids();
  try {
    run_on_loop(pool_.with_memory_limit(64_MiB).run(take, 100u << 20));
    FAIL() << "nothing was thrown";
  } catch (const memory_limit_exceeded& e) {
    EXPECT_NE(std::string(e.what()).find("64 MiB"), std::string::npos) << e.what();
  }
  EXPECT_TRUE(is_gone(before.back()));
  EXPECT_EQ(run(take, 100u << 20), 100u << 20);
}

TEST_F(process_pool_test, the_memory_limit_of_a_pool_is_that_of_its_calls) {
  if (!processes::memory_limits_work()) GTEST_SKIP() << "sanitizers need memory as they please";
  const auto take = [](std::size_t size) { return std::vector<char>(size, 'x').size(); };
  process_pool pool({.size = 1, .memory_limit = 64_MiB});
  EXPECT_EQ(run_on_loop(pool.run(take, 30u << 20)), 30u << 20);
  EXPECT_THROW(run_on_loop(pool.run(take, 100u << 20)), memory_limit_exceeded);
  EXPECT_EQ(run_on_loop(pool.with_memory_limit(256_MiB).run(take, 100u << 20)), 100u << 20);
}

TEST_F(process_pool_test, a_memory_limit_ends_with_its_call) {
  if (!processes::memory_limits_work()) GTEST_SKIP() << "sanitizers need memory as they please";
  const auto take = [](std::size_t size) { return std::vector<char>(size, 'x').size(); };
  process_pool pool({.size = 1});
  EXPECT_EQ(run_on_loop(pool.with_memory_limit(64_MiB).run(take, 1u << 20)), 1u << 20);
  EXPECT_EQ(run_on_loop(pool.run(take, 100u << 20)), 100u << 20);
}

TEST_F(process_pool_test, a_child_is_replaced_after_so_many_calls) {
  process_pool pool({.size = 1, .max_calls = 3});
  std::vector<int> pids;
  for (int i = 0; i < 7; ++i) pids.push_back(run_on_loop(pool.run(own_pid)));
  EXPECT_EQ(pids[0], pids[2]);
  EXPECT_NE(pids[2], pids[3]);
  EXPECT_EQ(pids[3], pids[5]);
  EXPECT_NE(pids[5], pids[6]);
  EXPECT_TRUE(is_gone(pids[0]));
}

TEST_F(process_pool_test, a_child_that_grew_is_replaced) {
  if (!processes::memory_limits_work()) GTEST_SKIP() << "sanitizers need memory as they please";
  process_pool pool({.size = 1, .max_memory = 100_MiB});
  const int first = run_on_loop(pool.run(own_pid));
  EXPECT_EQ(run_on_loop(pool.run(own_pid)), first);
  run_on_loop(pool.run([] {
    static std::vector<char> leak;
    leak.assign(150 << 20, 'x');
  }));
  EXPECT_NE(run_on_loop(pool.run(own_pid)), first);
}

// ---- where it may be used

int add_in_own_pool(int a, int b) {
  process_pool own({.size = 1});
  return quarq::run(own.run(add, a, b));
}

TEST_F(process_pool_test, a_child_may_have_children) {
  EXPECT_EQ(run(add_in_own_pool, 1, 2), 3);
}

TEST(process_pool, may_be_made_with_threads_running_and_a_database_open) {
  temp_dir dir;
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open((dir / "jobs.db").c_str(), &database), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(database, "create table t(x); begin immediate", nullptr, nullptr, nullptr),
            SQLITE_OK);
  std::atomic<bool> stop = false;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      while (!stop) std::make_unique<std::string>(1000, 'x');
    });
  {
    process_pool pool({.size = 2});
    for (int i = 0; i < 10; ++i) EXPECT_EQ(run_on_loop(pool.run(add, i, 1)), i + 1);
    // Nothing that is open here is open there.
    const auto descriptors = run_on_loop(pool.run([] { return open_descriptors(); }));
    EXPECT_LE(descriptors, 6u);
  }
  stop = true;
  EXPECT_EQ(sqlite3_exec(database, "insert into t values (1); commit", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(database);
}

TEST_F(process_pool_test, several_loops_use_it_at_once) {
  std::atomic<int> right = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&, t] {
        const auto body = [&, t]() -> awaitable<void> {
          for (int i = 0; i < 100; ++i) {
            const int sum = co_await pool_.run(add, t, i);
            right += sum == t + i;
          }
        };
        run_on_loop(body);
      });
  }
  EXPECT_EQ(right, 400);
  EXPECT_LE(pool_.pids().size(), 2u);
}

TEST_F(process_pool_test, a_thousand_at_once) {
  const auto body = [&]() -> awaitable<void> {
    std::vector<awaitable<int>> all;
    for (int i = 0; i < 1000; ++i) all.push_back(pool_.run(add, i, i));
    const auto sums = co_await gather(std::move(all));
    for (int i = 0; i < 1000; ++i) EXPECT_EQ(sums[static_cast<std::size_t>(i)], 2 * i);
  };
  run_on_loop(body);
}

TEST(process_pool, leaves_nothing_behind) {
  {
    run_on_loop(process_pool({.size = 1}).run(add, 1, 1));
  }  // the supervisor has its own descriptors from now on
  const auto before = open_descriptors();
  for (int i = 0; i < 5; ++i) {
    process_pool pool({.size = 2});
    const auto body = [&]() -> awaitable<void> {
      auto [a, b] = co_await gather(pool.run(add, 1, 1), pool.run(reversed, bytes(1 << 20)));
      EXPECT_EQ(a, 2);
      EXPECT_EQ(b.size(), 1u << 20);
    };
    run_on_loop(body);
  }
  EXPECT_EQ(open_descriptors(), before);
  EXPECT_FALSE(has_children());
}

}  // namespace
}  // namespace quarq::test::process_pool_tests
