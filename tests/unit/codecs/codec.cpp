#include <chrono>
#include <cmath>
#include <limits>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include <quarq/codec.hpp>
#include <quarq/errors.hpp>

#include "codecs/json.hpp"
#include "unit/codecs/codec_helpers.hpp"

using namespace quarq;
using namespace quarq::codecs;
using namespace quarq::testing;
using namespace std::chrono_literals;

namespace {

enum class priority : std::uint8_t { low, normal, high = 9 };
BOOST_DESCRIBE_ENUM(priority, low, normal, high)

enum class plain : std::int8_t { one = 1 };

struct person {
  std::string name;
  std::optional<std::string> mail;
  friend bool operator==(const person&, const person&) = default;
};
BOOST_DESCRIBE_STRUCT(person, (), (name, mail))

struct options {
  std::vector<person> to;
  int tries = 3;
  priority urgency = priority::normal;
  std::map<std::string, std::vector<int>> sizes;
  friend bool operator==(const options&, const options&) = default;
};
BOOST_DESCRIBE_STRUCT(options, (), (to, tries, urgency, sizes))

struct named {
  std::string name = "nobody";
};
BOOST_DESCRIBE_STRUCT(named, (), (name))
struct aged : named {
  int age = 7;
};
BOOST_DESCRIBE_STRUCT(aged, (named), (age))

struct tree {
  int value = 0;
  std::vector<tree> children;
};
BOOST_DESCRIBE_STRUCT(tree, (), (value, children))

class sealed {
 public:
  sealed() = default;
  explicit sealed(int secret) : secret_(secret) {}
  int secret() const { return secret_; }

 private:
  int secret_ = 0;
  BOOST_DESCRIBE_CLASS(sealed, (), (), (), (secret_))
};

struct empty {};
BOOST_DESCRIBE_STRUCT(empty, (), ())

/// Neither default constructible nor copyable.
class handle {
 public:
  explicit handle(int number) : number_(std::make_unique<int>(number)) {}
  int number() const { return *number_; }

 private:
  std::unique_ptr<int> number_;
};

struct no_codec {};

}  // namespace

template <>
struct quarq::codec<handle> {
  static void encode(encoder& out, const handle& value) { out.integer(value.number()); }
  static handle decode(decoder& in) { return handle(static_cast<int>(in.integer(0, 99))); }
};

namespace {

static_assert(codable<int> && codable<unsigned long long> && codable<char> && codable<bool> &&
              codable<float>);
static_assert(codable<priority> && codable<plain> && codable<options> && codable<handle> && codable<tree>);
static_assert(codable<std::map<priority, std::variant<std::monostate, options>>>);
static_assert(!codable<no_codec> && !codable<std::vector<no_codec>> && !codable<std::optional<no_codec>>);
static_assert(!codable<std::string_view> && !codable<const char*> && !codable<int*> && !codable<long double>);
static_assert(!codable<std::map<no_codec, int>> && !codable<std::map<bytes, int>> &&
              !codable<std::tuple<int, no_codec>>);
static_assert(!codable<std::unique_ptr<int>> && !codable<std::chrono::steady_clock::time_point>);

template <class T>
class integer_limits : public ::testing::Test {};
using integers = ::testing::Types<signed char, unsigned char, char, short, unsigned short, int, unsigned,
                                  long, unsigned long, long long, unsigned long long>;
TYPED_TEST_SUITE(integer_limits, integers);

TYPED_TEST(integer_limits, round_trip_and_no_further) {
  using limits = std::numeric_limits<TypeParam>;
  for (const TypeParam value : {limits::min(), limits::max(), TypeParam{0}, TypeParam{1}})
    EXPECT_EQ(again(value), value);
  const std::string range = std::to_string(limits::min()) + " to " + std::to_string(limits::max());
  if constexpr (limits::is_signed) {
    EXPECT_EQ(complaint<TypeParam>("18446744073709551615"),
              "value: expected integer from " + range + ", got 18446744073709551615");
  } else {
    EXPECT_EQ(complaint<TypeParam>("-1"), "value: expected integer from " + range + ", got -1");
  }
  if constexpr (sizeof(TypeParam) < 8) {
    const auto beyond = static_cast<std::int64_t>(limits::max()) + 1;
    EXPECT_EQ(complaint<TypeParam>(std::to_string(beyond)),
              "value: expected integer from " + range + ", got " + std::to_string(beyond));
  }
  EXPECT_EQ(complaint<TypeParam>("\"1\""), "value: expected integer, got string");
  EXPECT_EQ(complaint<TypeParam>("1.0"), "value: expected integer, got real number");
}

TEST(codec, booleans_are_not_integers) {
  EXPECT_TRUE(again(true));
  EXPECT_FALSE(again(false));
  EXPECT_EQ(complaint<bool>("1"), "value: expected boolean, got integer");
  EXPECT_EQ(complaint<int>("true"), "value: expected integer, got boolean");
}

TEST(codec, reals) {
  for (const double value : {0.0, -0.0, 0.1, 1e308, 5e-324, HUGE_VAL, -HUGE_VAL})
    EXPECT_EQ(again(value), value);
  EXPECT_TRUE(std::isnan(again(NAN)));
  EXPECT_TRUE(std::signbit(again(-0.0)));
  EXPECT_EQ(again(0.1f), 0.1f);
  EXPECT_EQ(bytes_of(1.5f), "ca 3f c0 00 00");
  EXPECT_EQ(from_json<double>("3"), 3.0);
  EXPECT_EQ(from_json<float>("0.1"), 0.1f);
  EXPECT_EQ(from_json<float>("\"Infinity\""), HUGE_VALF);
  EXPECT_EQ(complaint<float>("1e300"), "value: expected number in the range of float, got 1e+300");
  EXPECT_EQ(complaint<double>("\"3\""), "value: expected number, got string");
}

TEST(codec, text_and_bytes) {
  EXPECT_EQ(again(std::string("h\xc3\xa9llo")), "h\xc3\xa9llo");
  EXPECT_EQ(bytes_of(std::string("hi")), "a2 68 69");
  const bytes raw = to_bytes(from_hex("00 ff 80"));
  EXPECT_EQ(again(raw), raw);
  EXPECT_EQ(bytes_of(raw), "c4 03 00 ff 80");
  EXPECT_EQ(from_json<bytes>("\"hi\""), to_bytes("hi"));
  EXPECT_EQ(complaint<std::string>("{\"$bytes\": \"aGk=\"}"), "value: expected string, got bytes");
  EXPECT_EQ(complaint<bytes>("[1]"), "value: expected bytes, got array");
  EXPECT_THROW(to_msgpack(std::string("\xff")), usage_error);
}

TEST(codec, byte_arrays_have_an_exact_length) {
  const std::array<std::byte, 2> key{std::byte{1}, std::byte{2}};
  EXPECT_EQ(again(key), key);
  EXPECT_EQ(bytes_of(key), "c4 02 01 02");
  EXPECT_EQ((complaint<std::array<std::byte, 2>>("\"abc\"")), "value: expected 2 bytes, got 3");
}

TEST(codec, optionals_are_the_value_or_nil) {
  EXPECT_EQ(again(std::optional<int>(5)), 5);
  EXPECT_EQ(again(std::optional<int>()), std::nullopt);
  EXPECT_EQ(bytes_of(std::optional<int>()), "c0");
  EXPECT_EQ(bytes_of(std::optional<int>(5)), "05");
  EXPECT_EQ(complaint<std::optional<int>>("\"x\""), "value: expected integer, got string");
}

TEST(codec, containers_round_trip) {
  EXPECT_EQ(again(std::vector<std::string>{"a", "b"}), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(again(std::vector<bool>{true, false}), (std::vector<bool>{true, false}));
  EXPECT_EQ(again(std::vector<int>(5000, 300)), std::vector<int>(5000, 300));
  EXPECT_EQ(again(std::array<int, 3>{1, 2, 3}), (std::array<int, 3>{1, 2, 3}));
  EXPECT_EQ(again(std::set<int>{3, 1}), (std::set<int>{1, 3}));
  EXPECT_EQ(again(std::unordered_set<std::string>{"x"}), (std::unordered_set<std::string>{"x"}));
  EXPECT_EQ(again(std::map<std::string, int>{{"a", 1}}), (std::map<std::string, int>{{"a", 1}}));
  EXPECT_EQ(again(std::unordered_map<int, bool>{{-4, true}}), (std::unordered_map<int, bool>{{-4, true}}));
  EXPECT_EQ(again(std::map<priority, int>{{priority::high, 1}}),
            (std::map<priority, int>{{priority::high, 1}}));
  EXPECT_EQ(again(std::map<plain, int>{{plain::one, 1}}), (std::map<plain, int>{{plain::one, 1}}));
  EXPECT_EQ(again(std::vector<std::vector<int>>{{}, {1}}), (std::vector<std::vector<int>>{{}, {1}}));
}

TEST(codec, containers_are_written_as_documented) {
  EXPECT_EQ(bytes_of(std::vector<int>{1, 2}), "92 01 02");
  EXPECT_EQ(bytes_of(std::set<int>{2, 1}), "92 01 02");
  EXPECT_EQ(bytes_of(std::map<std::string, int>{{"a", 1}}), "81 a1 61 01");
  EXPECT_EQ(bytes_of(std::map<int, int>{{2, 1}}), "81 02 01");
  EXPECT_EQ(bytes_of(std::pair<int, bool>(1, true)), "92 01 c3");
  EXPECT_EQ(bytes_of(std::tuple<int, std::string, bool>(1, "a", true)), "93 01 a1 61 c3");
  EXPECT_EQ(bytes_of(std::tuple<>()), "90");
  EXPECT_EQ(bytes_of(std::monostate()), "c0");
}

TEST(codec, containers_say_which_element_is_wrong) {
  EXPECT_EQ(complaint<std::vector<int>>("[1, \"x\"]"), "value: element [1]: expected integer, got string");
  EXPECT_EQ(complaint<std::vector<int>>("{}"), "value: expected array, got map");
  EXPECT_EQ((complaint<std::array<int, 2>>("[1, 2, 3]")), "value: expected array of 2, got array of 3");
  EXPECT_EQ((complaint<std::array<int, 2>>("[1, null]")), "value: element [1]: expected integer, got nil");
  EXPECT_EQ(complaint<std::set<int>>("[1, 2, []]"), "value: element [2]: expected integer, got array");
  EXPECT_EQ((complaint<std::map<std::string, int>>("{\"a\": 1, \"b\": []}")),
            "value: entry [\"b\"]: expected integer, got array");
  EXPECT_EQ((complaint<std::map<int, int>>("{\"7\": []}")), "value: entry [7]: expected integer, got array");
  EXPECT_EQ((complaint<std::map<priority, int>>("{\"low\": []}")),
            "value: entry [\"low\"]: expected integer, got array");
  EXPECT_EQ((complaint<std::pair<int, int>>("[1]")), "value: expected array of 2, got array of 1");
  EXPECT_EQ((complaint<std::tuple<int, bool>>("[1, 2]")),
            "value: element [1]: expected boolean, got integer");
}

TEST(codec, keys_say_which_of_them_is_wrong) {
  const auto wrong_key = [](auto map) {
    return error_of<decode_error>([&] { from_msgpack<decltype(map)>(from_hex("82 01 05 c3 05"), "value"); });
  };
  EXPECT_EQ(wrong_key(std::map<int, int>()), "value: key 2: expected integer, got boolean");
  EXPECT_EQ(wrong_key(std::map<std::string, int>()), "value: key 1: expected string, got integer");
}

TEST(codec, integer_keys_may_be_text_as_in_json) {
  EXPECT_EQ((from_json<std::map<int, int>>("{\"-7\": 1}")), (std::map<int, int>{{-7, 1}}));
  EXPECT_EQ((from_json<std::map<std::uint64_t, int>>("{\"18446744073709551615\": 1}")),
            (std::map<std::uint64_t, int>{{UINT64_MAX, 1}}));
  EXPECT_EQ((complaint<std::map<std::uint8_t, int>>("{\"256\": 1}")),
            "value: key 1: expected integer, got the string \"256\"");
  EXPECT_EQ((complaint<std::map<int, int>>("{\"7x\": 1}")),
            "value: key 1: expected integer, got the string \"7x\"");
  EXPECT_EQ((complaint<std::map<unsigned, int>>("{\"-1\": 1}")),
            "value: key 1: expected integer, got the string \"-1\"");
}

TEST(codec, the_last_of_two_equal_keys_counts) {
  EXPECT_EQ((from_json<std::map<std::string, int>>("{\"a\": 1, \"a\": 2}").at("a")), 2);
  EXPECT_EQ(from_json<options>("{\"tries\": 1, \"tries\": 2}").tries, 2);
}

TEST(codec, variants_are_an_index_and_a_value) {
  using any = std::variant<std::monostate, int, std::string, options>;
  EXPECT_EQ(again(any(5)), any(5));
  EXPECT_EQ(again(any("x")), any("x"));
  EXPECT_EQ(again(any()), any());
  EXPECT_EQ(bytes_of(any(5)), "92 01 05");
  EXPECT_EQ(bytes_of(any()), "92 00 c0");
  EXPECT_EQ(again(std::variant<int, int>(std::in_place_index<1>, 3)).index(), 1u);
  EXPECT_EQ(complaint<any>("[4, 1]"), "value: element [0]: expected integer from 0 to 3, got 4");
  EXPECT_EQ(complaint<any>("[1, \"x\"]"), "value: element [1]: expected integer, got string");
  EXPECT_EQ(complaint<any>("[1]"), "value: expected array of 2, got array of 1");
  EXPECT_EQ(complaint<any>("7"), "value: expected array, got integer");
}

TEST(codec, described_enums_are_names) {
  EXPECT_EQ(bytes_of(priority::high), "a4 68 69 67 68");
  EXPECT_EQ(again(priority::low), priority::low);
  EXPECT_EQ(from_json<priority>("9"), priority::high);
  EXPECT_EQ(complaint<priority>("\"urgent\""), "value: expected one of low, normal, high, got \"urgent\"");
  EXPECT_EQ(complaint<priority>("\"low\\u0000\""),
            "value: expected one of low, normal, high, got \"low\\x00\"");
  EXPECT_EQ(complaint<priority>("2"), "value: expected one of low, normal, high, got 2");
  EXPECT_EQ(complaint<priority>("300"), "value: expected integer from 0 to 255, got 300");
  EXPECT_EQ(complaint<priority>("[]"), "value: expected one of low, normal, high, got array");
  EXPECT_EQ(error_of<usage_error>([] { to_msgpack(static_cast<priority>(77)); }),
            "an enum holds 77, which none of its described enumerators is");
}

TEST(codec, other_enums_are_numbers) {
  EXPECT_EQ(bytes_of(plain::one), "01");
  EXPECT_EQ(again(static_cast<plain>(-5)), static_cast<plain>(-5));
  EXPECT_EQ(again(std::byte{200}), std::byte{200});
  EXPECT_EQ(complaint<plain>("128"), "value: expected integer from -128 to 127, got 128");
}

TEST(codec, described_structs_round_trip) {
  const options all{{{"ann", "a@b"}, {"bob", {}}}, 5, priority::high, {{"x", {1, 2}}}};
  EXPECT_EQ(again(all), all);
  EXPECT_EQ(
      to_json(to_msgpack(all)),
      "{\"to\": [{\"name\": \"ann\", \"mail\": \"a@b\"}, {\"name\": \"bob\", \"mail\": null}], \"tries\": 5, "
      "\"urgency\": \"high\", \"sizes\": {\"x\": [1, 2]}}");
  EXPECT_EQ(again(sealed(42)).secret(), 42);
  EXPECT_EQ(bytes_of(empty()), "80");
  again(empty());
}

TEST(codec, base_classes_are_part_of_the_map) {
  aged someone;
  someone.name = "ann";
  someone.age = 30;
  EXPECT_EQ(to_json(to_msgpack(someone)), "{\"name\": \"ann\", \"age\": 30}");
  EXPECT_EQ(again(someone).name, "ann");
  EXPECT_EQ(again(someone).age, 30);
}

TEST(codec, missing_members_keep_their_default_and_unknown_ones_are_skipped) {
  EXPECT_EQ(from_json<options>("{}"), options());
  EXPECT_EQ(from_json<aged>("{\"age\": 1}").name, "nobody");
  EXPECT_EQ(from_json<options>("{\"new\": {\"deep\": [1, {}]}, \"tries\": 9}").tries, 9);
  EXPECT_EQ(from_msgpack<options>(from_hex("82 07 92 01 02 a5 74 72 69 65 73 09"), "value").tries, 9)
      << "keys that are no text are unknown too";
}

TEST(codec, described_structs_say_where_the_wrong_value_is) {
  EXPECT_EQ(complaint<options>("{\"to\": [{}, {}, {\"name\": null}]}"),
            "value: field to[2].name: expected string, got nil");
  EXPECT_EQ(complaint<options>("{\"sizes\": {\"big\": [1, 2.5]}}"),
            "value: field sizes[\"big\"][1]: expected integer, got real number");
  EXPECT_EQ(complaint<options>("[]"), "value: expected map, got array");
  EXPECT_EQ(complaint<std::vector<options>>("[{\"tries\": \"x\"}]"),
            "value: element [0].tries: expected integer, got string");
  EXPECT_EQ(complaint<aged>("{\"name\": 5}"), "value: field name: expected string, got integer");
}

TEST(codec, recursive_structs_have_a_limit) {
  tree root;
  tree* at = &root;
  for (int i = 1; i < 32; ++i) at = &at->children.emplace_back(tree{i, {}});
  EXPECT_EQ(again(root).children[0].children[0].value, 2);
  at->children.emplace_back();
  EXPECT_EQ(error_of<usage_error>([&] { again(root); }), "values are nested deeper than 64 levels");
}

TEST(codec, elements_need_neither_a_default_nor_a_copy) {
  const std::string three = json_to_msgpack("[1, 2, 3]");
  const auto list = from_msgpack<std::vector<handle>>(three, "value");
  EXPECT_EQ(list[2].number(), 3);
  EXPECT_EQ((from_msgpack<std::array<handle, 3>>(three, "value")[1].number()), 2);
  EXPECT_EQ(std::get<2>(from_msgpack<std::tuple<int, int, handle>>(three, "value")).number(), 3);
  EXPECT_EQ((from_json<std::map<std::string, handle>>("{\"a\": 4}").at("a").number()), 4);
  EXPECT_EQ(from_json<std::optional<handle>>("5")->number(), 5);
  EXPECT_EQ((std::get<handle>(from_json<std::variant<int, handle>>("[1, 6]")).number()), 6);
  EXPECT_EQ(std::get<0>(decode_arguments<std::tuple<handle>>(json_to_msgpack("[7]"), "f")).number(), 7);
  EXPECT_EQ(complaint<std::vector<handle>>("[1, 100]"),
            "value: element [1]: expected integer from 0 to 99, got 100");
}

TEST(codec, void_is_nil_and_accepts_any_one_value) {
  EXPECT_EQ(hex(to_msgpack()), "c0");
  from_msgpack<void>(to_msgpack(), "result");
  from_msgpack<void>(to_msgpack(std::vector<int>{1}), "result");
  EXPECT_EQ(error_of<decode_error>([] { from_msgpack<void>("", "result"); }),
            "result: the data ends in the middle of a value: 1 byte expected at byte 0, 0 left");
}

TEST(codec, trailing_bytes_are_an_error) {
  EXPECT_EQ(error_of<decode_error>([] { from_msgpack<int>(from_hex("05 06"), "result of add"); }),
            "result of add: 1 byte is left over after the value");
}

TEST(codec, arguments_round_trip) {
  const std::string data = encode_arguments(std::string("http://a"), 3, options());
  const auto [url, count, rest] =
      decode_arguments<std::tuple<std::string, int, options>>(data, "count_words");
  EXPECT_EQ(url, "http://a");
  EXPECT_EQ(count, 3);
  EXPECT_EQ(rest, options());
  EXPECT_EQ(hex(encode_arguments()), "90");
  decode_arguments<std::tuple<>>(encode_arguments(), "nothing");
}

TEST(codec, arguments_are_named_in_errors) {
  const auto complain = [](std::string_view json, std::span<const std::string_view> names) {
    return error_of<decode_error>([&] {
      decode_arguments<std::tuple<std::string, options>>(json_to_msgpack(json), "count_words", names);
    });
  };
  const std::string_view names[] = {"url", "options"};
  EXPECT_EQ(complain("[5, {}]", names), "count_words: argument 1 (url): expected string, got integer");
  EXPECT_EQ(complain("[5, {}]", {}), "count_words: argument 1: expected string, got integer");
  EXPECT_EQ(complain("[\"u\", 5]", names), "count_words: argument 2 (options): expected map, got integer");
  EXPECT_EQ(complain("[\"u\", 5]", std::span(names).first(1)),
            "count_words: argument 2: expected map, got integer");
  EXPECT_EQ(complain("[\"u\", {\"to\": [{}, {}, {\"name\": null}]}]", names),
            "count_words: argument 2 (options): field to[2].name: expected string, got nil");
  EXPECT_EQ(complain("[\"u\"]", names), "count_words: expected 2 arguments, got 1");
  EXPECT_EQ(complain("{}", names), "count_words: expected array, got map");
  EXPECT_EQ(
      error_of<decode_error>([] { decode_arguments<std::tuple<int>>(from_hex("92 01 02"), "count_words"); }),
      "count_words: expected 1 argument, got 2");
  EXPECT_EQ(
      error_of<decode_error>([] { decode_arguments<std::tuple<int>>(from_hex("91 01 02"), "count_words"); }),
      "count_words: 1 byte is left over after the value");
  EXPECT_EQ(error_of<decode_error>([] { decode_arguments<std::tuple<int>>("", "count_words"); }),
            "count_words: the data ends in the middle of a value: 1 byte expected at byte 0, 0 left");
}

}  // namespace
