#include <chrono>
#include <string>

#include <gtest/gtest.h>

#include <quarq/task.hpp>

#include "codecs/json.hpp"

namespace quarq {
namespace {

using namespace std::chrono_literals;

inline constexpr task<int(std::string url, int depth)> crawl{"crawl", "url", "depth"};
inline constexpr task<void()> tick{"tick"};

TEST(task, called_with_its_arguments_is_a_call_that_holds_them_encoded) {
  const auto c = crawl("http://127.0.0.1/", 3);
  EXPECT_EQ(c.task(), "crawl");
  EXPECT_EQ(to_json(c.arguments()), R"(["http://127.0.0.1/", 3])");
  EXPECT_EQ(to_json(tick().arguments()), "[]");
}

TEST(task, knows_its_parameters_names_if_it_was_told) {
  ASSERT_EQ(crawl.parameters().size(), 2u);
  EXPECT_EQ(crawl.parameters()[1], "depth");
  EXPECT_TRUE(tick.parameters().empty());
}

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

TEST(call, a_backoff_that_says_how_many_tries_sets_them) {
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

}  // namespace
}  // namespace quarq
