// Types that say themselves how they are shown, or that they are not.
#include <concepts>
#include <map>
#include <memory>
#include <ostream>
#include <stdexcept>
#include <string>
#include <vector>

#include <boost/describe.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <quarq/debug.hpp>

namespace quarq::test::debug_customised {

struct money {
  int amount;
  std::string currency;
};
struct word {
  std::string text;
};
struct careless {};

struct streamed {
  int x;
  friend std::ostream& operator<<(std::ostream& out, const streamed& value) {
    return out << "streamed " << value.x;
  }
};
struct tall {
  friend std::ostream& operator<<(std::ostream& out, const tall&) { return out << "first\nsecond\x1b"; }
};
struct refusing {
  friend std::ostream& operator<<(std::ostream& out, const refusing&) {
    out << "half";
    throw std::runtime_error("no");
  }
};
enum class loud { one };
std::ostream& operator<<(std::ostream& out, loud) {
  return out << "LOUD";
}
struct both_described_and_streamed {
  int x;
  friend std::ostream& operator<<(std::ostream& out, const both_described_and_streamed&) {
    return out << "own";
  }
};
BOOST_DESCRIBE_STRUCT(both_described_and_streamed, (), (x))

struct formatted {
  int x;
};
struct text_like {
  operator std::string_view() const { return "a text"; }
};
struct truthy {
  operator bool() const { return true; }
  int x = 0;
};

struct password {
  std::string value;
  friend std::ostream& operator<<(std::ostream& out, const password& p) { return out << p.value; }
};
struct secret {};
struct token : secret {
  int number = 1;
};

struct account {
  std::string user;
  password secret;
};
BOOST_DESCRIBE_STRUCT(account, (), (user, secret))

}  // namespace quarq::test::debug_customised

template <>
struct quarq::pretty_printer<quarq::test::debug_customised::money> {
  static void print(quarq::pretty_writer& out, const quarq::test::debug_customised::money& m) {
    out.object("money", "amount", m.amount, "currency", m.currency);
  }
};
template <>
struct quarq::pretty_printer<quarq::test::debug_customised::word> {
  static void print(quarq::pretty_writer& out, const quarq::test::debug_customised::word& w) {
    out.text("word ");
    out.quoted(w.text);
    out.text(" of ");
    out.value(w.text.size());
  }
};
template <>
struct quarq::pretty_printer<quarq::test::debug_customised::careless> {
  static void print(quarq::pretty_writer& out, const quarq::test::debug_customised::careless&) {
    out.object("careless", "a", std::vector<int>{1});
    throw std::runtime_error("careless");
  }
};
template <>
struct fmt::formatter<quarq::test::debug_customised::formatted> : fmt::formatter<int> {
  auto format(const quarq::test::debug_customised::formatted& value, fmt::format_context& context) const {
    return fmt::format_to(context.out(), "formatted {}", value.x);
  }
};
template <>
inline constexpr bool quarq::debug_hidden<quarq::test::debug_customised::password> = true;
template <std::derived_from<quarq::test::debug_customised::secret> T>
inline constexpr bool quarq::debug_hidden<T> = true;

namespace quarq::test::debug_customised {
namespace {

TEST(debug_customised, a_pretty_printer_wins) {
  EXPECT_EQ(format_pretty(money{5, "EUR"}), R"(money{amount: 5, currency: "EUR"})");
  EXPECT_EQ(format_pretty(std::vector<word>{{"hi"}}), R"([word "hi" of 2])");
}

TEST(debug_customised, its_fields_are_laid_out_like_any) {
  EXPECT_EQ(format_pretty(std::vector<money>{{5, "EUR"}}, {.width = 20, .indent = 2}), R"([
  money{
    amount: 5,
    currency: "EUR",
  },
])");
}

TEST(debug_customised, operator_out_is_used) {
  EXPECT_EQ(format_pretty(std::vector<streamed>{{1}, {2}}), "[streamed 1, streamed 2]");
  EXPECT_EQ(format_pretty(loud::one), "LOUD");
  EXPECT_EQ(format_pretty(both_described_and_streamed{1}), "own");
}

TEST(debug_customised, lines_of_an_operator_are_indented_and_its_escapes_shown) {
  EXPECT_EQ(format_pretty(std::vector<tall>(1), {.indent = 2}), "[\n  first\n  second\\x1b,\n]");
}

TEST(debug_customised, a_formatter_of_fmt_is_used) {
  EXPECT_EQ(format_pretty(std::map<int, formatted>{{1, {2}}}), "{1: formatted 2}");
}

TEST(debug_customised, what_throws_is_shown_as_that) {
  EXPECT_EQ(format_pretty(std::vector<refusing>(1)), R"([<threw std::runtime_error("no")>])");
  EXPECT_EQ(format_pretty(std::vector<careless>(2)),
            R"([<threw std::runtime_error("careless")>, <threw std::runtime_error("careless")>])");
}

TEST(debug_customised, conversions_are_texts_but_not_booleans) {
  EXPECT_EQ(format_pretty(text_like{}), R"("a text")");
  EXPECT_TRUE(format_pretty(truthy{}).starts_with("<quarq::test::debug_customised::truthy, 4 bytes at "));
}

TEST(debug_customised, a_hidden_type_is_hidden_wherever_it_is) {
  EXPECT_EQ(format_pretty(password{"x"}), "<hidden>");
  EXPECT_EQ(format_pretty(account{"ann", {"x"}}), R"(account{user: "ann", secret: <hidden>})");
  EXPECT_EQ(format_pretty(std::map<int, std::vector<password>>{{1, {{"x"}}}}), "{1: [<hidden>]}");
  EXPECT_TRUE(format_pretty(std::make_unique<password>()).ends_with(" -> <hidden>"));
}

TEST(debug_customised, many_types_can_be_hidden_at_once) {
  EXPECT_EQ(format_pretty(std::vector<token>(2)), "[<hidden>, <hidden>]");
}

}  // namespace
}  // namespace quarq::test::debug_customised
