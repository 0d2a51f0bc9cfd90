// A queue between real processes.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <numeric>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <quarq/errors.hpp>
#include <quarq/joinable_queue.hpp>
#include <quarq/process.hpp>
#include <quarq/process_pool.hpp>

#include "support/default_timeout.hpp"
#include "support/descriptors.hpp"
#include "support/on_loop.hpp"
#include "support/process.hpp"

namespace quarq::test::joinable_queue_tests {
namespace {

using namespace std::chrono_literals;
using quarq::process;  // not the one of the tests

struct page {
  std::string url;
  std::vector<int> words;
  friend bool operator==(const page&, const page&) = default;
};
BOOST_DESCRIBE_STRUCT(page, (), (url, words))

using numbers = joinable_queue<std::int64_t>;

void count_to(numbers out, std::int64_t from, std::int64_t to) {
  for (auto i = from; i < to; ++i) out.push(i);
}
void square(numbers in, numbers out) {
  while (const auto n = in.pop()) {
    out.push(*n * *n);
    in.task_done();
  }
}
int take_one(numbers in) {
  return in.pop() ? 0 : 1;
}
void take_and_sleep(numbers in) {
  in.pop();
  while (true) pause();
}

TEST(joinable_queue, items_of_any_type_with_a_codec) {
  joinable_queue<page> pages;
  const page one{"https://example.org", {1, 2, 3}};
  pages.push(one);
  EXPECT_EQ(pages.size(), 1);
  EXPECT_EQ(pages.pop(), one);
  EXPECT_TRUE(pages.empty());
  joinable_queue<std::optional<std::string>> maybe;
  maybe.push(std::nullopt);
  maybe.push("");
  const auto first = maybe.pop();
  ASSERT_TRUE(first);
  EXPECT_FALSE(*first);
  EXPECT_EQ(maybe.pop()->value(), "");
}

TEST(joinable_queue, copies_are_the_same_queue) {
  numbers a;
  const numbers b = a;
  a.push(1);
  EXPECT_EQ(b.pop(), 1);
}

TEST(joinable_queue, bounds) {
  numbers n({.capacity = 2});
  EXPECT_EQ(n.capacity(), 2);
  EXPECT_TRUE(n.try_push(1));
  EXPECT_TRUE(n.push_for(2, 1h));
  EXPECT_FALSE(n.try_push(3));
  EXPECT_FALSE(n.push_for(3, 1ms));
  EXPECT_EQ(n.pop_for(1ms), 1);
  EXPECT_EQ(n.try_pop(), 2);
  EXPECT_EQ(n.try_pop(), std::nullopt);
  EXPECT_EQ(n.pop_for(1ms), std::nullopt);
  EXPECT_EQ(n.pop_for(-1s), std::nullopt);
  EXPECT_THROW(numbers({.capacity = 0}), usage_error);
  EXPECT_THROW(numbers({.bytes = 0}), usage_error);
}

TEST(joinable_queue, a_duration_may_be_the_longest) {
  numbers n;
  n.push(1);
  EXPECT_EQ(n.pop_for(std::chrono::hours::max()), 1);
  n.task_done();
  EXPECT_TRUE(n.join_for(std::chrono::duration<double>(1e300)));
}

TEST(joinable_queue, an_item_that_never_fits_is_refused_with_both_sizes) {
  joinable_queue<std::string> texts({.bytes = 100});
  try {
    texts.push(std::string(98, 'x'));
    texts.push(std::string(99, 'x'));
    FAIL() << "was pushed";
  } catch (const usage_error& e) {
    EXPECT_STREQ(e.what(), "an item of 101 bytes does not fit into a queue of 100 bytes");
  }
}

TEST(joinable_queue, closed) {
  numbers n;
  n.push(1);
  n.close();
  EXPECT_TRUE(n.is_closed());
  EXPECT_THROW(n.push(2), closed_error);
  EXPECT_THROW(n.try_push(2), closed_error);
  EXPECT_THROW(n.push_for(2, 1ms), closed_error);
  EXPECT_EQ(n.pop(), 1);
  EXPECT_EQ(n.pop(), std::nullopt);
}

TEST(joinable_queue, a_stop_ends_waiting) {
  numbers empty, full({.capacity = 1});
  full.push(1);
  std::jthread consumer([&](std::stop_token stop) { EXPECT_EQ(empty.pop(stop), std::nullopt); });
  std::jthread producer([&](std::stop_token stop) { EXPECT_THROW(full.push(2, stop), cancelled); });
  std::jthread joining([&](std::stop_token stop) { EXPECT_FALSE(full.join(stop)); });
}

TEST(joinable_queue, task_done_too_often) {
  numbers n;
  EXPECT_THROW(n.task_done(), usage_error);
  n.push(1);
  EXPECT_THROW(n.task_done(), usage_error);
  n.pop();
  EXPECT_FALSE(n.join_for(1ms));
  n.task_done();
  EXPECT_THROW(n.task_done(), usage_error);
  EXPECT_TRUE(n.join_for(default_timeout));
}

TEST(joinable_queue, travels_only_to_processes) {
  const numbers n;
  try {
    encode_arguments(n);
    FAIL() << "was encoded";
  } catch (const usage_error& e) {
    EXPECT_NE(std::string(e.what()).find("process"), std::string::npos) << e.what();
  }
  EXPECT_THROW(from_msgpack<numbers>("\x01", "test"), decode_error);
}

TEST(joinable_queue, a_pipeline_of_processes) {
  constexpr std::int64_t each = 5000;
  numbers in({.capacity = 64}), out({.capacity = 64});
  std::vector<process> producers, workers;
  for (int i = 0; i < 2; ++i) producers.emplace_back(count_to, in, i * each, (i + 1) * each);
  for (int i = 0; i < 2; ++i) workers.emplace_back(square, in, out);
  std::vector<std::int64_t> results;
  for (std::int64_t i = 0; i < 2 * each; ++i) {
    const auto next = out.pop_for(default_timeout);
    ASSERT_TRUE(next) << "after " << i;
    results.push_back(*next);
    out.task_done();
  }
  for (auto& one : producers) EXPECT_EQ(one.wait(), 0);
  EXPECT_TRUE(in.join_for(default_timeout));
  EXPECT_TRUE(out.join_for(default_timeout));
  in.close();
  for (auto& one : workers) EXPECT_EQ(one.wait(), 0);
  std::sort(results.begin(), results.end());
  for (std::int64_t i = 0; i < 2 * each; ++i) ASSERT_EQ(results[static_cast<std::size_t>(i)], i * i);
}

TEST(joinable_queue, order_from_one_process) {
  numbers n({.capacity = 16});
  process producer(count_to, n, 0, 20'000);
  for (std::int64_t i = 0; i < 20'000; ++i) ASSERT_EQ(n.pop_for(default_timeout), i);
}

TEST(joinable_queue, inside_another_argument) {
  std::map<std::string, numbers> queues{{"a", numbers()}, {"b", numbers()}};
  const auto answer = [](std::map<std::string, numbers> both) { both.at("b").push(*both.at("a").pop() + 1); };
  process p(answer, queues);
  queues.at("a").push(41);
  EXPECT_EQ(queues.at("b").pop_for(default_timeout), 42);
}

TEST(joinable_queue, process_pool_carries_it_too) {
  process_pool_options options;
  options.size = 1;
  process_pool pool(options);
  numbers in({.capacity = 4}), out;
  const auto body = [&]() -> awaitable<void> {
    for (int i = 0; i < 3; ++i) {
      in.push(i);
      const int code = co_await pool.run(take_one, in);
      EXPECT_EQ(code, 0);
    }
    co_await pool.run(count_to, out, 0, 50);
  };
  run_on_loop(body);
  EXPECT_TRUE(in.empty());
  EXPECT_EQ(out.size(), 50);
}

TEST(joinable_queue, close_ends_other_processes) {
  numbers n;
  process waiting(take_one, n);
  n.close();
  EXPECT_EQ(waiting.wait(), 1);
}

// As with multiprocessing: join() waits for it, until task_done() is called in its place.
TEST(joinable_queue, what_a_killed_process_had_popped_is_lost) {
  numbers n;
  n.push(1);
  process p(take_and_sleep, n);
  ASSERT_TRUE(eventually([&] { return n.empty(); }, default_timeout));
  p.kill();
  EXPECT_EQ(p.wait(), -SIGKILL);
  EXPECT_EQ(n.unfinished(), 1);
  EXPECT_FALSE(n.join_for(1ms));
  n.task_done();
  EXPECT_TRUE(n.join_for(default_timeout));
}

TEST(joinable_queue, lives_as_long_as_one_handle) {
  process(count_to, numbers(), 0, 1).wait();
  const auto before = open_descriptors();
  for (int i = 0; i < 5; ++i) {
    process p;
    {
      numbers n;
      p = process(count_to, n, 0, 100);
    }
    EXPECT_EQ(p.wait(), 0);
  }
  EXPECT_TRUE(eventually([&] { return open_descriptors() <= before; }, default_timeout));
}

}  // namespace
}  // namespace quarq::test::joinable_queue_tests
