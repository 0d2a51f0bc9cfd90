// The JSON Schemas of models say what models take: ajv, with our schema, and the model agree on documents
// that are right and on those that were changed at random.
//
// What a schema can't say, and these documents do not have: a number such as 1.0 for an integer, names that come twice,
// keys of maps beyond the range of their integers, a set that is too small once equal elements are one.
#include <array>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <sstream>

#include <gtest/gtest.h>

#include "support/command.hpp"
#include "support/temp_dir.hpp"
#include "unit/validation/models_of_tests.hpp"

namespace quarq::validation_tests {
namespace schemas {

struct numbers {
  std::int8_t tiny = 0;
  std::uint8_t byte = 0;
  int bounded = 0;
  int stepped = 0;
  double real = 0;
  float narrow = 0;
  double odd = 0;
};
BOOST_DESCRIBE_STRUCT(numbers, (), (tiny, byte, bounded, stepped, real, narrow, odd))
QUARQ_MODEL(numbers, all_defaulted, field(&numbers::bounded).more_than(0).less_than(100),
            field(&numbers::stepped).multiple_of(5), field(&numbers::real).range(-1, 10),
            field(&numbers::narrow).range(-1000, 1000), field(&numbers::odd).allow_nan())

struct texts {
  std::string any;
  std::string some;
  std::string word;
  std::optional<std::string> mail, url, uuid, moment, day, clock, v4, v6, host;
  secret<std::string> key;
};
BOOST_DESCRIBE_STRUCT(texts, (), (any, some, word, mail, url, uuid, moment, day, clock, v4, v6, host, key))
QUARQ_MODEL(texts, all_defaulted, field(&texts::some).length(1, 3),
            field(&texts::word).pattern("^[a-z]{2,8}$"), field(&texts::mail).format(format::email),
            field(&texts::url).format(format::url), field(&texts::uuid).format(format::uuid),
            field(&texts::moment).format(format::date_time), field(&texts::day).format(format::date),
            field(&texts::clock).format(format::time), field(&texts::v4).format(format::ipv4),
            field(&texts::v6).format(format::ipv6), field(&texts::host).format(format::hostname),
            field(&texts::key).length(2, 4))

struct containers {
  std::vector<int> list;
  std::set<std::string> labels;
  std::vector<std::string> words;
  std::map<std::string, int> counts;
  std::map<int, bool> by_number;
  std::map<size, int> by_size;
  std::pair<int, std::string> pair;
  std::array<double, 2> place{};
  std::optional<size> box;
  std::optional<bytes> data;
  std::variant<int, std::string, std::vector<int>> either;
};
BOOST_DESCRIBE_STRUCT(containers, (),
                      (list, labels, words, counts, by_number, by_size, pair, place, box, data, either))
QUARQ_MODEL(containers, all_defaulted, field(&containers::list).length(1, 3),
            each(&containers::list).range(0, 10), field(&containers::labels).unique().length(0, 3),
            field(&containers::words).unique(), each(&containers::words).length(1, 8),
            field(&containers::counts).length(0, 2), each(&containers::counts).at_least(0))

struct node {
  std::string name;
  std::vector<node> children;
  std::optional<payment> paid;
};
BOOST_DESCRIBE_STRUCT(node, (), (name, children, paid))
QUARQ_MODEL(node, extra::forbid, field(&node::name).alias("called").length(1, 8),
            field(&node::children).defaulted())

struct plain {
  int one = 0;
  std::vector<voucher> vouchers;
};
BOOST_DESCRIBE_STRUCT(plain, (), (one, vouchers))

struct row {
  std::string name, schema, document;
  std::function<bool(std::string_view)> takes;
};

template <class T>
row row_of(std::string name, std::string document) {
  return {std::move(name), json_schema<T>(), std::move(document),
          [](std::string_view json) { return errors_in<T>(json).empty(); }};
}

std::vector<row> all_rows() {
  return {
      row_of<new_user>("new_user",
                       R"({"name": "ann", "age": 5, "email": "ann@example.org", "password": "abcdefgh"})"),
      row_of<payment>("payment", R"({"method": "transfer", "iban": "a", "cents": 5})"),
      row_of<item>("item", R"({"sku": "A-1", "quantity": 5, "price": 1.5})"),
      row_of<numbers>(
          "numbers",
          R"({"tiny": 1, "byte": 2, "bounded": 3, "stepped": 5, "real": 0.5, "narrow": 1, "odd": "NaN"})"),
      row_of<texts>(
          "texts",
          R"({"any": "", "some": "a", "word": "ab", "mail": "ann@example.org", "url": "https://example.org/a?b",
                        "uuid": "123e4567-e89b-12d3-a456-426614174000", "moment": "2026-11-29T12:00:00Z",
                        "day": "2026-11-29", "clock": "12:00:00Z", "v4": "10.0.0.1", "v6": "::1",
                        "host": "example.org", "key": "abc"})"),
      row_of<containers>("containers",
                         R"({"list": [1, 2], "labels": ["a"], "words": ["a", "b"], "counts": {"a": 1},
                             "by_number": {"7": true}, "by_size": {"small": 1}, "pair": [1, "a"], "place": [0.5, 1],
                             "box": "small", "data": {"$bytes": "aGk="}, "either": "a"})"),
      row_of<node>("node",
                   R"({"called": "a", "children": [{"called": "b"}, {"called": "c", "children": []}],
                       "paid": {"method": "voucher", "number": "1234"}})"),
      row_of<plain>("plain", R"({"one": 1, "vouchers": [{"number": "1234"}]})"),
      row_of<std::vector<int>>("ints", "[1, 2, 3]"),
      row_of<std::map<std::string, std::optional<double>>>("reals", R"({"a": 1.5, "b": null})"),
      row_of<size>("size", R"("small")"),
      row_of<std::tuple<bool, size, std::monostate>>("tuple", R"([true, "large", null])"),
  };
}

std::string one_line(std::string text) {
  for (char& c : text) {
    if (c == '\n') c = ' ';
  }
  return text;
}

TEST(model_schemas, ajv_and_the_model_agree) {
  const std::string folder =
      std::filesystem::weakly_canonical(QUARQ_TEST_SOURCE_DIR "/../build/ajv").string();
  if (!std::filesystem::exists(folder + "/node_modules/ajv-formats")) {
    if (std::getenv("CI") != nullptr) FAIL() << "ajv is not in build/ajv";
    GTEST_SKIP() << "ajv is not in build/ajv";
  }
  const test::temp_dir place;
  std::map<std::string, row> rows;
  std::string lines;
  for (row& one : all_rows()) {
    EXPECT_TRUE(one.takes(one.document)) << one.name;
    lines += one.name + '\t' + one.schema + '\t' + one_line(one.document) + '\n';
    rows.emplace(one.name, one);
  }
  const auto result = test::run_command({"node", QUARQ_TEST_SOURCE_DIR "/interop/model_schemas.js", folder,
                                         place.write("schemas", lines), "10000", "20261129"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  std::istringstream in(result.out);
  std::map<std::string, int> valid, invalid;
  for (std::string name, answer, document;
       std::getline(in, name, '\t') && std::getline(in, answer, '\t') && std::getline(in, document);) {
    const bool is_valid = answer == "valid";
    ASSERT_EQ(rows.at(name).takes(document), is_valid) << name << ": " << document;
    ++(is_valid ? valid : invalid)[name];
  }
  for (const auto& [name, one] : rows) {
    EXPECT_GT(valid[name], 500) << name;
    EXPECT_GT(invalid[name], 500) << name;
  }
}

}  // namespace schemas
}  // namespace quarq::validation_tests
