#include "dashboard/redaction.hpp"

#include <gtest/gtest.h>

namespace quarq::test::redaction_tests {
namespace {

using dashboard::redaction;

const redaction by({"password", "api_key"}, false);

TEST(dashboard_redaction, replaces_values_by_the_names_of_members) {
  EXPECT_EQ(by.apply(R"([{"user": "ann", "password": "x\"}y"}, 1])"),
            R"([{"user": "ann", "password": "[redacted]"}, 1])");
  EXPECT_EQ(by.apply(R"({"password": {"a": [1, "]}"]}, "b": 2})"), R"({"password": "[redacted]", "b": 2})");
  EXPECT_EQ(by.apply(R"({"password":null})"), R"({"password":"[redacted]"})");
  EXPECT_EQ(by.apply(R"({"password":[1,2],"x":[3]})"), R"({"password":"[redacted]","x":[3]})");
}

TEST(dashboard_redaction, compares_names_without_case_and_marks) {
  EXPECT_TRUE(by.is_secret("dbPassWord2"));
  EXPECT_TRUE(by.is_secret("X-Api-Key"));
  EXPECT_TRUE(by.is_secret("apikey"));
  EXPECT_FALSE(by.is_secret("pass"));
}

TEST(dashboard_redaction, leaves_all_else_as_it_is_written) {
  const std::string exact = R"([18446744073709551615, 1e400, "password", {"a": "password: b"}, -0.10])";
  EXPECT_EQ(by.apply(exact), exact);
  EXPECT_EQ(by.apply(""), "");
}

TEST(dashboard_redaction, hides_whole_payloads) {
  EXPECT_EQ(redaction({}, true).apply("[1]"), "\"[redacted]\"");
  EXPECT_EQ(redaction({}, true).apply(""), "");
}

}  // namespace
}  // namespace quarq::test::redaction_tests
