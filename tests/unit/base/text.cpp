#include "base/text.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace quarq::base {
namespace {

template <class T>
thrown_object described(T object) {
  try {
    throw object;
  } catch (...) {
    return describe_thrown_object();
  }
}

static_assert(trimmed(" \t a b\t ") == "a b");
static_assert(trimmed("\r\na\r\n") == "\r\na\r\n", "line breaks are no blanks unless they are named");
static_assert(trimmed("\r\n\t a\r\n", white_space) == "a");
static_assert(trimmed(" \t ").empty() && trimmed("").empty());
static_assert(trimmed("xxaxx", "x") == "a");

enum class fault { leak };

TEST(text, what_is_thrown_is_named_by_its_type_and_strings_by_what_they_say) {
  EXPECT_EQ(described(42).type, "int");
  EXPECT_EQ(described(42).text, "an object of type int was thrown, which is not a std::exception");
  EXPECT_EQ(described(fault::leak).type, "quarq::base::(anonymous namespace)::fault");
  EXPECT_EQ(described<const char*>("no space left").type, "char const*");
  EXPECT_EQ(described<const char*>("no space left").text, "no space left");
  EXPECT_EQ(described<const char*>(nullptr).text, "");
  EXPECT_EQ(described(std::string("no space left")).text, "no space left");
}

TEST(text, a_list_of_names_is_bounded) {
  EXPECT_EQ(listed({}), "");
  EXPECT_EQ(listed(std::vector<std::string>{"add"}), "add");
  EXPECT_EQ(listed(std::vector<std::string>{"add", "greet"}), "add, greet");
  const std::vector<std::string> many(1'000, "a_task");
  const auto list = listed(many);
  EXPECT_LE(list.size(), 330u);
  EXPECT_TRUE(list.ends_with("a_task and 963 more")) << list;
}

}  // namespace
}  // namespace quarq::base
