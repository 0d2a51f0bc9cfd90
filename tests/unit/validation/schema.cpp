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
          R"("oneOf": [{"type": "object", "title": "voucher", "properties": {"method": {"const": "voucher"}, )"
          R"("number": {"type": "string", "pattern": "^[0-9]{4}$"}}, "required": ["method", "number"]}, )"
          R"({"type": "object", "title": "transfer", "properties": {"method": {"const": "transfer"}, )"
          R"("iban": {"type": "string"}, "cents": {"type": "integer", "exclusiveMinimum": 0, )"
          R"("maximum": 9223372036854775807}}, "required": ["method", "iban", "cents"]}]})");
}

}  // namespace schema
}  // namespace quarq::validation_tests
