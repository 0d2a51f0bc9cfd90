// The conversion table of docs/models.md, row by row.
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "codecs/json.hpp"
#include "unit/validation/models_of_tests.hpp"

namespace quarq::validation_tests {
namespace conversion {

std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells;
  std::istringstream in(line.substr(1));
  std::string cell;
  while (std::getline(in, cell, '|')) {
    const auto first = cell.find_first_not_of(" `");
    const auto last = cell.find_last_not_of(" `");
    cells.push_back(first == std::string::npos ? "" : cell.substr(first, last - first + 1));
  }
  return cells;
}

/// What becomes of the input: the value as JSON, or the kind of error.
template <class T>
std::string outcome_of(std::string_view json, bool lax) {
  T value{};
  const auto errors = try_parse_json(value, json, {.lax = lax});
  if (!errors.empty()) return errors[0].kind;
  return write_json(value);
}

std::string outcome_of(const std::string& type, const std::string& json, bool lax) {
  if (type == "bool") return outcome_of<bool>(json, lax);
  if (type == "int") return outcome_of<int>(json, lax);
  if (type == "std::int64_t") return outcome_of<std::int64_t>(json, lax);
  if (type == "std::uint64_t") return outcome_of<std::uint64_t>(json, lax);
  if (type == "double") return outcome_of<double>(json, lax);
  if (type == "float") return outcome_of<float>(json, lax);
  if (type == "std::string") return outcome_of<std::string>(json, lax);
  if (type == "enum size {small, large}") return outcome_of<size>(json, lax);
  if (type == "std::optional<int>") return outcome_of<std::optional<int>>(json, lax);
  if (type == "std::chrono::milliseconds") return outcome_of<std::chrono::milliseconds>(json, lax);
  if (type == "system_clock time point") return outcome_of<std::chrono::system_clock::time_point>(json, lax);
  if (type == "quarq::bytes") return outcome_of<bytes>(json, lax);
  if (type == "std::vector<int>") return outcome_of<std::vector<int>>(json, lax);
  if (type == "std::map<int, int>") return outcome_of<std::map<int, int>>(json, lax);
  return "unknown type";
}

TEST(model_conversion, is_what_the_docs_say) {
  std::ifstream file(QUARQ_TEST_SOURCE_DIR "/../docs/models.md");
  std::string line;
  int rows = 0;
  bool in_table = false;
  while (std::getline(file, line)) {
    if (line.starts_with("| type | input | strict | lax |")) {
      in_table = true;
      std::getline(file, line);
      continue;
    }
    if (!line.starts_with("|")) in_table = false;
    if (!in_table) continue;
    const auto cells = cells_of(line);
    ASSERT_EQ(cells.size(), 4u) << line;
    EXPECT_EQ(outcome_of(cells[0], cells[1], false), cells[2]) << "strict: " << line;
    EXPECT_EQ(outcome_of(cells[0], cells[1], true), cells[3]) << "lax: " << line;
    ++rows;
  }
  EXPECT_GE(rows, 60) << "docs/models.md has lost its table";
}

struct flags {
  int strict_one = 0;
  int lax_one = 0;
};
BOOST_DESCRIBE_STRUCT(flags, (), (strict_one, lax_one))
QUARQ_MODEL(flags, all_defaulted, field(&flags::strict_one).strict(), field(&flags::lax_one).lax())

TEST(model_conversion, a_member_may_differ_from_its_input) {
  EXPECT_EQ(kinds_in<flags>(R"({"strict_one": "1", "lax_one": "1"})", {.lax = true}),
            (std::vector<std::string>{"strict_one: int_type"}));
  EXPECT_EQ(parse_json<flags>(R"({"lax_one": "1"})").lax_one, 1);
}

TEST(model_conversion, names_with_texts_are_lax) {
  const std::vector<validation::named_text> values{
      {"orderId", "12"},
      {"labels", "b"},
      {"box", "small"},
      {"labels", "a"},
      {"items", R"([{"sku": "A-1", "quantity": 1, "price": 2}])"},
      {"paid_by", R"({"method": "voucher", "number": "1234"})"}};
  const auto made = parse_texts<order>(values);
  EXPECT_EQ(made.id, 12);
  EXPECT_EQ(made.labels, (std::set<std::string>{"a", "b"}));
  EXPECT_EQ(made.items.at(0).sku, "A-1");
  EXPECT_EQ(std::get<voucher>(made.paid_by).number, "1234");
  try {
    parse_texts<order>({{"orderId", "x"}, {"labels", "a"}, {"orderId", "1"}});
    FAIL() << "nothing was thrown";
  } catch (const validation_error& e) {
    EXPECT_EQ(kinds_of(e.errors()),
              (std::vector<std::string>{"orderId: int_parsing", "orderId: duplicate_key", "items: missing",
                                        "paid_by: missing"}));
  }
}

}  // namespace conversion
}  // namespace quarq::validation_tests
