// The JSON Schemas of models say what models take: ajv, with our schema, and the model agree on documents
// that are right and on those that were changed at random.
//
// What a schema can't say, and these documents do not have: docs/models.md lists it.
#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

#include "base/sanitizers.hpp"
#include "interop/models_for_schemas.hpp"
#include "support/command.hpp"
#include "support/temp_dir.hpp"

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

/// What the model says of a document.
struct judgement {
  bool is_valid = false;
  bool is_valid_lax = false;
  /// Of a valid one, what is written of its value; empty if that is not as it should be, since defaults are not checked
  /// when something is read.
  std::string written, written_lax;
};

template <class T>
std::string written(const T& value) {
  return validate(value).empty() ? write_json(value) : "";
}

template <class T>
judgement judge(std::string_view json) {
  judgement said;
  T value, other;
  said.is_valid = try_parse_json(value, json).empty();
  if (!said.is_valid) return said;
  said.is_valid_lax = try_parse_json(other, json, {.lax = true}).empty();
  said.written = written(value);
  said.written_lax = said.is_valid_lax ? written(other) : "";
  return said;
}

struct row {
  std::string name, schema, document;
  std::function<judgement(std::string_view)> judge;
};

template <class T>
row row_of(std::string name, std::string document) {
  return {std::move(name), json_schema<T>(), std::move(document), judge<T>};
}

std::vector<row> rows_of_scalars() {
  return {
      row_of<numbers>(
          "numbers",
          R"({"tiny": 1, "byte": 2, "bounded": 3, "stepped": 5, "real": 0.5, "narrow": 1, "odd": "NaN"})"),
      row_of<texts>(
          "texts",
          R"({"any": "", "some": "a", "word": "ab", "mail": "ann@example.org", "url": "https://example.org/a?b",
              "uuid": "123e4567-e89b-12d3-a456-426614174000", "moment": "2026-11-29T12:00:00Z",
              "day": "2026-11-29", "clock": "12:00:00Z", "v4": "10.0.0.1", "v6": "::1",
              "host": "example.org", "key": "abc"})"),
      row_of<size>("size", R"("small")"),
      row_of<widths>("widths", R"({"a": -5, "b": 5, "c": -70000, "d": 70000, "e": -9, "f": 5000000000})"),
      row_of<steps>("steps", R"({"quarter": 0.75, "within": -0.5, "above": 0.5, "fives": -5, "most": null})"),
      row_of<periods>("periods",
                      R"({"any": 1500000000, "some": 1000000000, "late": 6, "each_of": [5000, 1000000]})"),
      row_of<moments>(
          "moments",
          R"({"at": "2026-11-29T12:00:00Z", "until": null, "all": ["2026-11-29T12:00:00.5+01:00"]})"),
      row_of<characters>("characters",
                         R"({"counted": "\u20ac\u20ac", "dotted": "a", "chosen": "ab", "somewhere": "ab"})"),
      row_of<renamed>("renamed", R"({"the \"one\"": 1, "zwei/\u00e4": "a", "7": true})"),
      row_of<relaxed>("relaxed",
                      R"({"flag": "yes", "whole": "12", "real": ".5", "maybe": "", "wait": "1500ms",
                          "all": ["1", 2], "exact": 3})"),
      row_of<hidden>("hidden", R"({"pin": 5, "word": "abc", "all": ["a"]})"),
      row_of<choices>("choices",
                      R"({"all": ["small", "large"], "by_size": {"small": ["large", 1]}, "maybe": 0,
                          "number": 7})"),
  };
}

std::vector<row> rows_of_containers() {
  return {
      row_of<containers>("containers",
                         R"({"list": [1, 2], "labels": ["a"], "words": ["a", "b"], "counts": {"a": 1},
                             "by_number": {"7": true}, "by_size": {"small": 1}, "pair": [1, "a"],
                             "place": [0.5, 1], "box": "small", "data": {"$bytes": "aGk="}, "either": "a"})"),
      row_of<std::vector<int>>("ints", "[1, 2, 3]"),
      row_of<std::map<std::string, std::optional<double>>>("reals", R"({"a": 1.5, "b": null})"),
      row_of<std::tuple<bool, size, std::monostate>>("tuple", R"([true, "large", null])"),
      row_of<matrix>("matrix", R"({"rows": [[1], [2, 3]], "pairs": [[1, 2]]})"),
      row_of<sets>("sets",
                   R"({"numbers": [1, 2], "words": ["a"], "sizes": ["small", "small"], "flags": [true]})"),
      row_of<maps>("maps",
                   R"({"vouchers": {"a": {"number": "1234"}}, "lists": {"b": [1]}, "flags": {"x": true},
                       "by_flag": {"yes": 1, "false": 2}, "by_number": {" -7 ": "ab"}})"),
      row_of<maybes>("maybes",
                     R"({"list": [1], "paid": {"number": "1234"}, "counts": {"a": 1},
                         "how": {"method": "voucher", "number": "1234"}})"),
      row_of<tuples>("tuples",
                     R"({"nested": [1, [true, "a"], ["small", 0.5]],
                         "two": [{"number": "1234"}, {"number": "0000"}], "none": []})"),
      row_of<std::vector<bytes>>("many bytes", R"(["a", {"$bytes": "aGk="}])"),
      row_of<std::optional<voucher>>("maybe a voucher", R"({"number": "1234"})"),
  };
}

std::vector<row> rows_of_structs() {
  return {
      row_of<new_user>("new_user",
                       R"({"name": "ann", "age": 5, "email": "ann@example.org", "password": "abcdefgh"})"),
      row_of<item>("item", R"({"sku": "A-1", "quantity": 5, "price": 1.5})"),
      row_of<node>("node",
                   R"({"called": "a", "children": [{"called": "b"}, {"called": "c", "children": []}],
                       "paid": {"method": "voucher", "number": "1234"}})"),
      row_of<plain>("plain", R"({"one": 1, "vouchers": [{"number": "1234"}]})"),
      row_of<derived>("derived", R"({"number": 5, "word": "a"})"),
      row_of<nothing>("nothing", "{}"),
      row_of<first>("first",
                    R"({"deep": {"deeper": {"x": 1}, "more": [{"x": 2}]}, "x": {"deeper": {"x": 5}}})"),
      row_of<mixed>("mixed", R"({"inner": {"one": 1}, "more": {"a": {"two": "b"}}, "none": {}})"),
      row_of<person>("person",
                     R"({"name": "ann", "pets": [{"name": "b", "owners": [{"name": "c", "pets": []}]}]})"),
      row_of<folder>("folder", R"({"size": 1, "below": {"a": {"size": 2, "below": {"b": {"size": 5}}}}})"),
      row_of<payment>("payment", R"({"method": "transfer", "iban": "a", "cents": 5})"),
      row_of<expression>("expression",
                         R"({"is": "sum", "terms": [{"value": 1.5, "is": "literal"}, {"is": "sum", "terms":
                             [{"is": "literal", "value": 1}]}]})"),
      row_of<event>("event", R"({"what": "moved", "from": 1, "to": 2})"),
      row_of<shop>("shop",
                   R"({"payments": [{"method": "voucher", "number": "1234"}],
                       "by_name": {"a": {"iban": "a", "cents": 1, "method": "transfer"}}, "last": null})"),
      row_of<any_kind>("any_kind", R"({"number": "1234"})"),
      row_of<std::vector<any_kind>>("many kinds", R"([null, true, 1.5, "a", [1], {"number": "1234"}])"),
  };
}

std::string one_line(std::string text) {
  for (char& c : text) {
    if (c == '\n') c = ' ';
  }
  return text;
}

class model_schemas : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(ajv_ + "/node_modules/ajv-formats")) {
      if (std::getenv("CI") != nullptr) FAIL() << "ajv is not in build/ajv";
      GTEST_SKIP() << "ajv is not in build/ajv";
    }
    for (auto& group : {rows_of_scalars(), rows_of_containers(), rows_of_structs()}) {
      for (const row& one : group) rows_.emplace(one.name, one);
    }
    std::string lines;
    for (const auto& [name, one] : rows_) {
      EXPECT_TRUE(one.judge(one.document).is_valid) << name;
      lines += name + '\t' + one.schema + '\t' + one_line(one.document) + '\n';
    }
    place_.write("schemas", lines);
  }

  /// Calls `each` for every line of what model_schemas.js prints: a name, ajv's answer, a document.
  template <class Each>
  void ask_ajv(const std::vector<std::string>& arguments, Each each) {
    std::vector<std::string> command{"node", QUARQ_TEST_SOURCE_DIR "/interop/model_schemas.js", ajv_,
                                     place_ / "schemas"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    const auto result = test::run_command(command, {}, std::chrono::minutes(4));
    ASSERT_EQ(result.exit_code, 0) << result.err;
    std::istringstream in(result.out);
    for (std::string name, answer, document;
         std::getline(in, name, '\t') && std::getline(in, answer, '\t') && std::getline(in, document);) {
      each(name, answer == "valid", document);
    }
  }

  const std::string ajv_ = std::filesystem::weakly_canonical(QUARQ_TEST_SOURCE_DIR "/../build/ajv").string();
  const test::temp_dir place_;
  std::map<std::string, row> rows_;
};

TEST_F(model_schemas, ajv_and_the_model_agree) {
  constexpr int documents = base::sanitized ? 2'000 : 10'000;  // of each model
  std::map<std::string, int> valid, invalid;
  std::set<std::pair<std::string, std::string>> written;
  ask_ajv({std::to_string(documents), "20261129"},
          [&](const std::string& name, bool is_valid, const std::string& document) {
            if (HasFailure()) return;
            const auto said = rows_.at(name).judge(document);
            ASSERT_EQ(said.is_valid, is_valid) << name << ": " << document;
            ++(is_valid ? valid : invalid)[name];
            if (!is_valid) return;
            EXPECT_TRUE(said.is_valid_lax) << name << ": " << document;
            EXPECT_EQ(said.written_lax, said.written) << name << ": " << document;
            if (!said.written.empty()) written.emplace(name, said.written);
          });
  for (const auto& [name, one] : rows_) {
    EXPECT_GT(valid[name], documents / 20) << name;
    EXPECT_GT(invalid[name], documents / 20) << name;
  }
  // What is written is right again, by both.
  std::string lines;
  for (const auto& [name, document] : written) {
    EXPECT_EQ(rows_.at(name).judge(document).written, document) << name;
    lines += name + '\t' + document + '\n';
  }
  std::size_t judged = 0;
  ask_ajv({place_.write("written", lines)},
          [&](const std::string& name, bool is_valid, const std::string& document) {
            EXPECT_TRUE(is_valid) << name << ": " << document;
            ++judged;
          });
  EXPECT_EQ(judged, written.size());
}

}  // namespace schemas
}  // namespace quarq::validation_tests
