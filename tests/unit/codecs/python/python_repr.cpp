#include "codecs/python/python_repr.hpp"

#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <quarq/codec.hpp>
#include <quarq/errors.hpp>

#include "codecs/json.hpp"
#include "support/command.hpp"
#include "unit/codecs/codec_helpers.hpp"

using namespace quarq;
using namespace quarq::codecs;
using namespace quarq::codecs::python;
using namespace quarq::testing;

namespace {

std::string shown(std::string_view bytes) {
  return to_python(from_hex(bytes));
}

std::string text_shown(const std::string& text) {
  return to_python(to_msgpack(text));
}

std::string time_shown(timestamp time_point) {
  std::string data;
  encoder(data).time(time_point);
  return to_python(data);
}

TEST(python_repr, every_type_is_shown) {
  EXPECT_EQ(shown("c0"), "None");
  EXPECT_EQ(shown("c3"), "True");
  EXPECT_EQ(shown("c2"), "False");
  EXPECT_EQ(shown("d3 80 00 00 00 00 00 00 00"), "-9223372036854775808");
  EXPECT_EQ(shown("cf ff ff ff ff ff ff ff ff"), "18446744073709551615");
  EXPECT_EQ(shown("e0"), "-32");
  EXPECT_EQ(shown("a2 68 69"), "'hi'");
  EXPECT_EQ(shown("c4 03 68 27 ff"), "b\"h'\\xff\"");
  EXPECT_EQ(shown("93 01 90 80"), "[1, [], {}]");
  EXPECT_EQ(shown("82 a1 61 01 07 92 02 c0"), "{'a': 1, 7: [2, None]}");
  EXPECT_EQ(shown("d4 05 ff"), "ExtType(code=5, data=b'\\xff')");
}

TEST(python_repr, floats_are_as_python_prints_them) {
  const auto real = [](double n) { return to_python(to_msgpack(n)); };
  EXPECT_EQ(real(0.1), "0.1");
  EXPECT_EQ(real(2), "2.0");
  EXPECT_EQ(real(-0.0), "-0.0");
  EXPECT_EQ(real(0.0001), "0.0001");
  EXPECT_EQ(real(0.00001), "1e-05");
  EXPECT_EQ(real(123456789012345680.0), "1.2345678901234568e+17");
  EXPECT_EQ(real(9999999999999998.0), "9999999999999998.0");
  EXPECT_EQ(real(1e16), "1e+16");
  EXPECT_EQ(real(1e300), "1e+300");
  EXPECT_EQ(shown("cb 7f f0 00 00 00 00 00 00"), "inf");
  EXPECT_EQ(shown("cb 7f f8 00 00 00 00 00 00"), "nan");
}

TEST(python_repr, text_is_quoted_and_escaped_as_python_does) {
  EXPECT_EQ(text_shown("it's"), "\"it's\"");
  EXPECT_EQ(text_shown("it's \"it\""), R"('it\'s "it"')");
  EXPECT_EQ(text_shown(std::string("\n\r\t\\\0\x7f", 6)), R"('\n\r\t\\\x00\x7f')");
  EXPECT_EQ(text_shown("\xc3\xa9\xc2\xa0\xe2\x80\xa8\xf3\xa0\x80\x81"), "'\xc3\xa9\\xa0\\u2028\\U000e0001'");
  EXPECT_EQ(python_quoted("it's"), "\"it's\"");
}

TEST(python_repr, moments_are_datetimes) {
  EXPECT_EQ(time_shown({1551441600, 0}),
            "datetime.datetime(2019, 3, 1, 12, 0, tzinfo=datetime.timezone.utc)");
  EXPECT_EQ(time_shown({1551441605, 678'000}),
            "datetime.datetime(2019, 3, 1, 12, 0, 5, 678, tzinfo=datetime.timezone.utc)");
  EXPECT_EQ(time_shown({1551441600, 1'000}),
            "datetime.datetime(2019, 3, 1, 12, 0, 0, 1, tzinfo=datetime.timezone.utc)");
  EXPECT_EQ(time_shown({-1, 0}), "datetime.datetime(1969, 12, 31, 23, 59, 59, tzinfo=datetime.timezone.utc)");
  EXPECT_EQ(time_shown({253402300800, 0}), "'+10000-01-01T00:00:00Z'") << "beyond Python's last year";
}

TEST(python_repr, what_is_too_long_is_cut_at_a_number_of_characters) {
  const std::string packed = to_msgpack(std::string("\xc3\xa9\xc3\xa9\xc3\xa9"));
  EXPECT_EQ(to_python(packed, 5), "'\xc3\xa9\xc3\xa9\xc3\xa9'");
  EXPECT_EQ(to_python(packed, 4), "'\xc3\xa9\xc3\xa9\xe2\x80\xa6");
  EXPECT_EQ(to_python(packed, 1), "\xe2\x80\xa6");
  EXPECT_EQ(to_python(packed, 0), "");
  const auto numbers = to_msgpack(std::vector<int>(1000, 7));
  EXPECT_EQ(
      to_python(numbers, 80), "[" + [] {
        std::string some;
        for (int i = 0; i < 26; ++i) some += "7, ";
        return some;
      }() + "\xe2\x80\xa6");
}

TEST(python_repr, what_lies_behind_the_cut_is_not_looked_at) {
  EXPECT_EQ(to_python(from_hex("93 01 02 c1"), 4), "[1,\xe2\x80\xa6");
  EXPECT_NE(error_of<decode_error>([] { to_python(from_hex("93 01 02 c1"), 80); }), "");
}

TEST(python_repr, arguments_are_shown_as_in_a_call) {
  const std::string packed = json_to_msgpack(R"([1, "x", true, null])");
  const std::vector<std::string> names = {"n", "text", "deep", "at"};
  EXPECT_EQ(to_python_arguments(packed, 4, names), "1, 'x', True, None");
  EXPECT_EQ(to_python_arguments(packed, 2, names), "1, 'x', at=None, deep=True");
  EXPECT_EQ(to_python_arguments(packed, 0, names), "at=None, deep=True, n=1, text='x'");
  EXPECT_EQ(to_python_arguments(packed, 4, {}), "1, 'x', True, None");
  EXPECT_EQ(to_python_arguments(json_to_msgpack("[]"), 0, {}), "");
  EXPECT_EQ(to_python_arguments(packed, 2, names, 26), "1, 'x', at=None, deep=True");
  EXPECT_EQ(to_python_arguments(packed, 2, names, 25), "1, 'x', at=None, deep=Tr\xe2\x80\xa6");
  EXPECT_EQ(to_python_arguments(packed, 2, names, 12), "1, 'x', at=\xe2\x80\xa6");
}

TEST(python_repr, is_what_python_says) {
  if (test::run_command({"/usr/bin/python3", "-c", "import msgpack"}).exit_code != 0)
    GTEST_SKIP() << "python3-msgpack is not installed";
  const auto theirs = test::run_command({"/usr/bin/python3", "-c", R"(
import datetime, msgpack, random
r = random.Random(20190301)

def text():
    letters = 'ab\n\r\t\\\'"\0\x1a\x7f\x80\xad\xff\u0416\u061c\u1680\u200b\u20ac\ue000\ufeff\ufffd\U0001f600\U000e0001\U000e0101\U00100000'
    return ''.join(r.choice(letters) for _ in range(r.choice([0, 1, 3, 9, 300])))

def moment():
    return datetime.datetime(r.randrange(1, 10000), r.randrange(1, 13), r.randrange(1, 29), r.randrange(24), r.randrange(60),
                             r.choice([0, 7]), r.choice([0, 678, 999999]), datetime.timezone.utc)

def real():
    return r.choice([r.random() * 10.0**r.randrange(-320, 308), float(r.randrange(10**18)), r.randrange(10**9) / 1000, -1.5e-7])

KEYS = [text, lambda: r.getrandbits(63), lambda: None]
SCALARS = KEYS + [real, moment, lambda: True, lambda: -r.getrandbits(63), lambda: r.randbytes(r.choice([0, 1, 5, 300])),
                  lambda: b"it's", lambda: b'it\'s "it"']

def value(depth=0):
    kind = r.randrange(5) if depth < 5 else 4
    if kind == 0: return [value(depth + 1) for _ in range(r.choice([0, 1, 2, 20]))]
    if kind == 1: return {r.choice(KEYS)(): value(depth + 1) for _ in range(r.choice([0, 1, 2, 20]))}
    return r.choice(SCALARS)()

for _ in range(500):
    v = value()
    print(msgpack.packb(v, datetime=True).hex())
    print(repr(v).encode().hex())
    print((repr(v)[:79] + '\u2026' if len(repr(v)) > 80 else repr(v)).encode().hex())
)"});
  ASSERT_EQ(theirs.exit_code, 0) << theirs.err;
  std::istringstream lines(theirs.out);
  std::string packed, whole, cut;
  int values = 0;
  while (std::getline(lines, packed) && std::getline(lines, whole) && std::getline(lines, cut)) {
    EXPECT_EQ(to_python(from_hex(packed)), from_hex(whole));
    EXPECT_EQ(to_python(from_hex(packed), 80), from_hex(cut));
    ++values;
  }
  EXPECT_EQ(values, 500);
}

}  // namespace
