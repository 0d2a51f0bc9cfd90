#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

#include <gtest/gtest.h>

#include <quarq/errors.hpp>
#include <quarq/msgpack.hpp>

#include "unit/codecs/codec_helpers.hpp"

using namespace quarq;
using namespace quarq::testing;

namespace {

template <class Write>
std::string written(Write write) {
  std::string out;
  encoder writer(out);
  write(writer);
  return hex(out);
}

/// What a reader says about these bytes.
template <class Read>
std::string complaint(std::string_view bytes, Read read) {
  const std::string data = from_hex(bytes);
  decoder in(data, "value");
  return error_of<decode_error>([&] { read(in); });
}

std::string skip_complaint(std::string_view bytes) {
  return complaint(bytes, [](decoder& in) { in.skip(); });
}

TEST(msgpack, integers_take_their_shortest_form) {
  const std::pair<std::int64_t, const char*> vectors[] = {
      {0, "00"},
      {127, "7f"},
      {128, "cc 80"},
      {255, "cc ff"},
      {256, "cd 01 00"},
      {65535, "cd ff ff"},
      {65536, "ce 00 01 00 00"},
      {4294967295, "ce ff ff ff ff"},
      {4294967296, "cf 00 00 00 01 00 00 00 00"},
      {INT64_MAX, "cf 7f ff ff ff ff ff ff ff"},
      {-1, "ff"},
      {-32, "e0"},
      {-33, "d0 df"},
      {-128, "d0 80"},
      {-129, "d1 ff 7f"},
      {-32768, "d1 80 00"},
      {-32769, "d2 ff ff 7f ff"},
      {INT32_MIN, "d2 80 00 00 00"},
      {std::int64_t{INT32_MIN} - 1, "d3 ff ff ff ff 7f ff ff ff"},
      {INT64_MIN, "d3 80 00 00 00 00 00 00 00"}};
  for (const auto& [value, bytes] : vectors) {
    EXPECT_EQ(written([&](encoder& out) { out.integer(value); }), bytes) << value;
    const std::string data = from_hex(bytes);
    decoder in(data);
    EXPECT_EQ(in.integer(), value);
    EXPECT_TRUE(in.at_end());
  }
  EXPECT_EQ(written([](encoder& out) { out.unsigned_integer(UINT64_MAX); }), "cf ff ff ff ff ff ff ff ff");
}

TEST(msgpack, integers_in_longer_forms_than_needed_are_read) {
  const std::pair<const char*, std::int64_t> vectors[] = {{"cc 05", 5},
                                                          {"cd 00 05", 5},
                                                          {"cf 00 00 00 00 00 00 00 05", 5},
                                                          {"d0 05", 5},
                                                          {"d1 00 05", 5},
                                                          {"d2 00 00 00 05", 5},
                                                          {"d3 00 00 00 00 00 00 00 05", 5},
                                                          {"d3 ff ff ff ff ff ff ff ff", -1}};
  for (const auto& [bytes, value] : vectors) {
    const std::string data = from_hex(bytes);
    EXPECT_EQ(decoder(data).integer(), value) << bytes;
  }
}

TEST(msgpack, integers_out_of_range_are_refused_with_the_range) {
  EXPECT_EQ(complaint("cd 01 2c", [](decoder& in) { in.unsigned_integer(255); }),
            "value: expected integer from 0 to 255, got 300");
  EXPECT_EQ(complaint("ff", [](decoder& in) { in.unsigned_integer(); }),
            "value: expected integer from 0 to 18446744073709551615, got -1");
  EXPECT_EQ(
      complaint("cf ff ff ff ff ff ff ff ff", [](decoder& in) { in.integer(); }),
      "value: expected integer from -9223372036854775808 to 9223372036854775807, got 18446744073709551615");
  EXPECT_EQ(complaint("d0 80", [](decoder& in) { in.integer(-127, 127); }),
            "value: expected integer from -127 to 127, got -128");
}

TEST(msgpack, reals_keep_every_bit) {
  EXPECT_EQ(written([](encoder& out) { out.real(1.5); }), "cb 3f f8 00 00 00 00 00 00");
  EXPECT_EQ(written([](encoder& out) { out.real(1.5f); }), "ca 3f c0 00 00");
  const std::string data =
      from_hex("cb 3f b9 99 99 99 99 99 9a ca bf c0 00 00 cb 7f f0 00 00 00 00 00 00 fe");
  decoder in(data);
  EXPECT_EQ(in.real(), 0.1);
  EXPECT_EQ(in.real(), -1.5);
  EXPECT_EQ(in.real(), std::numeric_limits<double>::infinity());
  EXPECT_EQ(in.real(), -2.0) << "integers are numbers too";
  EXPECT_EQ(complaint("a1 78", [](decoder& reader) { reader.real(); }), "value: expected number, got string");
}

TEST(msgpack, reals_that_json_has_no_number_for_are_read_from_text) {
  const std::string data = from_hex("a3 4e 61 4e a8 49 6e 66 69 6e 69 74 79 a9 2d 49 6e 66 69 6e 69 74 79");
  decoder in(data);
  EXPECT_TRUE(std::isnan(in.real()));
  EXPECT_EQ(in.real(), std::numeric_limits<double>::infinity());
  EXPECT_EQ(in.real(), -std::numeric_limits<double>::infinity());
}

TEST(msgpack, nil_and_booleans) {
  EXPECT_EQ(written([](encoder& out) { out.nil(); }), "c0");
  EXPECT_EQ(written([](encoder& out) { out.boolean(false); }), "c2");
  EXPECT_EQ(written([](encoder& out) { out.boolean(true); }), "c3");
  const std::string data = from_hex("c0 c0 c3 c2 01");
  decoder in(data);
  in.nil();
  EXPECT_TRUE(in.try_nil());
  EXPECT_FALSE(in.try_nil());
  EXPECT_TRUE(in.boolean());
  EXPECT_FALSE(in.boolean());
  EXPECT_EQ(error_of<decode_error>([&] { in.boolean(); }), "expected boolean, got integer");
}

TEST(msgpack, lengths_take_their_shortest_form) {
  const auto head = [](auto write) { return written(write).substr(0, 14); };
  const auto text = [&](std::size_t n) { return head([&](encoder& out) { out.text(std::string(n, 'x')); }); };
  const auto binary = [&](std::size_t n) {
    return head([&](encoder& out) { out.binary(std::string(n, 'x')); });
  };
  const auto array = [&](std::size_t n) { return head([&](encoder& out) { out.array(n); }); };
  const auto map = [&](std::size_t n) { return head([&](encoder& out) { out.map(n); }); };
  EXPECT_EQ(text(0), "a0");
  EXPECT_EQ(text(31).substr(0, 5), "bf 78");
  EXPECT_EQ(text(32).substr(0, 8), "d9 20 78");
  EXPECT_EQ(text(255).substr(0, 8), "d9 ff 78");
  EXPECT_EQ(text(256).substr(0, 11), "da 01 00 78");
  EXPECT_EQ(text(65535).substr(0, 11), "da ff ff 78");
  EXPECT_EQ(text(65536), "db 00 01 00 00");
  EXPECT_EQ(binary(0), "c4 00");
  EXPECT_EQ(binary(255).substr(0, 8), "c4 ff 78");
  EXPECT_EQ(binary(256).substr(0, 11), "c5 01 00 78");
  EXPECT_EQ(binary(65536), "c6 00 01 00 00");
  EXPECT_EQ(array(15), "9f");
  EXPECT_EQ(array(16), "dc 00 10");
  EXPECT_EQ(array(65536), "dd 00 01 00 00");
  EXPECT_EQ(map(15), "8f");
  EXPECT_EQ(map(16), "de 00 10");
  EXPECT_EQ(map(65536), "df 00 01 00 00");
}

TEST(msgpack, lengths_of_every_form_are_read) {
  for (const std::size_t size : {0, 1, 31, 32, 255, 256, 65535, 65536, 70000}) {
    const std::string content(size, 'y');
    std::string data;
    encoder out(data);
    out.text(content);
    out.binary(content);
    out.extension(7, content);
    decoder in(data);
    EXPECT_EQ(in.text(), content);
    EXPECT_EQ(in.binary(), content);
    EXPECT_EQ(in.extension(), (extension{7, content}));
    EXPECT_TRUE(in.at_end());
  }
}

TEST(msgpack, lengths_beyond_32_bits_are_refused_by_the_encoder) {
  std::string out;
  encoder writer(out);
  writer.array(4294967295);
  EXPECT_EQ(error_of<usage_error>([&] { writer.array(4294967296); }),
            "an array of 4294967296 is longer than msgpack can hold (4294967295)");
}

TEST(msgpack, extensions_of_1_2_4_8_and_16_bytes_have_forms_of_their_own) {
  const auto head = [](std::size_t n) {
    return written([&](encoder& out) { out.extension(5, std::string(n, '\1')); }).substr(0, 11);
  };
  EXPECT_EQ(head(1), "d4 05 01");
  EXPECT_EQ(head(2), "d5 05 01 01");
  EXPECT_EQ(head(4), "d6 05 01 01");
  EXPECT_EQ(head(8), "d7 05 01 01");
  EXPECT_EQ(head(16), "d8 05 01 01");
  EXPECT_EQ(head(0), "c7 00 05");
  EXPECT_EQ(head(3), "c7 03 05 01");
  EXPECT_EQ(head(17), "c7 11 05 01");
}

TEST(msgpack, timestamps_of_each_width) {
  const std::pair<timestamp, const char*> vectors[] = {
      {{0, 0}, "d6 ff 00 00 00 00"},
      {{4294967295, 0}, "d6 ff ff ff ff ff"},
      {{4294967296, 0}, "d7 ff 00 00 00 01 00 00 00 00"},
      {{1, 1}, "d7 ff 00 00 00 04 00 00 00 01"},
      {{17179869183, 999999999}, "d7 ff ee 6b 27 ff ff ff ff ff"},
      {{17179869184, 0}, "c7 0c ff 00 00 00 00 00 00 00 04 00 00 00 00"},
      {{-1, 500000000}, "c7 0c ff 1d cd 65 00 ff ff ff ff ff ff ff ff"},
      {{INT64_MIN, 999999999}, "c7 0c ff 3b 9a c9 ff 80 00 00 00 00 00 00 00"},
      {{INT64_MAX, 0}, "c7 0c ff 00 00 00 00 7f ff ff ff ff ff ff ff"}};
  for (const auto& [time_point, bytes] : vectors) {
    EXPECT_EQ(written([&](encoder& out) { out.time(time_point); }), bytes);
    const std::string data = from_hex(bytes);
    decoder in(data);
    EXPECT_EQ(in.peek(), value_type::timestamp);
    EXPECT_EQ(in.time(), time_point) << bytes;
    EXPECT_TRUE(in.at_end());
  }
}

TEST(msgpack, timestamps_that_are_none_are_refused) {
  const auto time = [](decoder& in) { in.time(); };
  EXPECT_EQ(complaint("d7 ff ff ff ff ff 00 00 00 00", time),
            "value: a timestamp has 1073741823 nanoseconds: 999999999 is the most");
  for (const char* one_too_many : {"d7 ff ee6b2800 00000000", "c7 0c ff 3b9aca00 0000000000000000"})
    EXPECT_EQ(complaint(one_too_many, time),
              "value: a timestamp has 1000000000 nanoseconds: 999999999 is the most");
  EXPECT_EQ(complaint("d5 ff 00 00", time), "value: a timestamp of 2 bytes: 4, 8 and 12 are possible");
  EXPECT_EQ(complaint("d5 05 00 00", time), "value: expected timestamp, got extension");
  EXPECT_EQ(complaint("05", time), "value: expected timestamp, got integer");
  EXPECT_EQ(complaint("a4 6e 6f 6f 6e", time),
            "value: expected a time such as \"2019-03-01T12:00:00Z\", got \"noon\"");
  EXPECT_EQ(error_of<usage_error>([&] { written([](encoder& out) { out.time({0, 1000000000}); }); }),
            "a timestamp has 1000000000 nanoseconds: 999999999 is the most");
}

TEST(msgpack, text_is_utf8_on_both_sides) {
  EXPECT_EQ(complaint("a4 63 61 66 e9", [](decoder& in) { in.text(); }),
            "value: expected string, got \"caf\xef\xbf\xbd\", which is not UTF-8 from byte 3 on");
  EXPECT_EQ(
      error_of<usage_error>([] { written([](encoder& out) { out.text("caf\xe9"); }); }),
      "text has to be UTF-8, and \"caf\xef\xbf\xbd\" is not, from byte 3 on: bytes that are not text go as "
      "quarq::bytes");
}

TEST(msgpack, utf8_has_no_surrogates_overlong_forms_or_characters_beyond_unicode) {
  const auto valid = [](std::string_view text) {
    std::string out;
    encoder writer(out);
    return error_of<usage_error>([&] { writer.text(text); }) == "(no error)";
  };
  EXPECT_TRUE(
      valid("\xc2\x80 \xdf\xbf \xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 \xef\xbf\xbf \xf0\x90\x80\x80 "
            "\xf4\x8f\xbf\xbf"));
  EXPECT_TRUE(valid(std::string("nul\0inside", 10)));
  for (const char* wrong : {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80",
                            "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xc2",
                            "\xe2\x82", "\xf0\x9f\x98", "eight ok\xe2\x28\xa1", "\xc2\x41"})
    EXPECT_FALSE(valid(wrong)) << hex(wrong);
}

TEST(msgpack, bytes_may_come_as_text) {
  const std::string data = from_hex("c4 02 ff 00 a2 68 69 01");
  decoder in(data);
  EXPECT_EQ(in.binary(), from_hex("ff 00"));
  EXPECT_EQ(in.binary(), "hi");
  EXPECT_EQ(error_of<decode_error>([&] { in.binary(); }), "expected bytes, got integer");
}

TEST(msgpack, peek_tells_every_type_and_reads_nothing) {
  const std::pair<const char*, value_type> vectors[] = {{"c0", value_type::nil},
                                                        {"c2", value_type::boolean},
                                                        {"00", value_type::integer},
                                                        {"e0", value_type::integer},
                                                        {"cc 01", value_type::integer},
                                                        {"ca 00 00 00 00", value_type::real},
                                                        {"a0", value_type::text},
                                                        {"d9 00", value_type::text},
                                                        {"c4 00", value_type::binary},
                                                        {"90", value_type::array},
                                                        {"dc 00 00", value_type::array},
                                                        {"80", value_type::map},
                                                        {"de 00 00", value_type::map},
                                                        {"d4 01 00", value_type::extension},
                                                        {"d6 ff 00 00 00 00", value_type::timestamp}};
  for (const auto& [bytes, type] : vectors) {
    const std::string data = from_hex(bytes);
    decoder in(data);
    EXPECT_EQ(in.peek(), type) << bytes;
    EXPECT_EQ(in.position(), 0u);
    in.skip();
    EXPECT_TRUE(in.at_end()) << bytes;
  }
}

TEST(msgpack, raw_is_one_whole_value) {
  const std::string data = from_hex("93 01 81 a1 61 92 02 03 c0 05");
  decoder in(data);
  EXPECT_EQ(hex(in.raw()), "93 01 81 a1 61 92 02 03 c0");
  EXPECT_EQ(in.integer(), 5);
  std::string out;
  encoder writer(out);
  writer.array(1);
  writer.raw(from_hex("92 02 03"));
  EXPECT_EQ(hex(out), "91 92 02 03");
}

TEST(msgpack, data_that_ends_too_early_says_where) {
  EXPECT_EQ(skip_complaint(""),
            "value: the data ends in the middle of a value: 1 byte expected at byte 0, 0 left");
  EXPECT_EQ(skip_complaint("cd 01"),
            "value: the data ends in the middle of integer: 2 bytes expected at byte 1, 1 left");
  EXPECT_EQ(skip_complaint("a5 68 69"),
            "value: the data ends in the middle of string: 5 bytes expected at byte 1, 2 left");
  EXPECT_EQ(skip_complaint("93 01 02"),
            "value: the data ends in the middle of array: 3 values more expected at byte 1, 2 bytes left");
  EXPECT_EQ(skip_complaint("c1"), "value: byte 0 is 0xc1, which is no msgpack");
}

TEST(msgpack, lengths_are_not_believed) {
  EXPECT_EQ(complaint("dd ff ff ff ff 01", [](decoder& in) { in.array(); }),
            "value: an array of 4294967295 can't be in the 1 byte left");
  EXPECT_EQ(complaint("df ff ff ff ff 01 02", [](decoder& in) { in.map(); }),
            "value: a map of 4294967295 can't be in the 2 bytes left");
  EXPECT_EQ(complaint("db ff ff ff ff 01", [](decoder& in) { in.text(); }),
            "value: the data ends in the middle of string: 4294967295 bytes expected at byte 5, 1 left");
  for (const char* bytes : {"c6 ff ff ff ff", "c9 ff ff ff ff 05", "dd ff ff ff ff 01",
                            "df ff ff ff ff 01 02", "92 dd ff ff ff ff df ff ff ff ff"})
    EXPECT_NE(skip_complaint(bytes).find("the data ends in the middle of"), std::string::npos) << bytes;
}

TEST(msgpack, skip_needs_no_stack_for_a_million_nested_arrays) {
  std::string data(1'000'000, '\x91');
  data += '\x01';
  decoder in(data);
  in.skip();
  EXPECT_TRUE(in.at_end());
}

TEST(msgpack, what_is_left_over_is_an_error) {
  EXPECT_EQ(complaint("01 02",
                      [](decoder& in) {
                        in.skip();
                        in.finish();
                      }),
            "value: 1 byte is left over after the value");
  EXPECT_EQ(complaint("01 02 03",
                      [](decoder& in) {
                        in.skip();
                        in.finish();
                      }),
            "value: 2 bytes are left over after the value");
}

TEST(msgpack, scopes_make_the_path) {
  const std::string data;
  decoder in(data, "send_mail");
  decoder::scope argument(in), field(in), element(in), name(in);
  const auto path = [&] { return error_of<decode_error>([&] { in.fail("wrong"); }); };
  EXPECT_EQ(path(), "send_mail: wrong");
  argument.argument(2, "options");
  EXPECT_EQ(path(), "send_mail: argument 2 (options): wrong");
  argument.argument(3, "");
  field.field("to");
  EXPECT_EQ(path(), "send_mail: argument 3: field to: wrong");
  element.element(2);
  name.field("name");
  EXPECT_EQ(path(), "send_mail: argument 3: field to[2].name: wrong");
  field.element(7);
  element.entry("a \"b\"\n");
  name.entry(std::int64_t{-5});
  EXPECT_EQ(path(), "send_mail: argument 3: element [7][\"a \"b\"\\n\"][-5]: wrong");
  name.key(1);
  EXPECT_EQ(path(), "send_mail: argument 3: element [7][\"a \"b\"\\n\"]: key 1: wrong");
}

TEST(msgpack, messages_are_one_line_of_utf8_whatever_the_data_is) {
  const std::string text = "\xff\n\x1b[2J" + std::string(1000, 'x');
  std::string data;
  encoder(data).binary(text);
  data.replace(0, 3, from_hex("da 03 ee"));
  decoder in(data, "value");
  const std::string message = error_of<decode_error>([&] { in.text(); });
  EXPECT_EQ(message, "value: expected string, got \"\xef\xbf\xbd\\n\\x1b[2J" + std::string(34, 'x') +
                         "\xe2\x80\xa6\", which is not UTF-8 from byte 0 on");
}

}  // namespace
