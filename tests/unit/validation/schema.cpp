// JSON Schema: what a type's document says.
#include <gtest/gtest.h>

#include "unit/validation/models_of_tests.hpp"

namespace quarq::validation_tests {
namespace schema {

struct node {
  std::string name;
  std::vector<node> children;
};
BOOST_DESCRIBE_STRUCT(node, (), (name, children))
QUARQ_MODEL(node, extra::forbid, field(&node::name).length(1, 8).title("What it is called"),
            field(&node::children).defaulted())

struct branch;
struct leaf {
  std::string word;
};
BOOST_DESCRIBE_STRUCT(leaf, (), (word))
using tree = std::variant<leaf, branch>;
struct branch {
  std::vector<tree> below;
};
BOOST_DESCRIBE_STRUCT(branch, (), (below))
QUARQ_TAGGED(tree, "what", "leaf", "branch")

struct relaxed {
  bool flag = false;
  std::optional<int> maybe;
  std::map<bool, float> by_flag;
};
BOOST_DESCRIBE_STRUCT(relaxed, (), (flag, maybe, by_flag))
QUARQ_MODEL(relaxed, field(&relaxed::flag).lax(), field(&relaxed::maybe).lax().range(0, 9))

// With a codec of its own, below.
struct opaque {};

template <class T>
struct page {
  std::vector<T> rows;
};
BOOST_DESCRIBE_STRUCT(page<int>, (), (rows))

}  // namespace schema
}  // namespace quarq::validation_tests

template <>
struct quarq::codec<quarq::validation_tests::schema::opaque> {
  static void encode(encoder& out, const validation_tests::schema::opaque&) { out.nil(); }
  static validation_tests::schema::opaque decode(decoder& in) {
    in.nil();
    return {};
  }
};

namespace quarq::validation_tests {
namespace schema {

constexpr std::string_view head = R"({"$schema": "https://json-schema.org/draft/2020-12/schema", )";

TEST(model_schema, says_what_the_model_says) {
  EXPECT_EQ(
      json_schema<new_user>(),
      std::string(head) +
          R"("$ref": "#/$defs/new_user", "$defs": {"new_user": {"type": "object", "title": "new_user", )"
          R"("properties": {"name": {"type": "string", "minLength": 1, "maxLength": 80}, )"
          R"("age": {"type": "integer", "minimum": 0, "maximum": 150}, )"
          R"("email": {"anyOf": [{"type": "string", "format": "email"}, {"type": "null"}]}, )"
          R"("password": {"type": "string", "minLength": 8, "writeOnly": true}}, )"
          R"("required": ["name", "password"]}}})");
}

TEST(model_schema, recursive_types_refer_to_themselves) {
  EXPECT_EQ(
      json_schema<node>(),
      std::string(head) +
          R"("$ref": "#/$defs/node", "$defs": {"node": {"type": "object", "title": "node", )"
          R"("properties": {"name": {"type": "string", "minLength": 1, "maxLength": 8, )"
          R"("title": "What it is called"}, "children": {"type": "array", "items": {"$ref": "#/$defs/node"}}}, )"
          R"("required": ["name"], "additionalProperties": false}}})");
}

TEST(model_schema, a_tag_is_a_constant_of_its_alternative) {
  EXPECT_EQ(
      json_schema<payment>(),
      std::string(head) +
          R"("oneOf": [{"$ref": "#/$defs/voucher"}, {"$ref": "#/$defs/transfer"}], "$defs": {"transfer": )"
          R"({"type": "object", "title": "transfer", "properties": {"method": {"const": "transfer"}, )"
          R"("iban": {"type": "string"}, "cents": {"type": "integer", "exclusiveMinimum": 0, )"
          R"("maximum": 9223372036854775807}}, "required": ["method", "iban", "cents"]}, "voucher": )"
          R"({"type": "object", "title": "voucher", "properties": {"method": {"const": "voucher"}, )"
          R"("number": {"type": "string", "pattern": "^[0-9]{4}$"}}, "required": ["method", "number"]}}})");
}

TEST(model_schema, a_tagged_alternative_may_contain_its_variant) {
  EXPECT_EQ(
      json_schema<std::vector<tree>>(),
      std::string(head) +
          R"("type": "array", "items": {"oneOf": [{"$ref": "#/$defs/leaf"}, {"$ref": "#/$defs/branch"}]}, )"
          R"("$defs": {"branch": {"type": "object", "title": "branch", "properties": )"
          R"({"what": {"const": "branch"}, "below": {"type": "array", "items": )"
          R"({"oneOf": [{"$ref": "#/$defs/leaf"}, {"$ref": "#/$defs/branch"}]}}}, )"
          R"("required": ["what"]}, "leaf": {"type": "object", "title": "leaf", "properties": )"
          R"({"what": {"const": "leaf"}, "word": {"type": "string"}}, "required": ["what"]}}})");
}

TEST(model_schema, text_that_is_converted_has_a_pattern) {
  const std::string blanks = R"([ \\t\\r\\n]*)";
  const std::string flags =
      R"({"type": "string", "pattern": "^)" + blanks +
      R"(([Tt]([Rr][Uu][Ee])?|[Yy]([Ee][Ss])?|[Oo][Nn]|1|[Ff]([Aa][Ll][Ss][Ee])?|[Nn][Oo]?|)"
      R"([Oo][Ff][Ff]|0))" +
      blanks + R"($"})";
  EXPECT_EQ(
      json_schema<relaxed>(),
      std::string(head) +
          R"("$ref": "#/$defs/relaxed", "$defs": {"relaxed": {"type": "object", "title": "relaxed", )"
          R"("properties": {"flag": {"anyOf": [{"type": "boolean"}, )" +
          flags +
          R"(]}, "maybe": {"anyOf": [{"anyOf": [{"type": "integer", "minimum": 0, "maximum": 9}, )"
          R"({"type": "string", "pattern": "^)" +
          blanks + "[+-]?[0-9]+" + blanks +
          R"($"}]}, {"const": ""}, {"type": "null"}]}, "by_flag": {"type": "object", "propertyNames": )" +
          flags +
          R"(, "additionalProperties": {"type": "number", "exclusiveMinimum": -3.4028235677973366e+38, )"
          R"("exclusiveMaximum": 3.4028235677973366e+38}}}, "required": ["flag", "by_flag"]}}})");
}

TEST(model_schema, a_secret_of_a_type_that_nothing_is_known_of_is_still_json) {
  EXPECT_EQ(json_schema<secret<opaque>>(), std::string(head) + R"("writeOnly": true})");
}

TEST(model_schema, a_name_for_references_has_plain_characters) {
  EXPECT_NE(json_schema<page<int>>().find(R"("$ref": "#/$defs/page_int_")"), std::string::npos)
      << json_schema<page<int>>();
}

}  // namespace schema
}  // namespace quarq::validation_tests
