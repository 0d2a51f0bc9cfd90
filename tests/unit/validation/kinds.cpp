// Each kind of error: from what it comes, where it stands and what it says.
#include "validation/kinds.hpp"

#include <fstream>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

#include "unit/validation/models_of_tests.hpp"

namespace quarq::validation_tests {
namespace kinds {

struct everything {
  bool flag = false;
  int whole = 0;
  std::uint8_t tiny = 0;
  double real = 0;
  float narrow = 0;
  std::string text;
  bytes data;
  std::monostate nothing;
  size box = size::small;
  std::vector<int> list;
  std::set<int> numbers;
  std::pair<int, int> pair;
  std::map<int, int> map;
  std::optional<voucher> paid;
  std::variant<int, std::string> either;
  std::optional<payment> tagged;
  std::chrono::seconds wait{};
  std::chrono::system_clock::time_point when{};
};
BOOST_DESCRIBE_STRUCT(everything, (),
                      (flag, whole, tiny, real, narrow, text, data, nothing, box, list, numbers, pair, map,
                       paid, either, tagged, wait, when))
QUARQ_MODEL(everything, all_defaulted, extra::forbid,
            field(&everything::whole).more_than(0).less_than(100).multiple_of(5),
            field(&everything::real).range(-1, 1), field(&everything::text).length(2, 4).pattern("^a"),
            field(&everything::data).length(1, 2), field(&everything::list).length(1, 2).unique(),
            field(&everything::numbers).unique())

struct formats {
  std::string email, url, uuid, moment, day, clock, v4, v6, host;
};
BOOST_DESCRIBE_STRUCT(formats, (), (email, url, uuid, moment, day, clock, v4, v6, host))
QUARQ_MODEL(formats, all_defaulted, field(&formats::email).format(format::email),
            field(&formats::url).format(format::url), field(&formats::uuid).format(format::uuid),
            field(&formats::moment).format(format::date_time), field(&formats::day).format(format::date),
            field(&formats::clock).format(format::time), field(&formats::v4).format(format::ipv4),
            field(&formats::v6).format(format::ipv6), field(&formats::host).format(format::hostname))

struct row {
  std::string_view json;
  std::string_view error;  ///< "kind|path: message"
};

template <class T>
std::string first_error(std::string_view json, parse_options options = {}) {
  const auto errors = errors_in<T>(json, options);
  if (errors.size() != 1) return std::to_string(errors.size()) + " errors";
  return errors[0].kind + "|" + to_string(errors[0]);
}

std::set<std::string, std::less<>>& seen() {
  static std::set<std::string, std::less<>> kinds;
  return kinds;
}

template <class T>
void expect_all(const std::vector<row>& rows, parse_options options = {}) {
  for (const row& r : rows) {
    EXPECT_EQ(first_error<T>(r.json, options), r.error) << r.json;
    seen().emplace(r.error.substr(0, r.error.find('|')));
  }
}

void strict_rows() {
  expect_all<everything>({
      {R"({"more": 1})", "extra_forbidden|more: Extra inputs are not permitted"},
      {R"({"flag": true, "flag": true})", "duplicate_key|flag: Name given twice"},
      {R"({"flag" true})", "json_invalid|Invalid JSON: syntax error at line 1 column 9"},
      {R"({"nothing": 1})", "none_required|nothing: Input should be null"},
      {R"({"flag": 1})", "bool_type|flag: Input should be a valid boolean"},
      {R"({"whole": "5"})", "int_type|whole: Input should be a valid integer"},
      {R"({"whole": 5.0})", "int_type|whole: Input should be a valid integer"},
      {R"({"whole": 5.5})",
       "int_from_float|whole: Input should be a valid integer, got a number with a fractional part"},
      {R"({"whole": 99999999999999999999})",
       "int_parsing_size|whole: Unable to parse input as an integer, exceeded maximum size"},
      {R"({"tiny": 256})", "int_out_of_range|tiny: Input should be an integer from 0 to 255"},
      {R"({"real": "1"})", "float_type|real: Input should be a valid number"},
      {R"({"narrow": 1e39})", "float_out_of_range|narrow: Input should be in the range of a 32-bit number"},
      {R"({"real": 1e999})", "finite_number|real: Input should be a finite number"},
      {R"({"whole": 0})", "greater_than|whole: Input should be greater than 0"},
      {R"({"real": -1.5})", "greater_than_equal|real: Input should be greater than or equal to -1"},
      {R"({"whole": 100})", "less_than|whole: Input should be less than 100"},
      {R"({"real": 1.5})", "less_than_equal|real: Input should be less than or equal to 1"},
      {R"({"whole": 7})", "multiple_of|whole: Input should be a multiple of 5"},
      {R"({"text": 5})", "string_type|text: Input should be a valid string"},
      {R"({"text": "a"})", "string_too_short|text: String should have at least 2 characters"},
      {R"({"text": "aaaaa"})", "string_too_long|text: String should have at most 4 characters"},
      {R"({"text": "bb"})", "string_pattern_mismatch|text: String should match pattern '^a'"},
      {R"({"data": 5})", "bytes_type|data: Input should be bytes"},
      {R"({"data": {"$bytes": "?"}})",
       "bytes_invalid_encoding|data: Input should be an object whose \"$bytes\" is base 64"},
      {R"({"data": {"$bytes": ""}})", "bytes_too_short|data: Data should have at least 1 byte"},
      {R"({"data": {"$bytes": "aGVsbG8="}})", "bytes_too_long|data: Data should have at most 2 bytes"},
      {R"({"box": "tiny"})", "enum|box: Input should be one of 'small' or 'large'"},
      {R"({"list": 1})", "list_type|list: Input should be a valid list"},
      {R"({"list": [1, "2"]})", "int_type|list[1]: Input should be a valid integer"},
      {R"({"list": []})", "too_short|list: Input should have at least 1 item, not 0"},
      {R"({"list": [1, 2, 3]})", "too_long|list: Input should have at most 2 items, not 3"},
      {R"({"list": [1, 1]})", "unique_items|list: Items should be unique: item 1 is given again"},
      {R"({"numbers": {}})", "set_type|numbers: Input should be a valid set"},
      {R"({"numbers": [1, 2, 1]})", "unique_items|numbers: Items should be unique: item 2 is given again"},
      {R"({"pair": 1})", "tuple_type|pair: Input should be a valid list of 2 items"},
      {R"({"pair": [1, 2, 3]})", "tuple_length|pair: List should have exactly 2 items, not 3"},
      {R"({"map": []})", "dict_type|map: Input should be a valid object"},
      {R"({"map": {"x": 1}})",
       "int_parsing|map.x: Input should be a valid integer, unable to parse string as an integer"},
      {R"({"paid": 1})", "model_type|paid: Input should be a valid object with the members of voucher"},
      {R"({"paid": {}})", "missing|paid.number: Field required"},
      {R"({"either": true})", "union_type|either: Input should be a number or a string"},
      {R"({"tagged": {}})", "union_tag_not_found|tagged: Unable to tell the type: 'method' is missing"},
      {R"({"tagged": {"method": "x"}})",
       "union_tag_invalid|tagged: Input should have a 'method' that is one of 'voucher' or 'transfer'"},
      {R"({"wait": "x"})", "time_delta_type|wait: Input should be a duration, a whole number of nanoseconds"},
      {R"({"when": 5})", "datetime_type|when: Input should be a date and time"},
      {R"({"when": "x"})", "datetime_parsing|when: Input should be a valid date and time with a zone"},
  });
}

void format_rows() {
  expect_all<formats>({
      {R"({"email": "ann"})", "email_parsing|email: Input should be a valid e-mail address"},
      {R"({"url": "a"})", "url_parsing|url: Input should be a valid URL"},
      {R"({"uuid": "a"})", "uuid_parsing|uuid: Input should be a valid UUID"},
      {R"({"moment": "a"})", "datetime_parsing|moment: Input should be a valid date and time with a zone"},
      {R"({"day": "2026-02-29"})", "date_parsing|day: Input should be a valid date"},
      {R"({"clock": "25:00:00Z"})", "time_parsing|clock: Input should be a valid time with a zone"},
      {R"({"v4": "1.2.3"})", "ip_v4_address|v4: Input should be a valid IPv4 address"},
      {R"({"v6": ":"})", "ip_v6_address|v6: Input should be a valid IPv6 address"},
      {R"({"host": "-a"})", "hostname_parsing|host: Input should be a valid host name"},
  });
}

void lax_rows() {
  const parse_options lax{.lax = true};
  expect_all<everything>(
      {
          {R"({"flag": "maybe"})",
           "bool_parsing|flag: Input should be a valid boolean, unable to interpret input"},
          {R"({"whole": "five"})",
           "int_parsing|whole: Input should be a valid integer, unable to parse string as an integer"},
          {R"({"whole": "99999999999999999999"})",
           "int_parsing_size|whole: Unable to parse input as an integer, exceeded maximum size"},
          {R"({"real": "x"})",
           "float_parsing|real: Input should be a valid number, unable to parse string as a number"},
          {R"({"wait": "soon"})",
           "time_delta_parsing|wait: Input should be a duration such as 1500ms, 30s or 2h"},
      },
      lax);
}

void other_rows() {
  everything made;
  const std::vector<validation::named_text> bad_json{{"pair", "[1,"}};
  try {
    parse_texts<everything>(bad_json);
  } catch (const validation_error& e) {
    ASSERT_EQ(e.errors().size(), 1u);
    EXPECT_EQ(to_string(e.errors()[0]), "pair: Text should be JSON: JSON, line 1, column 4: incomplete JSON");
    seen().insert(e.errors()[0].kind);
  }
  try {
    parse_msgpack<everything>("\x81\xa4text");
  } catch (const validation_error& e) {
    ASSERT_EQ(e.errors().size(), 1u);
    seen().insert(e.errors()[0].kind);
  }
  const auto deep = errors_in<std::vector<int>>(std::string(65, '['));
  ASSERT_EQ(deep.size(), 2u);
  EXPECT_EQ(to_string(deep[1]), "Input should be nested at most 64 levels deep");
  seen().insert(deep[1].kind);
  made.text = "a\xff";
  for (const auto& e : validate(made)) seen().insert(e.kind);
  for (const auto& e : errors_in<std::chrono::duration<std::int8_t>>("1000000000000")) seen().insert(e.kind);
  seen().insert({"value_error", "secret_file", "dotenv_syntax"});  // parsing.cpp, settings.cpp
}

TEST(model_kinds, every_kind_has_its_place_and_message) {
  strict_rows();
  format_rows();
  lax_rows();
  other_rows();
  for (const auto& r : validation::kind_rows()) EXPECT_TRUE(seen().contains(r.name)) << r.name;
  EXPECT_GE(validation::kind_rows().size(), 45u);
}

TEST(model_kinds, the_docs_have_the_same_table) {
  std::ifstream file(QUARQ_TEST_SOURCE_DIR "/../docs/models.md");
  std::ostringstream docs;
  docs << file.rdbuf();
  for (const auto& r : validation::kind_rows()) {
    const std::string line = "| `" + std::string(r.name) + "` | " + std::string(r.message) + " |";
    EXPECT_NE(docs.str().find(line), std::string::npos) << line;
  }
}

}  // namespace kinds
}  // namespace quarq::validation_tests
