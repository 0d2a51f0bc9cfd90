// check<f>(): a function of the user is called for every kind of member, however it is written.
#include <array>

#include <gtest/gtest.h>

#include "codecs/json.hpp"
#include "unit/validation/models_of_tests.hpp"

namespace quarq::validation_tests {
namespace checks {

using strings = std::vector<std::string>;
using texts_by_number = std::map<int, std::string>;
using number_or_text = std::variant<std::monostate, int, std::string, std::vector<int>>;

template <class T>
std::string complain(const T&) {
  return "never right";
}

struct everything {
  bool flag = false;
  int whole = 0;
  double real = 0;
  std::string text;
  bytes as_text, as_object;
  std::monostate nil;
  size chosen = size::small;
  std::optional<int> maybe, none;
  secret<std::string> hidden;
  std::vector<int> list;
  std::set<int> set;
  texts_by_number map;
  std::array<int, 2> two{};
  voucher object;
  payment tag_first, tag_last;
  number_or_text null_alone, number_alone, text_alone, list_alone;
  std::chrono::milliseconds period{};
  std::chrono::system_clock::time_point moment;
};
BOOST_DESCRIBE_STRUCT(everything, (),
                      (flag, whole, real, text, as_text, as_object, nil, chosen, maybe, none, hidden, list,
                       set, map, two, object, tag_first, tag_last, null_alone, number_alone, text_alone,
                       list_alone, period, moment))
QUARQ_MODEL(everything, field(&everything::flag).check<complain<bool>>(),
            field(&everything::whole).check<complain<int>>(),
            field(&everything::real).check<complain<double>>(),
            field(&everything::text).check<complain<std::string>>(),
            field(&everything::as_text).check<complain<bytes>>(),
            field(&everything::as_object).check<complain<bytes>>(),
            field(&everything::nil).check<complain<std::monostate>>(),
            field(&everything::chosen).check<complain<size>>(),
            field(&everything::maybe).check<complain<int>>(), field(&everything::none).check<complain<int>>(),
            field(&everything::hidden).check<complain<std::string>>(),
            field(&everything::list).check<complain<std::vector<int>>>(),
            field(&everything::set).check<complain<std::set<int>>>(),
            field(&everything::map).check<complain<texts_by_number>>(),
            field(&everything::two).check<complain<std::array<int, 2>>>(),
            field(&everything::object).check<complain<voucher>>(),
            field(&everything::tag_first).check<complain<payment>>(),
            field(&everything::tag_last).check<complain<payment>>(),
            field(&everything::null_alone).check<complain<number_or_text>>(),
            field(&everything::number_alone).check<complain<number_or_text>>(),
            field(&everything::text_alone).check<complain<number_or_text>>(),
            field(&everything::list_alone).check<complain<number_or_text>>(),
            field(&everything::period).check<complain<std::chrono::milliseconds>>(),
            field(&everything::moment).check<complain<std::chrono::system_clock::time_point>>())

constexpr std::string_view all_of_it = R"({"flag": true, "whole": 1, "real": 0.5, "text": "a", "as_text": "b",
  "as_object": {"$bytes": "aGk="}, "nil": null, "chosen": "small", "maybe": 5, "none": null, "hidden": "c",
  "list": [1], "set": [2], "map": {"7": "a"}, "two": [1, 2], "object": {"number": "1234"},
  "tag_first": {"method": "voucher", "number": "1234"}, "tag_last": {"number": "1234", "method": "voucher"},
  "null_alone": null, "number_alone": 5, "text_alone": "a", "list_alone": [1], "period": 1000000,
  "moment": "2026-11-29T12:00:00Z"})";

// All but an optional that holds nothing.
const strings every_member = {
    "flag: value_error",         "whole: value_error",      "real: value_error",
    "text: value_error",         "as_text: value_error",    "as_object: value_error",
    "nil: value_error",          "chosen: value_error",     "maybe: value_error",
    "hidden: value_error",       "list: value_error",       "set: value_error",
    "map: value_error",          "two: value_error",        "object: value_error",
    "tag_first: value_error",    "tag_last: value_error",   "null_alone: value_error",
    "number_alone: value_error", "text_alone: value_error", "list_alone: value_error",
    "period: value_error",       "moment: value_error"};

TEST(model_check, is_called_for_every_kind_of_member_of_json) {
  EXPECT_EQ(kinds_in<everything>(all_of_it), every_member);
}

TEST(model_check, is_called_for_every_kind_of_member_of_msgpack) {
  try {
    parse_msgpack<everything>(codecs::json_to_msgpack(all_of_it));
    FAIL() << "nothing was thrown";
  } catch (const validation_error& e) {
    EXPECT_EQ(kinds_of(e.errors()), every_member);
  }
}

TEST(model_check, is_called_for_every_kind_of_member_that_exists) {
  everything made;
  made.maybe = 5;
  made.object.number = "1234";
  made.tag_first = made.tag_last = voucher{"1234"};
  EXPECT_EQ(kinds_of(validate(made)), every_member);
}

std::string is_voucher(const payment& way) {
  return std::holds_alternative<voucher>(way) ? "" : "Only vouchers are taken";
}
std::string is_short(const number_or_text& one) {
  const auto* text = std::get_if<std::string>(&one);
  return text == nullptr || text->size() < 3 ? "" : "Text should be short";
}

struct vouchers_only {
  std::vector<payment> all;
  std::map<std::string, number_or_text> named;
};
BOOST_DESCRIBE_STRUCT(vouchers_only, (), (all, named))
QUARQ_MODEL(vouchers_only, all_defaulted, each(&vouchers_only::all).check<is_voucher>(),
            each(&vouchers_only::named).check<is_short>())

TEST(model_check, sees_the_variant_that_was_read) {
  EXPECT_EQ(kinds_in<vouchers_only>(R"({"all": [{"method": "voucher", "number": "1234"},
              {"method": "transfer", "iban": "a", "cents": 1}, {"method": "transfer", "iban": "a", "cents": 0},
              {"number": "1234", "method": "voucher"}], "named": {"a": "ab", "b": "abc", "c": [1], "d": 5}})"),
            (strings{"all[1]: value_error", "all[2].cents: greater_than", "named.b: value_error"}));
}

}  // namespace checks
}  // namespace quarq::validation_tests
