#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <quarq/debug.hpp>

#include "debug/document.hpp"

namespace quarq::test {
namespace {

using debug::document;
using debug::look;

std::string laid_out(const document& text, std::size_t width, bool colours = false) {
  return lay_out(text, {.width = width, .indent = 2, .colours = colours});
}

/// [aaa, bbb] and what follows it.
document a_list(bool fill, std::initializer_list<const char*> elements, const char* rest = "") {
  document out;
  out.open("[", fill, ']');
  for (const char* element : elements) {
    out.element();
    out.text(look::number, element);
  }
  out.close();
  out.text(look::plain, rest);
  return out;
}

TEST(debug_layout, a_group_that_fits_stands_in_one_line) {
  EXPECT_EQ(laid_out(a_list(false, {"aaa", "bbb"}), 10), "[aaa, bbb]");
  EXPECT_EQ(laid_out(a_list(false, {}), 1), "[]");
}

TEST(debug_layout, one_column_less_breaks_it_at_each_element) {
  EXPECT_EQ(laid_out(a_list(false, {"aaa", "bbb"}), 9), "[\n  aaa,\n  bbb,\n]");
}

TEST(debug_layout, what_follows_it_must_fit_too) {
  EXPECT_EQ(laid_out(a_list(false, {"aaa"}, " x"), 7), "[aaa] x");
  EXPECT_EQ(laid_out(a_list(false, {"aaa"}, " x"), 6), "[\n  aaa,\n] x");
}

TEST(debug_layout, an_outer_group_breaks_before_an_inner_one) {
  const std::vector<std::vector<std::string>> rows = {{"a", "b"}, {"c"}};
  EXPECT_EQ(format_pretty(rows, {.width = 19}), R"([["a", "b"], ["c"]])");
  EXPECT_EQ(format_pretty(rows, {.width = 18, .indent = 2}), R"([
  ["a", "b"],
  ["c"],
])");
  EXPECT_EQ(format_pretty(rows, {.width = 12, .indent = 2}), R"([
  [
    "a",
    "b",
  ],
  ["c"],
])");
}

TEST(debug_layout, the_comma_after_an_inner_group_counts) {
  const std::vector<std::vector<std::string>> rows = {{"aa"}};
  EXPECT_EQ(format_pretty(rows, {.width = 8, .indent = 1}), "[[\"aa\"]]");
  EXPECT_EQ(format_pretty(rows, {.width = 7, .indent = 1}), "[\n [\n  \"aa\",\n ],\n]");
  EXPECT_EQ(format_pretty(rows, {.width = 7, .indent = 0}), "[\n[\"aa\"],\n]");
}

TEST(debug_layout, filled_lines_hold_as_many_elements_as_fit) {
  EXPECT_EQ(laid_out(a_list(true, {"1", "2", "3", "4", "5"}), 9), "[\n  1, 2,\n  3, 4,\n  5,\n]");
  EXPECT_EQ(format_pretty(std::vector<int>{100, 200, 300, 400}, {.width = 16, .indent = 2}),
            "[\n  100, 200, 300,\n  400,\n]");
}

TEST(debug_layout, a_long_key_does_not_hinder_its_value) {
  const std::map<std::string, std::vector<std::string>> map = {{"a long key", {"value", "value"}}};
  EXPECT_EQ(format_pretty(map, {.width = 20, .indent = 2}), R"({
  "a long key": [
    "value",
    "value",
  ],
})");
}

TEST(debug_layout, columns_are_code_points) {
  EXPECT_EQ(format_pretty(std::vector<std::string>{"äöü"}, {.width = 7}), R"(["äöü"])");
}

TEST(debug_layout, a_line_break_in_a_value_breaks_the_groups_around_it) {
  document out;
  out.open("[", false, ']');
  out.element();
  out.text(look::plain, "a");
  out.line_break();
  out.line_break();
  out.text(look::plain, "b");
  out.close();
  EXPECT_EQ(laid_out(out, 80), "[\n  a\n\n  b,\n]");
}

TEST(debug_layout, no_width_is_too_small) {
  EXPECT_EQ(format_pretty(std::vector<int>{1, 2}, {.width = 1, .indent = 0}), "[\n1,\n2,\n]");
}

TEST(debug_layout, colours_take_no_columns) {
  EXPECT_EQ(laid_out(a_list(false, {"aaa", "bbb"}), 10, true), "[\x1b[36maaa\x1b[0m, \x1b[36mbbb\x1b[0m]");
  EXPECT_EQ(format_pretty(true, {.colour = colours::always}), "\x1b[35mtrue\x1b[0m");
}

TEST(debug_document, can_be_cut_back_to_where_it_was) {
  document out = a_list(false, {"a"});
  const auto end = out.here();
  out.open("(", false, ')');
  out.element();
  out.cut(end);
  out.text(look::plain, "!");
  EXPECT_EQ(laid_out(out, 80), "[a]!");
}

}  // namespace
}  // namespace quarq::test
