#include "rpc/openapi.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/describe.hpp>
#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <quarq/bytes.hpp>
#include <quarq/handlers.hpp>

namespace quarq::rpc::openapi_tests {

enum class colour { red, green };
BOOST_DESCRIBE_ENUM(colour, red, green)

struct node {
  std::string name;
  std::optional<int> weight;
  std::vector<node> below;
};
BOOST_DESCRIBE_STRUCT(node, (), (name, weight, below))

namespace {

inline constexpr task<int(int, std::string)> add{"add", "a", "b"};
inline constexpr task<void(double, bool)> unnamed{"unnamed"};
inline constexpr task<std::vector<colour>()> colours{"a task/with a name?"};

TEST(rpc_schema, is_what_the_codec_writes) {
  EXPECT_EQ(detail::schema_of<int>(), R"({"type": "integer"})");
  EXPECT_EQ(detail::schema_of<std::optional<double>>(),
            R"({"anyOf": [{"type": "number"}, {"type": "null"}]})");
  EXPECT_EQ((detail::schema_of<std::map<std::string, bool>>()),
            R"({"type": "object", "additionalProperties": {"type": "boolean"}})");
  EXPECT_EQ((detail::schema_of<std::pair<int, std::string>>()),
            R"({"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}]})");
  EXPECT_EQ(detail::schema_of<colour>(), R"({"enum": ["red", "green"]})");
  EXPECT_EQ(detail::schema_of<bytes>(),
            R"({"type": "object", "properties": {"$bytes": {"type": "string"}}, "required": ["$bytes"]})");
  EXPECT_EQ(detail::schema_of<std::chrono::milliseconds>(), "{}") << "anything";
}

TEST(rpc_schema, ends_for_types_that_contain_themselves) {
  const auto read = boost::json::parse(detail::schema_of<node>());
  const auto& below = read.at("properties").at("below").at("items");
  EXPECT_EQ(below.at("properties").at("name").at("type").as_string(), "string");
}

TEST(rpc_openapi, has_a_path_for_each_task) {
  handlers all;
  all.handle(add, [](int a, const std::string&) { return a; })
      .handle(unnamed, [](double, bool) {})
      .handle(colours, [] { return std::vector<colour>{}; });
  const auto read = boost::json::parse(openapi_of(detail::handlers_access::all(all)));
  EXPECT_EQ(read.at("openapi").as_string(), "3.1.0");
  const auto& paths = read.at("paths").as_object();
  EXPECT_EQ(paths.size(), 3u);
  const auto takes = [&](const char* path) {
    return paths.at(path).at("post").at("requestBody").at("content").at("application/json").at("schema");
  };
  EXPECT_EQ(takes("/rpc/add"),
            boost::json::parse(R"({"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type":
            "string"}}, "required": ["a", "b"], "additionalProperties": false})"));
  EXPECT_EQ(takes("/rpc/unnamed"),
            boost::json::parse(R"({"type": "array", "prefixItems": [{"type": "number"}, {"type": "boolean"}],
            "minItems": 2, "maxItems": 2})"));
  EXPECT_TRUE(paths.contains("/rpc/a%20task%2Fwith%20a%20name%3F"));
}

TEST(rpc_docs_page, loads_nothing_from_elsewhere) {
  EXPECT_EQ(docs_page.find("http:"), docs_page.npos);
  EXPECT_EQ(docs_page.find("https:"), docs_page.npos);
  EXPECT_NE(docs_page.find("/openapi.json"), docs_page.npos);
}

}  // namespace
}  // namespace quarq::rpc::openapi_tests
