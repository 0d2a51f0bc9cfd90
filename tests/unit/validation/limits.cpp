// Nesting, recursion, hostile input, and secrets.
#include <chrono>
#include <sstream>

#include <gtest/gtest.h>

#include <quarq/debug.hpp>

#include "support/secrets.hpp"
#include "unit/validation/models_of_tests.hpp"

namespace quarq::validation_tests {
namespace limits {

struct tree {
  std::vector<tree> children;
  std::string name;
};
BOOST_DESCRIBE_STRUCT(tree, (), (children, name))
QUARQ_MODEL(tree, all_defaulted)

struct leaf {
  int value = 0;
};
BOOST_DESCRIBE_STRUCT(leaf, (), (value))
struct branch;
using part = std::variant<leaf, branch>;
struct branch {
  std::vector<part> parts;
};
BOOST_DESCRIBE_STRUCT(branch, (), (parts))
QUARQ_TAGGED(part, "kind", "leaf", "branch")

struct holder {
  secret<std::string> key;
  secret<voucher> paid;
  secret<payment> way;
  secret<std::chrono::system_clock::time_point> when;
};
BOOST_DESCRIBE_STRUCT(holder, (), (key, paid, way, when))
QUARQ_MODEL(holder, all_defaulted, field(&holder::key).length(100))

std::string nested(std::size_t levels, std::string_view begin, std::string_view end) {
  std::string text;
  for (std::size_t i = 0; i < levels; ++i) text += begin;
  for (std::size_t i = 0; i < levels; ++i) text += end;
  return text;
}

TEST(model_limits, values_may_be_nested_64_levels_deep) {
  EXPECT_EQ(kinds_in<tree>(nested(32, R"({"children": [)", "]}")), std::vector<std::string>{});
  EXPECT_EQ(kinds_in<tree>(nested(33, R"({"children": [)", "]}")), std::vector<std::string>{": too_deep"});
  std::string msgpack;
  for (int i = 0; i < 100; ++i) msgpack += std::string("\x81\xa8") + "children" + "\x91";
  tree made;
  EXPECT_THROW(parse_msgpack<tree>(msgpack), validation_error);
}

TEST(model_limits, what_nobody_reads_is_nested_as_deep_at_most) {
  EXPECT_EQ(kinds_in<leaf>(R"({"more": )" + nested(63, "[", "]") + "}"), std::vector<std::string>{});
  EXPECT_EQ(kinds_in<leaf>(R"({"more": )" + nested(64, "[", "]") + "}"),
            std::vector<std::string>{": too_deep"});
}

TEST(model_limits, tags_that_come_last_are_found_at_every_level) {
  std::string json = R"({"value": 7, "kind": "leaf"})";
  for (int i = 0; i < 31; ++i) json = R"({"parts": [)" + json + R"(], "kind": "branch"})";
  auto made = parse_json<part>(json);
  const part* at = &made;
  int depth = 0;
  while (const auto* inner = std::get_if<branch>(at)) {
    at = &inner->parts.at(0);
    ++depth;
  }
  EXPECT_EQ(depth, 31);
  EXPECT_EQ(std::get<leaf>(*at).value, 7);
}

TEST(model_limits, a_wrong_value_leaves_nothing_behind) {
  // Elements of sets are made before they are inserted; the leak sanitizer sees those that are not.
  EXPECT_EQ(kinds_in<std::set<std::string>>(R"(["a", 5, ["b"], null, "c"])"),
            (std::vector<std::string>{"[1]: string_type", "[2]: string_type", "[3]: string_type"}));
  EXPECT_EQ(kinds_in<std::set<std::vector<int>>>(R"([[1, "x"], [2], {"a": 1}, [3)").size(), 3u);
}

TEST(model_limits, a_secret_is_shown_to_nobody) {
  holder made;
  made.key = secret<std::string>("hunter2");
  std::ostringstream out;
  out << made.key << format_pretty(made) << format_pretty(made.key) << json_schema<holder>();
  for (const auto& e : validate(made)) out << to_string(e);
  const std::string json = R"({"key": "hunter2", "paid": {"number": "hunter2"}, "way": {"method": "hunter2"},
    "when": "hunter2", "hunter2": 1})";
  for (const auto& e : errors_in<holder>(json)) out << to_string(e);
  for (const auto& e : errors_in<holder>(R"({"way": {"a": 1, "method": "hunter2"}})")) out << to_string(e);
  EXPECT_EQ(test::line_with_secret(out.str()), "");
  EXPECT_NE(format_pretty(made).find("******"), std::string::npos) << format_pretty(made);
}

}  // namespace limits
}  // namespace quarq::validation_tests
