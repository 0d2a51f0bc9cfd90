#include <cerrno>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <quarq/debug.hpp>

#include "unit/debug/debug_output.hpp"

namespace quarq::test {
namespace debug_macro {

TEST(debug_macro, prints_place_expression_value_type_and_size) {
  const debug_output out;
  const int a = 3;
  const std::vector<std::string> names = {"ann", "bob"};
  const unsigned line = __LINE__ + 1;
  QUARQ_DEBUG(a + 1, names, std::string("x"));
  EXPECT_TRUE(out.text().find(fmt::format("macro.cpp:{} ", line)) != std::string::npos) << out.text();
  EXPECT_TRUE(out.text().substr(0, out.text().find('\n')).ends_with("::TestBody")) << out.text();
  EXPECT_EQ(out.values(), R"(    a + 1 = 4 (int, 4 bytes)
    names = ["ann", "bob"] (std::vector<std::string>, 2 elements)
    std::string("x") = "x" (std::string, 1 byte)
)");
}

TEST(debug_macro, long_values_are_broken_and_notes_that_do_not_fit_follow) {
  const debug_output out({.width = 40, .indent = 2});
  const std::map<std::string, int> counts = {{"a first word", 1}, {"a second word", 2}};
  QUARQ_DEBUG(counts);
  EXPECT_EQ(out.values(), R"(  counts = {
    "a first word": 1,
    "a second word": 2,
  }
  (std::map<std::string, int>, 2 elements)
)");
}

TEST(debug_macro, no_argument_prints_the_place) {
  const debug_output out;
  QUARQ_DEBUG();
  EXPECT_TRUE(out.text().ends_with("::TestBody\n"));
  EXPECT_EQ(out.values(), "");
}

TEST(debug_macro, a_literal_stands_for_itself) {
  const debug_output out;
  QUARQ_DEBUG("here", "a" + std::string("b"));
  EXPECT_EQ(out.values(), "    \"here\"\n    \"a\" + std::string(\"b\") = \"ab\" (std::string, 2 bytes)\n");
}

TEST(debug_macro, commas_in_template_arguments) {
  const debug_output out;
  const auto pair = QUARQ_DEBUG(std::pair<int, int>(1, 2));
  EXPECT_EQ(pair, std::make_pair(1, 2));
  EXPECT_EQ(out.values(), "    std::pair<int, int>(1, 2) = (1, 2) (std::pair<int, int>, 8 bytes)\n");
}

TEST(debug_macro, each_argument_is_evaluated_once_from_left_to_right) {
  const debug_output out;
  std::vector<int> calls;
  const auto call = [&](int n) {
    calls.push_back(n);
    return n;
  };
  EXPECT_EQ(QUARQ_DEBUG(call(1), call(2), call(3)), 3);
  EXPECT_EQ(calls, (std::vector<int>{1, 2, 3}));
}

struct pinned {
  explicit pinned(int n) : number(n) {}
  pinned(pinned&&) = delete;
  int number;
};

TEST(debug_macro, its_value_is_the_last_argument_in_its_category) {
  const debug_output out;
  std::string text = "a";
  const std::string constant = "c";
  static_assert(std::is_same_v<decltype(QUARQ_DEBUG(1, text)), std::string&>);
  static_assert(std::is_same_v<decltype(QUARQ_DEBUG(text, constant)), const std::string&>);
  static_assert(std::is_same_v<decltype(QUARQ_DEBUG(std::move(text))), std::string&&>);
  static_assert(std::is_same_v<decltype(QUARQ_DEBUG(text + "b")), std::string>);
  static_assert(std::is_same_v<decltype(QUARQ_DEBUG(pinned(1))), pinned&&>);
  EXPECT_EQ(&QUARQ_DEBUG(1, text), &text);
  QUARQ_DEBUG(text) += "b";
  EXPECT_EQ(text, "ab");
  const std::string taken = QUARQ_DEBUG(std::move(text));
  EXPECT_EQ(taken, "ab");
  EXPECT_EQ(text, "");
  EXPECT_EQ(QUARQ_DEBUG(pinned(1)).number, 1);
  int sum = 0;
  for (const int n : QUARQ_DEBUG(std::vector<int>{1, 2, 3})) sum += n;
  EXPECT_EQ(sum, 6);
}

std::unique_ptr<int> wrapped() {
  return QUARQ_DEBUG(std::make_unique<int>(7));
}

TEST(debug_macro, what_can_only_be_moved_is_moved) {
  const debug_output out;
  EXPECT_EQ(*wrapped(), 7);
  auto kept = std::make_unique<int>(8);
  EXPECT_EQ(QUARQ_DEBUG(kept).get(), kept.get());
}

template <class T>
T in_a_template(const T& value) {
  return QUARQ_DEBUG(value, value + value);
}

TEST(debug_macro, works_in_templates_and_generic_lambdas) {
  const debug_output out;
  const auto twice = [](auto value) { return QUARQ_DEBUG(value + value); };
  EXPECT_EQ(twice(2), 4);
  EXPECT_EQ(twice(std::string("a")), "aa");
  EXPECT_EQ(in_a_template(2), 4);
  EXPECT_EQ(QUARQ_DEBUG([](auto n) { return n + 1; }(2)), 3);
  EXPECT_EQ(QUARQ_DEBUG([] { return 5; })(), 5);
}

constexpr int in_a_constant(int n) {
  return QUARQ_DEBUG(n, n + 1);
}
static_assert(in_a_constant(1) == 2);

const int of_namespace = QUARQ_DEBUG(in_a_constant(3));

TEST(debug_macro, works_outside_of_functions) {
  EXPECT_EQ(of_namespace, 4);
}

TEST(debug_macro, errno_can_be_shown_and_stays) {
  const debug_output out;
  errno = ENOENT;
  QUARQ_DEBUG(errno);
  EXPECT_EQ(errno, ENOENT);
  EXPECT_TRUE(out.values().find(" = 2 (int, 4 bytes)") != std::string::npos) << out.values();
}

TEST(debug_macro, what_throws_while_it_is_shown_does_not_throw_here) {
  struct failing {
    const int* begin() const { throw std::runtime_error("no"); }
    const int* end() const { return nullptr; }
  };
  const debug_output out;
  const failing value;
  QUARQ_DEBUG(value, 1);
  EXPECT_TRUE(out.values().find(R"(value = <threw std::runtime_error("no")>)") != std::string::npos)
      << out.values();
  EXPECT_TRUE(out.values().ends_with("    1 = 1 (int, 4 bytes)\n"));
}

TEST(debug_macro, prints_of_threads_do_not_mix) {
  const debug_output out({.width = 20});
  const std::vector<std::string> lines(20, "a line of its own");
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) QUARQ_DEBUG(lines);
    });
  }
  for (auto& thread : threads) thread.join();
  // The same block, 200 times.
  const auto all = out.text();
  ASSERT_EQ(all.size() % 200, 0U);
  const auto one = all.substr(0, all.size() / 200);
  for (std::size_t i = 0; i < 200; ++i) ASSERT_EQ(all.substr(i * one.size(), one.size()), one);
}

TEST(debug_macro, colours_can_be_asked_for) {
  const debug_output out({.width = 100, .colour = colours::always});
  QUARQ_DEBUG(1 + 1);
  EXPECT_EQ(out.values(), "    \x1b[1m1 + 1\x1b[0m = \x1b[36m2\x1b[0m \x1b[2m(int, 4 bytes)\x1b[0m\n");
}

}  // namespace debug_macro

// In no_debug.cpp.
std::string without_debug_prints(std::vector<int>& calls);

TEST(debug_macro, another_file_may_do_without) {
  const debug_output out;
  std::vector<int> calls;
  EXPECT_EQ(without_debug_prints(calls), "last");
  EXPECT_EQ(calls, (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(out.text(), "");
}

}  // namespace quarq::test
