// Pickles, byte for byte. What Python itself says to them is in pickle_python.cpp.
#include "codecs/python/pickle.hpp"

#include <chrono>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include <quarq/codec.hpp>
#include <quarq/errors.hpp>

#include "codecs/json.hpp"
#include "unit/codecs/codec_helpers.hpp"

using namespace quarq;
using namespace quarq::codecs;
using namespace quarq::codecs::python;
using namespace quarq::testing;
using namespace std::chrono_literals;
using namespace std::string_literals;

namespace {

/// The value of a pickle, given in hexadecimal, as JSON.
std::string pickle_shown(std::string_view pickle) {
  return to_json(pickle_to_msgpack(from_hex(pickle), "pickle"));
}

template <class T>
T read_as(std::string_view pickle) {
  return from_msgpack<T>(pickle_to_msgpack(from_hex(pickle), "pickle"), "value");
}

/// One value as the bytes that a pickle has between its head and its end.
template <class Write>
std::string pickled(Write write) {
  std::string out;
  pickle_writer writer(out);
  write(writer);
  writer.finish();
  EXPECT_TRUE(out.starts_with("\x80\x04") && out.ends_with('.'));
  return hex(std::string_view(out).substr(2, out.size() - 3));
}

std::string written_exception(std::string_view type, std::string_view message) {
  std::string out;
  pickle_writer writer(out);
  writer.exception(type, message);
  return out.substr(2);
}

// A job of arq's: the_task(1, "x", a=True), enqueued at 1700000000000.
constexpr std::string_view job_4 =
    "8004953c000000000000007d94288c0174944e8c0166948c087468655f7461736b948c0161944b018c01789486948c016b947d94"
    "680488738c026574948a060068e5cf8b01752e";
constexpr std::string_view job_2 =
    "80027d71002858010000007471014e580100000066710258080000007468655f7461736b71035801000000617104"
    "4b01580100000078710586710658010000006b71077d7108680488735802000000657471098a060068e5cf8b01752e";
constexpr std::string_view job_msgpack =
    "85a174c0a166a87468655f7461736ba1619201a178a16b81a161c3a26574cf0000018bcfe56800";

TEST(pickle, a_job_of_arq_is_the_same_msgpack_as_arq_itself_writes) {
  EXPECT_EQ(hex(pickle_to_msgpack(from_hex(job_4), "job")), hex(from_hex(job_msgpack)));
  EXPECT_EQ(hex(pickle_to_msgpack(from_hex(job_2), "job")), hex(from_hex(job_msgpack)));
  std::string job_5 = from_hex(job_4);
  job_5[1] = 5;
  EXPECT_EQ(hex(pickle_to_msgpack(job_5, "job")), hex(from_hex(job_msgpack)));
}

TEST(pickle, a_job_of_arq_without_arguments) {
  EXPECT_EQ(
      pickle_shown(
          "80049532000000000000007d94288c0174944b038c0166948c087468655f7461736b948c016194298c016b947d948c"
          "026574948a060068e5cf8b01752e"),
      R"({"t": 3, "f": "the_task", "a": [], "k": {}, "et": 1700000000000})");
}

TEST(pickle, a_job_of_arq_with_nested_arguments_and_what_the_memo_repeats) {
  // f([1, 2.5, None, b"\x00\xff", "é"], {"k": [True, False]}, -5, 2**31, 2**63, 2**70)
  std::string nested = from_hex(
      "80049571000000000000007d94288c0174944e8c01669468028c016194285d94284b014740040000000000004e430200ff948c"
      "02c3a9"
      "94657d948c016b945d9428888965734afbffffff8a0500000080008a090000000000000080008a090000000000000000407494"
      "68087d"
      "948c026574948a060068e5cf8b01752e");
  EXPECT_EQ(pickle_complaint(nested), "pickle: byte 92: an int of 9 bytes does not fit 64 bits");
  nested[nested.find("\x40\x74\x94")] = '\0';  // 2**70 becomes 0, in nine bytes
  EXPECT_EQ(
      to_json(pickle_to_msgpack(nested, "job")),
      R"({"t": null, "f": "f", "a": [[1, 2.5, null, {"$bytes": "AP8="}, "é"], {"k": [true, false]}, -5, )"
      R"(2147483648, 9223372036854775808, 0], "k": {}, "et": 1700000000000})");
}

TEST(pickle, a_result_of_arq) {
  EXPECT_EQ(
      pickle_shown(
          "8004957d000000000000007d94288c0174944b018c0166948c087468655f7461736b948c0161944b018c01789486948c"
          "016b947d94"
          "680488738c026574948a060068e5cf8b018c017394888c0172944b2a8c027374948a066468e5cf8b018c026674948a06"
          "c868e5cf"
          "8b018c0171948c096172713a7175657565948c026964948c0369643194752e"),
      R"({"t": 1, "f": "the_task", "a": [1, "x"], "k": {"a": true}, "et": 1700000000000, "s": true, "r": 42, )"
      R"("st": 1700000000100, "ft": 1700000000200, "q": "arq:queue", "id": "id1"})");
}

TEST(pickle, exceptions_of_arq_are_their_type_and_arguments) {
  const auto exception = [](std::string_view fragment) {
    const std::string pickle = "8004" + std::string(fragment) + "2e";
    return read_python_exception(pickle_to_msgpack(from_hex(pickle), "pickle")).value();
  };
  const auto value_error =
      exception("8c086275696c74696e73948c0a56616c75654572726f729493948c04626f6f6d9485945294");
  EXPECT_EQ(value_error.type, "ValueError");
  EXPECT_EQ(value_error.message, "boom");
  const auto failed = exception(
      "8c0a6172712e776f726b6572948c124a6f62457865637574696f6e4661696c65649493948c166d617820352072657472696573"
      "2065786365"
      "656465649485945294");
  EXPECT_EQ(failed.type, "arq.worker.JobExecutionFailed");
  EXPECT_EQ(failed.message, "max 5 retries exceeded");
  const auto cancelled =
      exception("8c126173796e63696f2e657863657074696f6e73948c0e43616e63656c6c65644572726f72949394295294");
  EXPECT_EQ(cancelled.type, "asyncio.exceptions.CancelledError");
  EXPECT_EQ(cancelled.message, "");
  EXPECT_EQ(exception("8c086275696c74696e73948c0c54696d656f75744572726f72949394295294").type, "TimeoutError");
}

TEST(pickle, moments_identities_and_decimals) {
  using us = std::chrono::sys_time<std::chrono::microseconds>;
  EXPECT_EQ(
      read_as<us>(
          "80049557000000000000008c086461746574696d65948c086461746574696d65949394430a07e801020304050002a694"
          "68008c0874696d657a6f6e6594939468008c0974696d6564656c74619493944b004b004b00879452948594529486945"
          "2942e"),
      us(std::chrono::sys_days(2024y / 1 / 2) + 3h + 4min + 5s + 678us));
  EXPECT_EQ(read_as<std::string>(
                "80049520000000000000008c0475756964948c04555549449493942981947d948c03696e74944b0573622e"),
            "00000000-0000-0000-0000-000000000005");
  EXPECT_EQ(read_as<std::string>(
                "80049522000000000000008c07646563696d616c948c07446563696d616c9493948c04312e353094859452942e"),
            "1.50");
}

TEST(pickle, a_task_s_typed_arguments) {
  // ({5: [1, 2.5]}, {"b", "a"}, b"\xff")
  const std::string arguments = pickle_to_msgpack(
      from_hex("80047d4b055d284b01474004000000000000 65738f288c0162 8c0161 90 4301ff 872e"), "arguments");
  using parameters = std::tuple<std::map<int, std::vector<double>>, std::set<std::string>, bytes>;
  const auto [numbers, words, raw] = decode_arguments<parameters>(arguments, "task");
  EXPECT_EQ(numbers, (std::map<int, std::vector<double>>{{5, {1, 2.5}}}));
  EXPECT_EQ(words, (std::set<std::string>{"a", "b"}));
  EXPECT_EQ(raw, to_bytes("\xff"));
}

TEST(pickle, times_without_a_zone_are_text_and_durations_nanoseconds) {
  // datetime.datetime(2024, 1, 2, 3, 4, 5), date(1969, 12, 31), time(1, 2, 3, 4), timedelta(-1, 0, 5)
  EXPECT_EQ(to_json(pickle_to_msgpack("(cdatetime\ndatetime\n(C\x0a\x07\xe8\x01\x02\x03\x04\x05\0\0\0tR"
                                      "cdatetime\ndate\n(C\x04\x07\xb1\x0c\x1ftRcdatetime\ntime\n"
                                      "(C\x06\x01\x02\x03\0\0\x04tRcdatetime\ntimedelta\n(I-1\nI0\nI5\ntRt."s,
                                      "pickle")),
            R"(["2024-01-02T03:04:05", "1969-12-31T00:00:00Z", "01:02:03.000004", -86399999995000])");
}

TEST(pickle, named_zones_are_asked_for) {
  const std::string pickle =
      "cdatetime\ndatetime\n(C\x0a\x07\xe8\x07\x01\x0c\0\0\0\0\0cbuiltins\ngetattr\n(czoneinfo\nZoneInfo\n"
      "V_unpickle\ntR(VEurope/Berlin\nI01\ntRtR."s;
  EXPECT_EQ(pickle_complaint(pickle), "pickle: byte 104: the time zone \"Europe/Berlin\" is not known here");
  pickle_options options;
  options.find_zone_offset = [](std::string_view zone, std::chrono::local_seconds local,
                                bool second_time) -> std::optional<std::chrono::seconds> {
    EXPECT_EQ(local, std::chrono::local_days(2024y / 7 / 1) + 12h);
    EXPECT_FALSE(second_time);
    return zone == "Europe/Berlin" ? std::optional<std::chrono::seconds>(2h) : std::nullopt;
  };
  EXPECT_EQ(to_json(pickle_to_msgpack(pickle, "pickle", options)), "\"2024-07-01T10:00:00Z\"");
}

TEST(pickle, nothing_but_plain_data_is_read) {
  EXPECT_EQ(pickle_complaint("cos\nsystem\n(S'true'\ntR."), "pickle: byte 0: unknown global os.system");
  EXPECT_EQ(pickle_complaint("\x80\x04\x8c\x02os\x8c\x06system\x93."),
            "pickle: byte 14: unknown global os.system");
  EXPECT_EQ(pickle_complaint("(ios\nsystem\n."), "pickle: byte 1: unknown global os.system");
  EXPECT_EQ(pickle_complaint("cbuiltins\neval\n."), "pickle: byte 0: unknown global builtins.eval");
  EXPECT_EQ(pickle_complaint("cos\nsystem\n0N."), "pickle: byte 0: unknown global os.system")
      << "used or not";
  EXPECT_EQ(pickle_complaint("cbuiltins\ngetattr\n(cbuiltins\nint\nV__add__\ntR."),
            "pickle: byte 43: builtins.getattr with other arguments than Python pickles it with");
  EXPECT_EQ(pickle_complaint("cbuiltins\nint\n."),
            "pickle: byte 0: the class builtins.int stands where a value should");
  EXPECT_EQ(pickle_complaint("cbuiltins\nint\n(V5\ntR."),
            "pickle: byte 19: builtins.int with other arguments than Python pickles it with");
  EXPECT_EQ(pickle_complaint("N)R."), "pickle: byte 2: None is called");
  EXPECT_EQ(pickle_complaint("Vx\nQ."),
            "pickle: byte 3: a persistent id refers to something that is not in the pickle");
}

TEST(pickle, an_unknown_exception_can_be_read_as_one) {
  pickle_options tolerant;
  tolerant.unknown_objects_as_exceptions = true;
  // shop.PaymentFailed("declined", 7), with a member
  const std::string pickle = "cshop\nPaymentFailed\n(Vdeclined\nI7\ntR(dVretry\nI01\nsb.";
  EXPECT_EQ(pickle_complaint(pickle), "pickle: byte 0: unknown global shop.PaymentFailed");
  const auto found = read_python_exception(pickle_to_msgpack(pickle, "pickle", tolerant)).value();
  EXPECT_EQ(found.type, "shop.PaymentFailed");
  EXPECT_EQ(found.message, "[\"declined\", 7]");
  EXPECT_FALSE(read_python_exception(to_msgpack(std::map<std::string, int>{{"a", 1}, {"b", 2}})));
  EXPECT_FALSE(read_python_exception(to_msgpack(std::string("boom"))));
}

TEST(pickle, what_contains_itself_is_refused) {
  EXPECT_EQ(pickle_complaint("\x80\x04]\x94h\0a."s), "pickle: byte 2: a list contains itself");
  EXPECT_EQ(pickle_complaint("}\x94Vme\nh\0s."s), "pickle: byte 0: a dict contains itself");
  EXPECT_EQ(pickle_complaint("]\x94h\0\x85"
                             "a."s),
            "pickle: byte 0: a list contains itself");
  EXPECT_EQ(to_json(pickle_to_msgpack("]\x94h\0a0]\x94h\x01h\x01\x86."s, "pickle")), "[[], []]")
      << "what is only shared is not";
}

TEST(pickle, text_has_to_be_utf8) {
  EXPECT_EQ(pickle_complaint("X\x03\0\0\0\xed\xa0\x80."s),
            "pickle: byte 0: text has to be UTF-8, and \"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\" is not, from "
            "byte 0 "
            "on: bytes that are not text go as quarq::bytes");
  EXPECT_EQ(pickle_complaint("U\x01\xff."), "pickle: byte 0: a string of Python 2 is not ASCII");
}

TEST(pickle, a_reader_is_used_again_and_leaves_nothing_behind_what_it_refuses) {
  pickle_reader reader;
  std::string out = "<";
  reader.append_msgpack(out,
                        "\x80\x04\x8c\x01"
                        "a\x94.",
                        "pickle");
  EXPECT_THROW(reader.append_msgpack(out,
                                     "\x80\x04](K\x01"
                                     "h\0e."s,
                                     "pickle"),
               decode_error)
      << "the memo is empty";
  EXPECT_THROW(reader.append_msgpack(out,
                                     "\x80\x04](K\x01"
                                     "cbuiltins\nint\ne."s,
                                     "pickle"),
               decode_error);
  reader.append_msgpack(out, "\x80\x04K\x07.", "pickle");
  EXPECT_EQ(hex(out), hex("<\xa1"
                          "a\x07"));
}

TEST(pickle, numbers_are_written_as_python_does) {
  const auto integer = [](std::int64_t value) {
    return pickled([&](pickle_writer& out) { out.integer(value); });
  };
  EXPECT_EQ(integer(0), "4b 00");
  EXPECT_EQ(integer(255), "4b ff");
  EXPECT_EQ(integer(256), "4d 00 01");
  EXPECT_EQ(integer(65536), "4a 00 00 01 00");
  EXPECT_EQ(integer(2147483648), "8a 05 00 00 00 80 00");
  EXPECT_EQ(integer(1700000000000), "8a 06 00 68 e5 cf 8b 01");
  EXPECT_EQ(integer(-5), "4a fb ff ff ff");
  EXPECT_EQ(integer(-2147483649), "8a 08 ff ff ff 7f ff ff ff ff");
  EXPECT_EQ(pickled([](pickle_writer& out) { out.unsigned_integer(UINT64_MAX); }),
            "8a 09 ff ff ff ff ff ff ff ff 00");
  EXPECT_EQ(pickled([](pickle_writer& out) { out.real(2.5); }), "47 40 04 00 00 00 00 00 00");
}

TEST(pickle, a_job_is_written_and_read) {
  std::string out;
  pickle_writer job(out);
  job.begin_dict();
  job.text("t");
  job.none();
  job.text("f");
  job.text("the_task");
  job.text("a");
  job.msgpack_as_tuple(from_hex("9201a178"), "arguments");
  job.text("k");
  job.msgpack(from_hex("81a161c3"), "keyword arguments");
  job.text("et");
  job.integer(1700000000000);
  job.end_dict();
  job.finish();
  EXPECT_EQ(hex(pickle_to_msgpack(out, "job")), hex(from_hex(job_msgpack)));
}

TEST(pickle, what_python_s_pickles_can_not_hold) {
  const auto refused = [](std::string_view msgpack) {
    return error_of<decode_error>([&] { msgpack_to_pickle(from_hex(msgpack), "result"); });
  };
  EXPECT_EQ(refused("91 d4 05 00"),
            "result: element [0]: an extension of type 5 has no counterpart in Python");
  EXPECT_EQ(refused("81 80 c0"), "result: key 1: a map can't be a key of Python's dict");
  EXPECT_EQ(
      refused("c7 0c ff 00000000 7fffffffffffffff"),
      "result: the moment 9223372036854775807 seconds after 1970 is beyond the years 1 to 9999 that Python "
      "has");
  EXPECT_EQ(refused("c0 c0"), "result: 1 byte is left over after the value");
  std::string out;
  EXPECT_EQ(error_of<decode_error>([&] { pickle_writer(out).msgpack_as_tuple("\x01", "arguments"); }),
            "arguments: expected array, got integer");
  EXPECT_THROW(pickle_writer(out).text("\xff"), usage_error);
}

TEST(pickle, exceptions_are_written_under_the_names_that_python_knows) {
  EXPECT_EQ(written_exception("ValueError", "boom"),
            "cbuiltins\nValueError\n\x8c\x04"
            "boom\x85R");
  EXPECT_EQ(written_exception("std::invalid_argument", "boom"),
            "cbuiltins\nValueError\n\x8c\x04"
            "boom\x85R");
  EXPECT_EQ(written_exception("quarq::timed_out", ""), "casyncio.exceptions\nTimeoutError\n)R");
  EXPECT_EQ(written_exception("quarq::cancelled", "by ann"), "casyncio.exceptions\nCancelledError\n)R");
  EXPECT_EQ(written_exception("shop::closed", "on Sundays"),
            "cbuiltins\nRuntimeError\n\x8c\x18shop::closed: on Sundays\x85R");
  EXPECT_EQ(written_exception("SystemExit", ""), "cbuiltins\nRuntimeError\n\x8c\x0aSystemExit\x85R")
      << "raising it would end the program that asks";
  EXPECT_EQ(written_exception("UnicodeDecodeError", "bad"),
            "cbuiltins\nRuntimeError\n\x8c\x17UnicodeDecodeError: bad\x85R")
      << "it can't be made from one message";
  EXPECT_EQ(written_exception("KeyError", "\xff"), "cbuiltins\nKeyError\n\x8c\x03\xef\xbf\xbd\x85R");
}

}  // namespace
