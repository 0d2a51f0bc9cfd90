#include "rpc/openapi.hpp"

#include <array>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <boost/describe.hpp>
#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <quarq/handlers.hpp>
#include <quarq/model.hpp>

#include "validation/schema_writer.hpp"

namespace quarq::rpc::openapi_tests {

enum class colour { red, green };
BOOST_DESCRIBE_ENUM(colour, red, green)

struct node {
  std::string name;
  std::optional<int> weight;
  std::vector<node> below;
};
BOOST_DESCRIBE_STRUCT(node, (), (name, weight, below))

struct wish {
  colour tint = colour::red;
  int coats = 1;
};
BOOST_DESCRIBE_STRUCT(wish, (), (tint, coats))
QUARQ_MODEL(wish, field(&wish::coats).range(1, 3).defaulted())

struct error {
  std::string text;
};
BOOST_DESCRIBE_STRUCT(error, (), (text))

struct parcel {
  wish inside;
  error problem;
};
BOOST_DESCRIBE_STRUCT(parcel, (), (inside, problem))

namespace {

inline constexpr task<parcel(wish, std::vector<wish>)> paint{"paint", "first", "more"};
inline constexpr task<int(int, std::string)> add{"add", "a", "b"};
inline constexpr task<void(double, bool)> unnamed{"unnamed"};
inline constexpr task<std::vector<colour>()> colours{"a task/with a name?"};

template <class T>
std::string schema() {
  validation::schema_writer in("#/s/");
  return detail::schema_of<T>(in);
}

TEST(rpc_schema, is_what_the_codec_writes) {
  EXPECT_EQ(schema<bool>(), R"({"type": "boolean"})");
  EXPECT_EQ(schema<unsigned char>(), R"({"type": "integer", "minimum": 0, "maximum": 255})");
  EXPECT_EQ(schema<std::optional<double>>(), R"({"anyOf": [{"type": "number"}, {"type": "null"}]})");
  EXPECT_EQ((schema<std::map<std::string, bool>>()),
            R"({"type": "object", "additionalProperties": {"type": "boolean"}})");
  EXPECT_EQ((schema<std::pair<bool, std::string>>()),
            R"({"type": "array", "prefixItems": [{"type": "boolean"}, {"type": "string"}], "minItems": 2, )"
            R"("maxItems": 2})");
  EXPECT_EQ((schema<std::array<bool, 3>>()),
            R"({"type": "array", "items": {"type": "boolean"}, "minItems": 3, "maxItems": 3})");
  EXPECT_EQ(
      (schema<std::variant<bool, std::string>>()),
      R"({"oneOf": [{"type": "array", "prefixItems": [{"const": 0}, {"type": "boolean"}], "minItems": 2, )"
      R"("maxItems": 2}, {"type": "array", "prefixItems": [{"const": 1}, {"type": "string"}], )"
      R"("minItems": 2, "maxItems": 2}]})")
      << "also where the alternatives look the same";
  EXPECT_EQ(schema<colour>(), R"({"enum": ["red", "green", 0, 1]})");
  EXPECT_EQ(schema<void>(), R"({"type": "null"})");
}

TEST(rpc_schema, refers_to_structs_which_may_contain_themselves) {
  validation::schema_writer in("#/s/");
  EXPECT_EQ(detail::schema_of<std::vector<node>>(in), R"({"type": "array", "items": {"$ref": "#/s/node"}})");
  EXPECT_EQ(
      in.definitions(),
      R"({"node": {"type": "object", "properties": {"name": {"type": "string"}, "weight": )"
      R"({"anyOf": [{"type": "integer", "minimum": -2147483648, "maximum": 2147483647}, {"type": "null"}]}, )"
      R"("below": {"type": "array", "items": {"$ref": "#/s/node"}}}}})");
}

TEST(rpc_openapi, has_the_rules_of_models_wherever_they_are) {
  handlers all;
  all.handle(paint, [](const wish&, const std::vector<wish>&) { return parcel{}; });
  const auto read = boost::json::parse(openapi_of(detail::handlers_access::all(all)));
  const auto& schemas = read.at("components").at("schemas").as_object();
  EXPECT_EQ(schemas.at("wish"), boost::json::parse(R"({"type": "object", "title": "wish", "properties":
            {"tint": {"enum": ["red", "green", 0, 1]}, "coats": {"type": "integer", "minimum": 1, "maximum": 3}},
            "required": ["tint"]})"));
  EXPECT_EQ(
      schemas.at("parcel"),
      boost::json::parse(R"({"type": "object", "properties": {"inside": {"$ref": "#/components/schemas/wish"},
            "problem": {"$ref": "#/components/schemas/error_2"}}})"))
      << "a struct without a model has its members' models, and is not taken for the answer's error";
  EXPECT_TRUE(schemas.contains("error_2"));
  const auto& post = read.at("paths").at("/rpc/paint").at("post");
  EXPECT_EQ(post.at("requestBody").at("content").at("application/json").at("schema").at("properties"),
            boost::json::parse(R"({"first": {"$ref": "#/components/schemas/wish"}, "more": {"type": "array",
            "items": {"$ref": "#/components/schemas/wish"}}})"));
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
            boost::json::parse(R"({"type": "object", "properties": {"a": {"type": "integer", "minimum":
            -2147483648, "maximum": 2147483647}, "b": {"type":
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
