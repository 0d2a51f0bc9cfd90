// More models for the test of JSON Schemas: one for each kind of member, rule and composition.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#include "unit/validation/models_of_tests.hpp"

namespace quarq::validation_tests {
namespace schemas {

// ---- numbers, times

struct widths {
  std::int16_t a = 0;
  std::uint16_t b = 0;
  std::int32_t c = 0;
  std::uint32_t d = 0;
  std::int64_t e = 0;
  std::uint64_t f = 0;
};
BOOST_DESCRIBE_STRUCT(widths, (), (a, b, c, d, e, f))
QUARQ_MODEL(widths, field(&widths::e).range(-10, 1'000'000'000'000'000), field(&widths::f).at_least(2))

struct steps {
  double quarter = 0;
  double within = 0;
  float above = 0;
  int fives = 0;
  std::optional<double> most;
};
BOOST_DESCRIBE_STRUCT(steps, (), (quarter, within, above, fives, most))
QUARQ_MODEL(steps, field(&steps::quarter).multiple_of(0.25).range(-1e6, 1e6),
            field(&steps::within).more_than(-1).less_than(10), field(&steps::above).at_least(0),
            field(&steps::fives).multiple_of(5).range(-128, 100), field(&steps::most).at_most(1.5))

struct periods {
  std::chrono::milliseconds any{};
  std::chrono::seconds some{};
  std::optional<std::chrono::nanoseconds> late;
  std::vector<std::chrono::microseconds> each_of;
};
BOOST_DESCRIBE_STRUCT(periods, (), (any, some, late, each_of))
QUARQ_MODEL(periods, field(&periods::some).range(std::chrono::seconds(0), std::chrono::seconds(10)),
            field(&periods::late).more_than(std::chrono::nanoseconds(5)),
            each(&periods::each_of).at_most(std::chrono::seconds(1)))

struct moments {
  std::chrono::system_clock::time_point at;
  std::optional<std::chrono::system_clock::time_point> until;
  std::vector<std::chrono::system_clock::time_point> all;
};
BOOST_DESCRIBE_STRUCT(moments, (), (at, until, all))
QUARQ_MODEL(moments, field(&moments::all).defaulted().length(0, 2))

// ---- texts, names, conversions

struct characters {
  std::string counted, dotted, chosen, somewhere;
};
BOOST_DESCRIBE_STRUCT(characters, (), (counted, dotted, chosen, somewhere))
QUARQ_MODEL(characters, field(&characters::counted).length(2, 3),
            field(&characters::dotted).pattern("^.{1,3}$"),
            field(&characters::chosen).pattern("^(a|ab|abc)$").length(2),
            field(&characters::somewhere).pattern("[0-9b]"))

struct renamed {
  int one = 0;
  std::string two;
  bool three = false;
};
BOOST_DESCRIBE_STRUCT(renamed, (), (one, two, three))
QUARQ_MODEL(renamed, extra::forbid, field(&renamed::one).alias("the \"one\"").title("a \\ b"),
            field(&renamed::two).alias("zwei/ä").length(0, 2), field(&renamed::three).alias("7").defaulted())

struct relaxed {
  bool flag = false;
  int whole = 0;
  double real = 0;
  std::optional<int> maybe;
  std::chrono::milliseconds wait{};
  std::vector<int> all;
  int exact = 0;
};
BOOST_DESCRIBE_STRUCT(relaxed, (), (flag, whole, real, maybe, wait, all, exact))
QUARQ_MODEL(relaxed, field(&relaxed::flag).lax(), field(&relaxed::whole).lax(), field(&relaxed::real).lax(),
            field(&relaxed::maybe).lax(), field(&relaxed::wait).lax(), each(&relaxed::all).lax(),
            field(&relaxed::exact).strict())

struct hidden {
  secret<int> pin;
  std::optional<secret<std::string>> word;
  secret<std::vector<std::string>> all;
};
BOOST_DESCRIBE_STRUCT(hidden, (), (pin, word, all))
QUARQ_MODEL(hidden, field(&hidden::pin).range(0, 100), field(&hidden::word).length(2, 4),
            field(&hidden::all).length(1, 2))

enum class bare : std::uint8_t {};

struct choices {
  std::vector<size> all;
  std::map<size, std::vector<size>> by_size;
  std::optional<size> maybe;
  bare number{};
};
BOOST_DESCRIBE_STRUCT(choices, (), (all, by_size, maybe, number))
QUARQ_MODEL(choices, field(&choices::all).length(1, 3))

// ---- containers

struct matrix {
  std::vector<std::vector<int>> rows;
  std::vector<std::array<int, 2>> pairs;
};
BOOST_DESCRIBE_STRUCT(matrix, (), (rows, pairs))
QUARQ_MODEL(matrix, field(&matrix::rows).length(1, 2), each(&matrix::rows).length(1, 2))

struct sets {
  std::set<int> numbers;
  std::unordered_set<std::string> words;
  std::set<size> sizes;
  std::vector<bool> flags;
};
BOOST_DESCRIBE_STRUCT(sets, (), (numbers, words, sizes, flags))
QUARQ_MODEL(sets, field(&sets::numbers).unique().length(1, 3), each(&sets::numbers).range(0, 10),
            field(&sets::words).unique().length(0, 1), field(&sets::flags).length(1, 3))

struct maps {
  std::map<std::string, voucher> vouchers;
  std::map<std::string, std::vector<int>> lists;
  std::unordered_map<std::string, bool> flags;
  std::map<bool, int> by_flag;
  std::map<std::int64_t, std::string> by_number;
};
BOOST_DESCRIBE_STRUCT(maps, (), (vouchers, lists, flags, by_flag, by_number))
QUARQ_MODEL(maps, field(&maps::vouchers).length(1, 2), each(&maps::lists).length(0, 2),
            field(&maps::flags).length(0, 1), each(&maps::by_number).length(0, 3))

struct maybes {
  std::optional<std::vector<int>> list;
  std::optional<voucher> paid;
  std::optional<std::map<std::string, int>> counts;
  std::optional<payment> how;
};
BOOST_DESCRIBE_STRUCT(maybes, (), (list, paid, counts, how))
QUARQ_MODEL(maybes, field(&maybes::list).length(1, 2), each(&maybes::list).range(0, 5),
            each(&maybes::counts).at_least(1))

struct tuples {
  std::tuple<int, std::tuple<bool, std::string>, std::pair<size, double>> nested;
  std::array<voucher, 2> two;
  std::tuple<> none;
};
BOOST_DESCRIBE_STRUCT(tuples, (), (nested, two, none))
QUARQ_MODEL(tuples, extra::ignore)

// ---- structs within structs

struct base_of_all {
  int number = 0;
};
BOOST_DESCRIBE_STRUCT(base_of_all, (), (number))
struct derived : base_of_all {
  std::string word;
};
BOOST_DESCRIBE_STRUCT(derived, (base_of_all), (word))
QUARQ_MODEL(derived, field(&derived::number).range(0, 10), field(&derived::word).length(1))

struct nothing {};
BOOST_DESCRIBE_STRUCT(nothing, (), ())
QUARQ_MODEL(nothing, extra::forbid)

struct third {
  int x = 0;
};
BOOST_DESCRIBE_STRUCT(third, (), (x))
QUARQ_MODEL(third, extra::forbid, field(&third::x).at_least(1))
struct second {
  third deeper;
  std::vector<third> more;
};
BOOST_DESCRIBE_STRUCT(second, (), (deeper, more))
QUARQ_MODEL(second, field(&second::more).defaulted().length(0, 2))
struct first {
  second deep;
  std::optional<second> other;
};
BOOST_DESCRIBE_STRUCT(first, (), (deep, other))
QUARQ_MODEL(first, extra::forbid, field(&first::other).alias("x"))

struct without_model {
  int one = 0;
  std::string two;
};
BOOST_DESCRIBE_STRUCT(without_model, (), (one, two))
struct mixed {
  without_model inner;
  std::map<std::string, without_model> more;
  nothing none;
};
BOOST_DESCRIBE_STRUCT(mixed, (), (inner, more, none))
QUARQ_MODEL(mixed, field(&mixed::none).defaulted(), field(&mixed::more).length(0, 2))

// ---- types that contain themselves

struct person;
struct pet {
  std::string name;
  std::vector<person> owners;
};
struct person {
  std::string name;
  std::vector<pet> pets;
};
BOOST_DESCRIBE_STRUCT(pet, (), (name, owners))
BOOST_DESCRIBE_STRUCT(person, (), (name, pets))
QUARQ_MODEL(pet, field(&pet::name).length(1), field(&pet::owners).defaulted())
QUARQ_MODEL(person, field(&person::name).length(1, 8), field(&person::pets).length(0, 3))

struct folder {
  int size = 0;
  std::map<std::string, folder> below;
};
BOOST_DESCRIBE_STRUCT(folder, (), (size, below))
QUARQ_MODEL(folder, field(&folder::size).range(0, 10), field(&folder::below).defaulted().length(0, 2))

struct sum;
struct literal {
  double value = 0;
};
using expression = std::variant<literal, sum>;
struct sum {
  std::vector<expression> terms;
};
BOOST_DESCRIBE_STRUCT(literal, (), (value))
BOOST_DESCRIBE_STRUCT(sum, (), (terms))
QUARQ_MODEL(literal, extra::ignore)
QUARQ_MODEL(sum, field(&sum::terms).length(1, 3))
QUARQ_TAGGED(expression, "is", "literal", "sum")

// ---- variants

struct created {
  std::string by;
};
BOOST_DESCRIBE_STRUCT(created, (), (by))
struct moved {
  int from = 0, to = 0;
};
BOOST_DESCRIBE_STRUCT(moved, (), (from, to))
QUARQ_MODEL(moved, extra::forbid, field(&moved::from).range(0, 10), field(&moved::to).range(0, 10))
struct deleted {};
BOOST_DESCRIBE_STRUCT(deleted, (), ())
using event = std::variant<created, moved, deleted>;
QUARQ_TAGGED(event, "what", "created", "moved", "deleted")

struct shop {
  std::vector<payment> payments;
  std::map<std::string, payment> by_name;
  std::optional<payment> last;
};
BOOST_DESCRIBE_STRUCT(shop, (), (payments, by_name, last))
QUARQ_MODEL(shop, field(&shop::payments).length(1, 2), field(&shop::by_name).defaulted())

using any_kind = std::variant<std::monostate, bool, double, std::string, std::vector<int>, voucher>;

}  // namespace schemas
}  // namespace quarq::validation_tests
