#include "debug/split_arguments.hpp"

#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace quarq::test {
namespace {

using debug::split_arguments;
using expressions = std::vector<std::string_view>;

TEST(debug_split, one_argument_is_the_whole_text) {
  EXPECT_EQ(split_arguments("a", 1), expressions{"a"});
  EXPECT_EQ(split_arguments("f(a, b)[c, d]{e, f}", 1), expressions{"f(a, b)[c, d]{e, f}"});
  EXPECT_EQ(split_arguments("", 0), expressions{});
}

TEST(debug_split, commas_outside_of_brackets_separate) {
  EXPECT_EQ(split_arguments("a, b.c, f(x)", 3), (expressions{"a", "b.c", "f(x)"}));
  EXPECT_EQ(split_arguments("[](int a, int b) { return a, b; }(1, 2), v[{1, 2}]", 2),
            (expressions{"[](int a, int b) { return a, b; }(1, 2)", "v[{1, 2}]"}));
}

TEST(debug_split, commas_of_template_arguments_do_not) {
  EXPECT_EQ(split_arguments("std::pair<int,int>(1,2)", 1), expressions{"std::pair<int,int>(1,2)"});
  EXPECT_EQ(split_arguments("std::map<int, std::vector<std::pair<int, int>>>(), b", 2),
            (expressions{"std::map<int, std::vector<std::pair<int, int>>>()", "b"}));
  EXPECT_EQ(split_arguments("a, f<b, c>, d", 3), (expressions{"a", "f<b, c>", "d"}));
}

TEST(debug_split, comparisons_are_told_from_templates_by_the_number_of_arguments) {
  EXPECT_EQ(split_arguments("a < b, c > d", 2), (expressions{"a < b", "c > d"}));
  EXPECT_EQ(split_arguments("a < b, c > (d)", 1), expressions{"a < b, c > (d)"});
  EXPECT_EQ(split_arguments("a < b, std::pair<int, int>(1, 2)", 2),
            (expressions{"a < b", "std::pair<int, int>(1, 2)"}));
  EXPECT_EQ(split_arguments("a < b, c > d, std::pair<int, int>(1, 2)", 3),
            (expressions{"a < b", "c > d", "std::pair<int, int>(1, 2)"}));
}

TEST(debug_split, other_operators_with_angles_are_no_brackets) {
  EXPECT_EQ(split_arguments("a << b, c >> d, e->f, g <= h, i >= j, k <=> l, pair<int, int>()", 7),
            (expressions{"a << b", "c >> d", "e->f", "g <= h", "i >= j", "k <=> l", "pair<int, int>()"}));
  EXPECT_EQ(split_arguments("(a < b), pair<int, int>()", 2), (expressions{"(a < b)", "pair<int, int>()"}));
}

TEST(debug_split, strings_and_characters_are_skipped) {
  EXPECT_EQ(split_arguments(R"("a, b\", (", c)", 2), (expressions{R"("a, b\", (")", "c"}));
  EXPECT_EQ(split_arguments(R"(',', '\'', L'(', u8',', "<")", 5),
            (expressions{"','", R"('\'')", "L'('", "u8','", R"("<")"}));
  EXPECT_EQ(split_arguments(R"code(R"x(a, )", b)x", u8R"(,)", c)code", 3),
            (expressions{R"code(R"x(a, )", b)x")code", R"code(u8R"(,)")code", "c"}));
}

TEST(debug_split, separators_of_digits_begin_no_character) {
  EXPECT_EQ(split_arguments("1'000, 0xff'ff, f(2'000)", 3), (expressions{"1'000", "0xff'ff", "f(2'000)"}));
}

TEST(debug_split, what_cannot_be_told_apart_is_nothing) {
  EXPECT_EQ(split_arguments("a", 2), expressions{});
  EXPECT_EQ(split_arguments("a, b, c", 2), expressions{});
  EXPECT_EQ(split_arguments("\"unclosed, ", 2), expressions{});
  EXPECT_EQ(split_arguments(">, ), ]", 3), expressions{});
}

}  // namespace
}  // namespace quarq::test
