// A task with its arguments and options.
#include <chrono>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include <quarq/call.hpp>
#include <quarq/task.hpp>

namespace quarq {
namespace {

using namespace std::chrono_literals;

constexpr task<int(std::string url, int depth)> crawl{"crawl", "url", "depth"};

TEST(call, options_chain_on_a_temporary_and_set_a_variable) {
  const auto chained =
      crawl("a", 1).id("page").delay(10s).priority(9).attempts(3).timeout(1s).keep_result(forever);
  EXPECT_EQ(chained.options().id, "page");
  EXPECT_EQ(chained.options().delay, 10s);
  EXPECT_EQ(chained.options().priority, 9);
  EXPECT_EQ(chained.options().attempts, 3);
  EXPECT_EQ(chained.options().timeout, 1s);
  EXPECT_EQ(chained.options().keep_result, forever);

  auto set = crawl("a", 1);
  set.expires(5min).backoff(backoff::constant(2s));
  EXPECT_EQ(set.options().expires, 5min);
  EXPECT_EQ(set.options().backoff, backoff::constant(2s));
  EXPECT_FALSE(set.options().attempts);
}

TEST(call, a_backoff_that_sets_the_attempts_sets_the_calls) {
  EXPECT_EQ(crawl("a", 1).backoff(backoff::constant(2s).attempts(8)).options().attempts, 8);
  EXPECT_EQ(crawl("a", 1).backoff(backoff::none()).options().attempts, 1);
  EXPECT_EQ(crawl("a", 1).backoff(backoff::constant(2s).attempts(8)).attempts(3).options().attempts, 3);
  EXPECT_EQ(crawl("a", 1).attempts(3).backoff(backoff::constant(2s)).options().attempts, 3);
}

TEST(call, copies_are_independent) {
  auto first = crawl("a", 1);
  auto second = first;
  second.id("other");
  EXPECT_FALSE(first.options().id);
}

TEST(call, is_taken_apart_without_copying_it) {
  auto c = crawl(std::string(1'000, 'a'), 1).id(std::string(200, 'b'));
  const char* arguments = c.arguments().data();
  const char* id = c.options().id->data();
  const auto data = detail::call_access::take(std::move(c));
  EXPECT_EQ(data.task, "crawl");
  EXPECT_EQ(data.arguments.data(), arguments);
  EXPECT_EQ(data.options.id->data(), id);
}

}  // namespace
}  // namespace quarq
