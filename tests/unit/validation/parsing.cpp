// From JSON into structs: what is read, and what is said of what is wrong.
#include <gtest/gtest.h>

#include "unit/validation/models_of_tests.hpp"

namespace quarq::validation_tests {
namespace parsing {

using strings = std::vector<std::string>;

constexpr std::string_view good_order = R"({"orderId": 7,
  "items": [{"sku": "AB-1", "quantity": 2, "price": 1.5}, {"sku": "C-9", "quantity": 1, "price": 20}],
  "paid_by": {"method": "transfer", "iban": "DE1", "cents": 2300},
  "labels": ["x", "y"], "notes": ["fast"], "counts": {"a": 1}, "box": "large"})";

TEST(model_parsing, a_document_becomes_a_struct) {
  const auto made = parse_json<order>(good_order);
  EXPECT_EQ(made.id, 7);
  ASSERT_EQ(made.items.size(), 2u);
  EXPECT_EQ(made.items[1].sku, "C-9");
  EXPECT_EQ(made.items[1].price, 20.0);
  ASSERT_EQ(made.paid_by.index(), 1u);
  EXPECT_EQ(std::get<transfer>(made.paid_by).cents, 2300);
  EXPECT_EQ(made.labels, (std::set<std::string>{"x", "y"}));
  EXPECT_EQ(made.counts.at("a"), 1);
  EXPECT_EQ(made.box, size::large);
}

TEST(model_parsing, absent_members_are_missing_unless_they_are_optional_or_defaulted) {
  EXPECT_EQ(kinds_in<new_user>("{}"), (strings{"name: missing", "password: missing"}));
  const auto made = parse_json<new_user>(R"({"name": "ann", "password": "hunter2-of-ann"})");
  EXPECT_EQ(made.age, 0);
  EXPECT_EQ(made.email, std::nullopt);
  EXPECT_EQ(made.password.expose(), "hunter2-of-ann");
}

TEST(model_parsing, all_errors_come_in_the_order_of_the_document) {
  EXPECT_EQ(kinds_in<order>(R"({
    "box": "tiny",
    "counts": {"a": 10, "b c": "x", "a": 1},
    "notes": ["", "toolong", 5, "a", "a"],
    "paid_by": {"iban": 4, "cents": 0, "method": "transfer"},
    "items": [{"sku": "ab", "quantity": 0, "price": 0, "colour": "red"}, 5, {"quantity": 1000}],
    "orderId": 0
  })"),
            (strings{"box: enum", "counts.a: less_than_equal", "counts[\"b c\"]: int_type",
                     "counts.a: duplicate_key", "notes[0]: string_too_short", "notes[1]: string_too_long",
                     "notes[2]: string_type", "notes: too_long", "paid_by.iban: string_type",
                     "paid_by.cents: greater_than", "items[0].sku: string_pattern_mismatch",
                     "items[0].quantity: greater_than_equal", "items[0].price: greater_than",
                     "items[0].colour: extra_forbidden", "items[1]: model_type",
                     "items[2].quantity: less_than_equal", "items[2].sku: missing", "items[2].price: missing",
                     "orderId: greater_than_equal"}));
}

TEST(model_parsing, a_message_says_what_was_asked) {
  const auto errors = errors_in<new_user>(R"({"name": "", "age": 200, "email": "ann", "password": "short"})");
  ASSERT_EQ(errors.size(), 4u);
  EXPECT_EQ(to_string(errors[0]), "name: String should have at least 1 character");
  EXPECT_EQ(to_string(errors[1]), "age: Input should be less than or equal to 150");
  EXPECT_EQ(to_string(errors[2]), "email: Input should be a valid e-mail address");
  EXPECT_EQ(to_string(errors[3]), "password: String should have at least 8 characters");
}

TEST(model_parsing, the_exception_has_every_error_in_one_line) {
  try {
    parse_json<new_user>(R"({"name": "", "password": "short"})");
    FAIL() << "nothing was thrown";
  } catch (const validation_error& e) {
    EXPECT_STREQ(
        e.what(),
        "new_user: 2 errors: name: String should have at least 1 character; password: String should have at "
        "least 8 characters");
    EXPECT_EQ(e.errors().size(), 2u);
    EXPECT_EQ(
        to_json(e.errors()),
        R"([{"kind": "string_too_short", "path": ["name"], "message": "String should have at least 1 character"}, )"
        R"({"kind": "string_too_short", "path": ["password"], "message": "String should have at least 8 characters"}])");
  }
}

TEST(model_parsing, a_tag_may_come_first_or_last) {
  const auto first = parse_json<payment>(R"({"method": "voucher", "number": "1234"})");
  EXPECT_EQ(std::get<voucher>(first).number, "1234");
  const auto last =
      parse_json<payment>(R"({"number": "1234", "more": [1, {"method": 5}], "method": "voucher"})");
  EXPECT_EQ(std::get<voucher>(last).number, "1234");
  EXPECT_EQ(kinds_in<payment>(R"({"number": "1"})"), (strings{": union_tag_not_found"}));
  EXPECT_EQ(kinds_in<payment>("{}"), (strings{": union_tag_not_found"}));
  EXPECT_EQ(kinds_in<payment>(R"({"method": "cash"})"), (strings{": union_tag_invalid"}));
  EXPECT_EQ(kinds_in<payment>(R"({"method": 5, "number": "1"})"), (strings{": union_tag_invalid"}));
  EXPECT_EQ(kinds_in<payment>(R"({"number": "1", "method": "cash"})"), (strings{": union_tag_invalid"}));
  EXPECT_EQ(kinds_in<payment>(R"({"number": "1", "method": "voucher"})"),
            (strings{"number: string_pattern_mismatch"}));
}

TEST(model_parsing, a_rule_of_the_whole_is_asked_when_its_members_are_right) {
  std::string many = R"({"orderId": 1, "paid_by": {"method": "voucher", "number": "1234"}, "items": [)";
  many += R"({"sku": "A-1", "quantity": 60, "price": 1}, {"sku": "A-2", "quantity": 60, "price": 1}]})";
  const auto errors = errors_in<order>(many);
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors[0].kind, "value_error");
  EXPECT_EQ(errors[0].message, "At most 100 items in all");
}

TEST(model_parsing, bad_json_is_an_error_with_its_place) {
  const auto errors = errors_in<new_user>("{\"name\": \"\",\n \"age\": }");
  ASSERT_EQ(errors.size(), 2u);
  EXPECT_EQ(errors[0].kind, "string_too_short");
  EXPECT_EQ(errors[1].message, "Invalid JSON: syntax error at line 2 column 9");
  EXPECT_EQ(kinds_in<int>("1 2"), (strings{": json_invalid"}));
  EXPECT_EQ(kinds_in<int>(""), (strings{": json_invalid"}));
}

TEST(model_parsing, at_most_a_hundred_errors_are_reported) {
  std::string json = "[";
  for (int i = 0; i < 1000; ++i) json += i == 0 ? "\"x\"" : ", \"x\"";
  EXPECT_EQ(errors_in<std::vector<int>>(json + "]").size(), 100u);
}

TEST(model_parsing, what_is_written_is_read_back) {
  const auto made = parse_json<order>(good_order);
  const auto text = write_json(made);
  EXPECT_EQ(write_json(parse_json<order>(text)), text);
  EXPECT_EQ(validate(made), std::vector<model_error>{});
}

TEST(model_parsing, a_value_that_exists_is_checked_by_the_same_rules) {
  auto made = parse_json<order>(good_order);
  made.items[1].quantity = 0;
  made.notes = {"b", "a", "b"};
  made.counts["z"] = 77;
  std::get<transfer>(made.paid_by).cents = -1;
  EXPECT_EQ(kinds_of(validate(made)),
            (strings{"items[1].quantity: greater_than_equal", "paid_by.cents: greater_than",
                     "notes: unique_items", "counts.z: less_than_equal"}));
}

}  // namespace parsing
}  // namespace quarq::validation_tests
