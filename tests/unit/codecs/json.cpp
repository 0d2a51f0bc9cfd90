#include "codecs/json.hpp"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include <quarq/errors.hpp>
#include <quarq/msgpack.hpp>

#include "codecs/json_text.hpp"
#include "unit/codecs/codec_helpers.hpp"

using namespace quarq;
using namespace quarq::codecs;
using namespace quarq::testing;

namespace {

std::string json_of(std::string_view bytes) {
  return to_json(from_hex(bytes));
}

std::string json_complaint(std::string_view json) {
  return error_of<decode_error>([&] { json_to_msgpack(json); });
}

TEST(json, every_type_is_shown) {
  EXPECT_EQ(json_of("c0"), "null");
  EXPECT_EQ(json_of("c3"), "true");
  EXPECT_EQ(json_of("c2"), "false");
  EXPECT_EQ(json_of("d3 80 00 00 00 00 00 00 00"), "-9223372036854775808");
  EXPECT_EQ(json_of("cf ff ff ff ff ff ff ff ff"), "18446744073709551615");
  EXPECT_EQ(json_of("d1 00 05"), "5");
  EXPECT_EQ(json_of("e0"), "-32");
  EXPECT_EQ(json_of("cb 3f b9 99 99 99 99 99 9a"), "0.1");
  EXPECT_EQ(json_of("cb 40 00 00 00 00 00 00 00"), "2.0") << "a real number stays recognisable";
  EXPECT_EQ(json_of("cb 7e 37 e4 3c 88 00 75 9c"), "1e+300");
  EXPECT_EQ(json_of("a2 68 69"), "\"hi\"");
  EXPECT_EQ(json_of("c4 02 68 69"), "{\"$bytes\": \"aGk=\"}");
  EXPECT_EQ(json_of("93 01 90 80"), "[1, [], {}]");
  EXPECT_EQ(json_of("82 a1 61 01 a1 62 92 02 03"), "{\"a\": 1, \"b\": [2, 3]}");
  EXPECT_EQ(json_of("d4 05 ff"), "{\"$ext\": [5, \"/w==\"]}");
}

TEST(json, numbers_that_json_does_not_have_are_strings) {
  EXPECT_EQ(json_of("cb 7f f8 00 00 00 00 00 00"), "\"NaN\"");
  EXPECT_EQ(json_of("cb 7f f0 00 00 00 00 00 00"), "\"Infinity\"");
  EXPECT_EQ(json_of("ca ff 80 00 00"), "\"-Infinity\"");
}

TEST(json, timestamps_are_iso_8601) {
  EXPECT_EQ(json_of("d6 ff 00 00 00 00"), "\"1970-01-01T00:00:00Z\"");
  EXPECT_EQ(json_of("d6 ff ff ff ff ff"), "\"2106-02-07T06:28:15Z\"");
  EXPECT_EQ(json_of("c7 0c ff 1d cd 65 00 ff ff ff ff ff ff ff ff"), "\"1969-12-31T23:59:59.500Z\"");
  EXPECT_EQ(json_of("d7 ff 00 00 00 04 00 00 00 01"), "\"1970-01-01T00:00:01.000000001Z\"");
  EXPECT_EQ(json_of("d7 ff 00 00 0f a0 00 00 00 01"), "\"1970-01-01T00:00:01.000001Z\"");
  EXPECT_EQ(json_of("c7 0c ff 00 00 00 00 7f ff ff ff ff ff ff ff"), "\"+292277026596-12-04T15:30:07Z\"");
  EXPECT_EQ(json_of("c7 0c ff 00 00 00 00 80 00 00 00 00 00 00 00"), "\"-292277022657-01-27T08:29:52Z\"");
}

TEST(json, keys_are_strings_whatever_they_were) {
  EXPECT_EQ(json_of("84 05 01 c0 02 c4 01 ff 03 92 01 a1 78 04"),
            "{\"5\": 1, \"null\": 2, \"{\\\"$bytes\\\": \\\"/w==\\\"}\": 3, \"[1, \\\"x\\\"]\": 4}");
  EXPECT_EQ(json_of("81 d6 ff 00 00 00 00 01"), "{\"1970-01-01T00:00:00Z\": 1}");
}

TEST(json, keys_within_keys_do_not_double_the_text_at_each_level) {
  EXPECT_EQ(json_of("81 81 81 01 02 03 04"), R"({"{\"{...}\": 3}": 4})");
  std::string nested;
  for (int i = 0; i < 60; ++i) nested += '\x81';
  nested += "\xa1\"" + std::string(60, '\x01');
  EXPECT_LT(to_json(nested).size(), 100u);
}

TEST(json, strings_are_escaped_and_repaired) {
  EXPECT_EQ(json_of("a8 22 5c 0a 0d 09 08 0c 01"), R"("\"\\\n\r\t\b\f\u0001")");
  EXPECT_EQ(json_of("a4 63 61 66 e9"), "\"caf\xef\xbf\xbd\"");
  EXPECT_EQ(json_of("a2 c3 a9"), "\"\xc3\xa9\"");
}

TEST(json, every_control_character_is_read_back_from_its_escape) {
  EXPECT_EQ(json_of("a3 1b 1f 10"), R"("\u001b\u001f\u0010")");
  for (char c = 0; c < ' '; ++c) {
    const auto text = to_msgpack(std::string(1, c));
    EXPECT_EQ(json_to_msgpack(to_json(text)), text) << static_cast<int>(c);
  }
}

TEST(json, what_is_too_long_is_cut_between_characters) {
  std::string data;
  encoder out(data);
  out.array(3);
  out.text("h\xc3\xa9llo");
  out.integer(12345);
  out.binary("bytes");
  const std::string whole = to_json(data);
  for (std::size_t limit = 0; limit < whole.size(); ++limit) {
    const std::string cut = to_json(data, limit);
    EXPECT_LE(cut.size(), limit);
    if (limit < 3) {
      EXPECT_EQ(cut, "");
      continue;
    }
    EXPECT_TRUE(cut.ends_with("\xe2\x80\xa6")) << cut;
    EXPECT_GE(cut.size() + 1, limit) << "a character of two bytes is the most that is lost";
    EXPECT_TRUE(whole.starts_with(cut.substr(0, cut.size() - 3)));
    std::string check;
    EXPECT_NO_THROW(encoder(check).text(cut)) << cut;
  }
  EXPECT_EQ(to_json(data, whole.size()), whole);
  EXPECT_EQ(to_json(data, 6), "[\"h\xe2\x80\xa6");
}

TEST(json, a_cut_costs_only_what_is_shown) {
  std::string data;
  encoder out(data);
  out.array(2);
  out.text(std::string(1000, 'x'));
  data += '\xc1';
  EXPECT_EQ(to_json(data, 8), "[\"xxx\xe2\x80\xa6") << "what is behind the cut is not looked at";
  EXPECT_EQ(error_of<decode_error>([&] { to_json(data); }),
            "msgpack: element [1]: byte 1004 is 0xc1, which is no msgpack");
}

TEST(json, broken_msgpack_is_an_error_with_its_place) {
  EXPECT_EQ(error_of<decode_error>([] { json_of("81 a1 61 92 01"); }),
            "msgpack: entry [\"a\"]: an array of 2 can't be in the 1 byte left");
  EXPECT_EQ(error_of<decode_error>([] { json_of("01 02"); }), "msgpack: 1 byte is left over after the value");
  EXPECT_EQ(error_of<decode_error>([] { to_json(std::string(64, '\x91') + '\x01'); }), "(no error)");
  EXPECT_NE(error_of<decode_error>([] {
              to_json(std::string(65, '\x91') + '\x01');
            }).find("values are nested deeper than 64 levels"),
            std::string::npos);
}

TEST(json, becomes_msgpack) {
  const auto msgpack_of = [](std::string_view json) { return hex(json_to_msgpack(json)); };
  EXPECT_EQ(msgpack_of(" null "), "c0");
  EXPECT_EQ(msgpack_of("[true, false]"), "92 c3 c2");
  EXPECT_EQ(msgpack_of("-1"), "ff");
  EXPECT_EQ(msgpack_of("18446744073709551615"), "cf ff ff ff ff ff ff ff ff");
  EXPECT_EQ(msgpack_of("1.0"), "cb 3f f0 00 00 00 00 00 00");
  EXPECT_EQ(msgpack_of("18446744073709551616"), "cb 43 f0 00 00 00 00 00 00");
  EXPECT_EQ(msgpack_of("\"h\\u00e9\\n\""), "a4 68 c3 a9 0a");
  EXPECT_EQ(msgpack_of("\"\\ud83d\\ude00\""), "a4 f0 9f 98 80");
  EXPECT_EQ(msgpack_of("{\"a\": [1, {}], \"b\": null}"), "82 a1 61 92 01 80 a1 62 c0");
  EXPECT_EQ(msgpack_of("{\"$bytes\": \"aGk=\"}"), "c4 02 68 69");
  EXPECT_EQ(msgpack_of("{\"$bytes\": \"aGk\"}"), "c4 02 68 69") << "padding may be missing";
  EXPECT_EQ(msgpack_of("{\"$bytes\": \"\", \"x\": 1}").substr(0, 2), "82") << "only if it stands alone";
  EXPECT_EQ(msgpack_of("{\"$ext\": [-5, \"/w==\"]}"), "d4 fb ff");
}

TEST(json, reals_keep_every_bit) {
  for (const double value : {0.1, 1.0 / 3, 1e22, 123456789.123456789, 5e-324, 1.7976931348623157e308, -2.5e-7,
                             0.30000000000000004, 9007199254740993.5}) {
    std::string data;
    encoder(data).real(value);
    EXPECT_EQ(json_to_msgpack(to_json(data)), data) << value;
  }
}

TEST(json, errors_name_line_and_column) {
  EXPECT_EQ(json_complaint(""), "JSON, line 1, column 1: incomplete JSON");
  EXPECT_EQ(json_complaint("[1, x]"), "JSON, line 1, column 5: syntax error");
  EXPECT_EQ(json_complaint("{\n  \"\xc3\xa9\": x}"), "JSON, line 2, column 8: syntax error")
      << "characters, not bytes";
  EXPECT_EQ(json_complaint("1 2"), "JSON, line 1, column 3: there is more behind the end of the value");
  EXPECT_EQ(json_complaint("1e999"),
            "JSON, line 1, column 6: the number is greater than a real number can be");
  EXPECT_EQ(json_complaint("{\"$bytes\": \"?\"}"),
            "JSON, line 1, column 15: \"$bytes\" has to be a string of base 64");
  EXPECT_EQ(json_complaint("{\"$bytes\": 5}"),
            "JSON, line 1, column 13: \"$bytes\" has to be a string of base 64");
  EXPECT_EQ(json_complaint("{\"$ext\": [200, \"\"]}"),
            "JSON, line 1, column 19: \"$ext\" has to be [type from -128 to 127, a string of base 64]");
  EXPECT_NE(json_complaint("\"\xff\""), "(no error)");
  EXPECT_NE(json_complaint("\"\\ud800\""), "(no error)");
}

std::string escaped(char c) {
  constexpr std::string_view named = "\"\\\b\f\n\r\t", letters = "\"\\bfnrt";
  if (const auto at = named.find(c); at != named.npos) return {'\\', letters[at]};
  if (c < ' ') return std::string("\\u00") + (c < 0x10 ? '0' : '1') + "0123456789abcdef"[c & 15];
  return {c};
}

TEST(json, strings_are_escaped_wherever_they_need_it) {
  const std::string around = "12345678\xc3\xa9 \x7f!#[]";  // all that is next to what must be escaped
  for (int c = 0; c < 0x80; ++c) {
    for (std::size_t at = 0; at <= around.size(); ++at) {
      if (at == 9) continue;  // within a character
      const auto before = around.substr(0, at), after = around.substr(at);
      const auto one = static_cast<char>(c);
      EXPECT_EQ(json_string(before + one + after), '"' + before + escaped(one) + after + '"')
          << c << ' ' << at;
      EXPECT_EQ(json_string(before + one + one), '"' + before + escaped(one) + escaped(one) + '"');
    }
  }
}

TEST(json, depth_is_limited) {
  EXPECT_EQ(json_complaint(std::string(64, '[') + std::string(64, ']')), "(no error)");
  EXPECT_EQ(json_complaint(std::string(65, '[') + std::string(65, ']')), "JSON, line 1, column 65: too deep");
  EXPECT_EQ(json_complaint(std::string(1'000'000, '[')), "JSON, line 1, column 65: too deep");
}

}  // namespace
