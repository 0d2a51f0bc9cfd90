// How each kind of value looks.
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <deque>
#include <filesystem>
#include <forward_list>
#include <limits>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <ranges>
#include <set>
#include <span>
#include <sstream>
#include <stack>
#include <stdexcept>
#include <string>
#include <system_error>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>

#include <boost/describe.hpp>
#include <boost/system/error_code.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <quarq/bytes.hpp>
#include <quarq/debug.hpp>
#include <quarq/outcome.hpp>

namespace quarq::test {
namespace debug_values {

using namespace std::chrono_literals;

enum class colour { red, green };
BOOST_DESCRIBE_ENUM(colour, red, green)
enum plain { one, two };

struct base_part {
  int id;
};
BOOST_DESCRIBE_STRUCT(base_part, (), (id))

class line : public base_part {
 public:
  line(int number, std::string sku, colour paint) : base_part{number}, sku_(std::move(sku)), paint_(paint) {}

 private:
  std::string sku_;
  colour paint_;
  BOOST_DESCRIBE_CLASS(line, (base_part), (), (), (sku_, paint_))
};

struct node {
  int value;
  std::shared_ptr<node> next;
};
BOOST_DESCRIBE_STRUCT(node, (), (value, next))

struct opaque {
  int a[3];
};
struct polymorphic {
  virtual ~polymorphic() = default;
  int a = 0;
};
struct derived : polymorphic {};
struct incomplete;

struct result {
  std::variant<int, std::string> kept;
  bool has_value() const { return kept.index() == 0; }
  int operator*() const { return std::get<0>(kept); }
  const std::string& error() const { return std::get<1>(kept); }
};

std::string at(const void* address) {
  return fmt::format("{}", address);
}

#define EXPECT_SHOWN(value, text) EXPECT_EQ(format_pretty(value), text)

TEST(debug_values, numbers) {
  EXPECT_SHOWN(42, "42");
  EXPECT_SHOWN(-1L, "-1");
  EXPECT_SHOWN(std::numeric_limits<unsigned long long>::max(), "18446744073709551615");
  EXPECT_SHOWN(std::int8_t(65), "65");
  EXPECT_SHOWN(std::uint8_t(65), "65");
  EXPECT_SHOWN(1.0, "1.0");
  EXPECT_SHOWN(0.1, "0.1");
  EXPECT_SHOWN(0.1F, "0.1");
  EXPECT_SHOWN(1e100, "1e+100");
  EXPECT_SHOWN(2.5L, "2.5");
  EXPECT_SHOWN(-0.0, "-0.0");
  EXPECT_SHOWN(std::numeric_limits<double>::infinity(), "inf");
  EXPECT_SHOWN(true, "true");
  EXPECT_SHOWN(std::byte{0xa}, "0x0a");
  const volatile int changing = 5;
  EXPECT_SHOWN(changing, "5");
}

TEST(debug_values, characters_and_texts) {
  EXPECT_SHOWN('a', "'a'");
  EXPECT_SHOWN('\'', R"('\'')");
  EXPECT_SHOWN('\n', R"('\n')");
  EXPECT_SHOWN('\xff', R"('\xff')");
  EXPECT_SHOWN(U'ä', "U'ä'");
  EXPECT_SHOWN("literal", R"("literal")");
  EXPECT_SHOWN(std::string("a\"\0\xff", 4), R"("a\"\x00\xff")");
  EXPECT_SHOWN(std::string_view("view"), R"("view")");
  EXPECT_SHOWN(static_cast<const char*>("pointer"), R"("pointer")");
  EXPECT_SHOWN(static_cast<const char*>(nullptr), "nullptr");
  EXPECT_SHOWN(u8"ä", "u8\"ä\"");
  EXPECT_SHOWN(std::u16string(u"ä😀"), "u\"ä😀\"");
  EXPECT_SHOWN(U"ä", "U\"ä\"");
  EXPECT_SHOWN(std::wstring(L"ä"), "L\"ä\"");
  const char unended[2] = {'a', 'b'};
  EXPECT_SHOWN(unended, R"("ab")");
  EXPECT_SHOWN(std::filesystem::path("/tmp/a b"), R"("/tmp/a b")");
}

TEST(debug_values, containers) {
  EXPECT_SHOWN((std::vector<int>{1, 2}), "[1, 2]");
  EXPECT_SHOWN(std::vector<int>{}, "[]");
  EXPECT_SHOWN((std::vector<bool>{true, false}), "[true, false]");
  EXPECT_SHOWN((std::deque<std::string>{"a"}), R"(["a"])");
  EXPECT_SHOWN((std::list<char>{'a'}), "['a']");
  EXPECT_SHOWN((std::forward_list<int>{1, 2}), "[1, 2]");
  EXPECT_SHOWN((std::array<int, 2>{1, 2}), "[1, 2]");
  const int numbers[2][2] = {{1, 2}, {3, 4}};
  EXPECT_SHOWN(numbers, "[[1, 2], [3, 4]]");
  EXPECT_SHOWN(std::span<const int>(numbers[0]), "[1, 2]");
  EXPECT_SHOWN((std::set<int>{1, 2}), "{1, 2}");
  EXPECT_SHOWN((std::unordered_set<int>{1}), "{1}");
  EXPECT_SHOWN((std::map<std::string, int>{{"a", 1}, {"b", 2}}), R"({"a": 1, "b": 2})");
  EXPECT_SHOWN((std::unordered_map<int, std::vector<int>>{{1, {2}}}), "{1: [2]}");
  EXPECT_SHOWN((std::multimap<int, int>{{1, 2}, {1, 3}}), "{1: 2, 1: 3}");
  EXPECT_SHOWN((std::stack<int>({1, 2})), "[1, 2]");
  EXPECT_SHOWN((std::queue<int>({1, 2})), "[1, 2]");
  EXPECT_SHOWN((std::priority_queue<int>()), "[]");
}

TEST(debug_values, views_that_can_be_read_again) {
  const std::vector<int> numbers = {1, 2, 3, 4};
  EXPECT_SHOWN(numbers | std::views::filter([](int n) { return n % 2 == 0; }), "[2, 4]");
  EXPECT_EQ(format_pretty(std::views::iota(1), {.max_elements = 3}), "[1, 2, 3, ...]");
  std::istringstream in("1 2");
  const auto text = format_pretty(std::ranges::istream_view<int>(in));
  EXPECT_TRUE(text.starts_with("<std::ranges::basic_istream_view<int, char>, ")) << text;
  int first = 0;
  in >> first;
  EXPECT_EQ(first, 1);  // nothing was taken from it
}

TEST(debug_values, pairs_and_tuples) {
  EXPECT_SHOWN((std::pair<int, std::string>(1, "a")), R"((1, "a"))");
  EXPECT_SHOWN((std::tuple<int, char, bool>(1, 'x', true)), "(1, 'x', true)");
  EXPECT_SHOWN(std::tuple<>(), "()");
}

TEST(debug_values, described_structs_and_enums) {
  EXPECT_SHOWN(line(7, "A1", colour::green), R"(line{id: 7, sku_: "A1", paint_: colour::green})");
  EXPECT_SHOWN(colour(9), "colour(9)");
  EXPECT_SHOWN(two, "plain(1)");
}

TEST(debug_values, what_may_hold_something_else) {
  EXPECT_SHOWN(std::optional<int>(3), "optional(3)");
  EXPECT_SHOWN(std::optional<int>(), "nullopt");
  EXPECT_SHOWN((std::variant<int, std::string>("x")), R"(variant<1>("x"))");
  EXPECT_SHOWN(std::monostate(), "monostate{}");
  EXPECT_SHOWN(outcome<int>(5), "ok(5)");
  EXPECT_SHOWN(outcome<void>(std::make_exception_ptr(std::logic_error("bad"))),
               R"(error(std::logic_error("bad")))");
  EXPECT_SHOWN(result{1}, "ok(1)");
  EXPECT_SHOWN(result{"no"}, R"(error("no"))");
}

TEST(debug_values, pointers) {
  int number = 3;
  EXPECT_SHOWN(&number, at(&number) + " -> 3");
  EXPECT_EQ(format_pretty(&number, {.follow_pointers = false}), at(&number));
  EXPECT_EQ(format_pretty(&"pointer"[0], {.follow_pointers = false}).substr(0, 2), "0x");
  EXPECT_SHOWN(static_cast<void*>(&number), at(&number));
  EXPECT_SHOWN(static_cast<int*>(nullptr), "nullptr");
  EXPECT_SHOWN(nullptr, "nullptr");
  EXPECT_SHOWN(reinterpret_cast<incomplete*>(&number), at(&number));
  const auto unique = std::make_unique<std::string>("x");
  EXPECT_SHOWN(unique, at(unique.get()) + R"( -> "x")");
  EXPECT_SHOWN(std::unique_ptr<int>(), "nullptr");
  const auto many = std::make_unique<int[]>(2);
  EXPECT_SHOWN(many, at(many.get()));
  const auto shared = std::make_shared<int>(4);
  EXPECT_SHOWN(shared, at(shared.get()) + " -> 4");
  EXPECT_SHOWN(std::weak_ptr<int>(shared), at(shared.get()) + " -> 4");
  EXPECT_SHOWN(std::weak_ptr<int>(), "expired");
  EXPECT_SHOWN(std::shared_ptr<void>(shared), at(shared.get()));
  EXPECT_SHOWN(std::ref(number), "3");
  EXPECT_SHOWN(std::atomic<int>(4), "4");
}

TEST(debug_values, cycles_end_by_depth) {
  const auto first = std::make_shared<node>(node{1, nullptr});
  first->next = first;
  const auto here = at(first.get());
  EXPECT_EQ(format_pretty(first, {.max_depth = 3}),
            here + " -> node{value: 1, next: " + here + " -> node{...}}");
  first->next = nullptr;
}

TEST(debug_values, times) {
  EXPECT_SHOWN(1500ms, "1500ms");
  EXPECT_SHOWN(1.5s, "1.5s");
  EXPECT_SHOWN(90min, "90min");
  EXPECT_SHOWN(std::chrono::days(2), "2d");
  EXPECT_SHOWN((std::chrono::duration<int, std::ratio<1, 3>>(4)), "4 x 1/3 s");
  EXPECT_SHOWN(std::chrono::system_clock::time_point(1'551'441'600'250ms), "2019-03-01T12:00:00.250Z");
  EXPECT_SHOWN(std::chrono::sys_time<std::chrono::milliseconds>(-1ms), "1969-12-31T23:59:59.999Z");
  EXPECT_SHOWN(std::chrono::sys_days(std::chrono::year(2020) / 2 / 3), "2020-02-03T00:00:00Z");
  EXPECT_SHOWN(std::chrono::year(2020) / 2 / 3, "2020-02-03");
  EXPECT_SHOWN(std::chrono::steady_clock::time_point(5ns), "epoch + 5ns");
}

TEST(debug_values, bytes) {
  EXPECT_SHOWN(to_bytes("hi\"\x01"), R"(b"hi\"\x01")");
  EXPECT_SHOWN((std::array<std::byte, 2>{std::byte{0xff}, std::byte{65}}), R"(b"\xffA")");
  EXPECT_EQ(format_pretty(to_bytes("abcd"), {.max_text = 3}), R"(b"abc"... 1 more byte)");
}

TEST(debug_values, errors) {
  EXPECT_SHOWN(std::make_error_code(std::errc::no_such_file_or_directory),
               R"(generic:2 "No such file or directory")");
  EXPECT_SHOWN(std::error_code(), R"(system:0 "Success")");
  EXPECT_SHOWN(boost::system::errc::make_error_code(boost::system::errc::no_such_file_or_directory),
               R"(generic:2 "No such file or directory")");
  EXPECT_SHOWN(std::runtime_error("boom"), R"(std::runtime_error("boom"))");
  const std::logic_error thrown("what");
  EXPECT_SHOWN(static_cast<const std::exception&>(thrown), R"(std::logic_error("what"))");
  EXPECT_SHOWN(std::exception_ptr(), "nullptr");
  EXPECT_SHOWN(std::make_exception_ptr(5), "int");
  EXPECT_SHOWN(std::make_exception_ptr(std::string("text")), R"("text")");
}

TEST(debug_values, nested_exceptions) {
  std::exception_ptr both;
  try {
    try {
      throw std::logic_error("inner");
    } catch (...) {
      std::throw_with_nested(std::runtime_error("outer"));
    }
  } catch (...) {
    both = std::current_exception();
  }
  EXPECT_SHOWN(both,
               R"(std::_Nested_exception<std::runtime_error>("outer", nested: std::logic_error("inner")))");
}

TEST(debug_values, unknown_types_have_a_name_a_size_and_an_address) {
  const opaque value{};
  EXPECT_SHOWN(value, "<quarq::test::debug_values::opaque, 12 bytes at " + at(&value) + ">");
  const derived other;
  const polymorphic& as_base = other;
  EXPECT_SHOWN(as_base, "<quarq::test::debug_values::derived, 16 bytes at " + at(&other) + ">");
  EXPECT_TRUE(
      format_pretty(&opaque::a).starts_with("<int(quarq::test::debug_values::opaque::*)[3], 8 bytes at ") ||
      format_pretty(&opaque::a).starts_with("<int (quarq::test::debug_values::opaque::*)[3], 8 bytes at "))
      << format_pretty(&opaque::a);
}

TEST(debug_values, limits) {
  const std::vector<int> numbers = {1, 2, 3, 4, 5};
  EXPECT_EQ(format_pretty(numbers, {.max_elements = 2}), "[1, 2, ... 3 more]");
  EXPECT_EQ(format_pretty(std::map<int, int>{{1, 1}, {2, 2}}, {.max_elements = 1}), "{1: 1, ... 1 more}");
  EXPECT_EQ(format_pretty(numbers, {.max_elements = 0}), "[... 5 more]");
  EXPECT_EQ(format_pretty(std::vector<std::vector<int>>{{1}, {}}, {.max_depth = 1}), "[[...], [...]]");
  EXPECT_EQ(format_pretty(line(7, "A1", colour::red), {.max_depth = 0}), "line{...}");
  EXPECT_EQ(format_pretty(std::string("abcde"), {.max_text = 3}), R"("abc"... 2 more bytes)");
  EXPECT_EQ(format_pretty(std::string("aä"), {.max_text = 2}), R"("a"... 2 more bytes)");
  EXPECT_EQ(format_pretty(&"abcde"[0], {.max_text = 3}), R"("abc"...)");
  EXPECT_EQ(format_pretty(numbers, {.max_values = 3}), "[1, 2, ... 3 more]");
  EXPECT_EQ(format_pretty(std::tuple(1, 2, 3), {.max_values = 2}), "(1, ..., ...)");
}

}  // namespace debug_values
}  // namespace quarq::test
