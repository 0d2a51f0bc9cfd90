// Pickles that somebody broke, by accident or on purpose.
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "fuzz/pickle_input.hpp"
#include "unit/codecs/codec_helpers.hpp"

using namespace quarq;
using namespace quarq::codecs::python;
using namespace quarq::fuzz;
using namespace quarq::testing;
using namespace std::string_literals;

namespace {

/// One that uses most opcodes of its protocols: a tuple of containers, numbers, times, an exception.
std::vector<std::string> samples() {
  return {
      from_hex("8004 28 8c016194 5d9428 4b01 4d0001 4affffffff 8a050000008000 474004000000000000 88 89 4e 65"
               "7d9428 6800 5d9428680065 75 8f94 28 4b01 4b02 90 74 2e"),
      "\x80\x04\x95\x2a\0\0\0\0\0\0\0}\x94(\x8c\x01t\x94N\x8c\x01"
      "f\x94\x8c\x02no\x94\x8c\x01"
      "a\x94K\x01\x85\x94\x8c\x01k\x94]\x94(h\x02G?\xf0\0\0\0\0\0\0eu."s,
      "\x80\x05(\x8c\x01x\x94\x8f\x94(K\x01K\x02\x90(K\x03\x91\x94\x96\x03\0\0\0\0\0\0\0abc\x8a\x02\x01\x02\x8b\x02\0\0\0\x01\x02\x8e\x01\0\0\0\0\0\0\0z\x8d\x01\0\0\0\0\0\0\0y}\x94(h\0\x88u)\x89M\x01\x02J\x01\x02\x03\x04t."s,
      "(dp0\nVkey\np1\n(lp2\nI1\naL23L\naF1.5\naI01\naNasVt\n(I1\nI2\ntp3\ns."s,
      "(cdatetime\ndatetime\np0\n(c_codecs\nencode\n("
      "V\x07\xe8\x01\x02\x03\x04\x05\\u0000\\u0000\\u0000\nVlatin1\ntR"
      "cdatetime\ntimezone\n(cdatetime\ntimedelta\n(I0\nI3600\nI0\ntRtRtRcuuid\nUUID\n)\x81}\x8c\x03intK\x05sbt."s,
      "cbuiltins\nValueError\n\x8c\x04"
      "boom\x85R\x94}\x94\x8c\x01xh\0sb."s,
      "(ccollections\nOrderedDict\n)R(Va\nI1\nucdecimal\nDecimal\nV1.5\n\x85Rcbuiltins\nset\n(lI1\na\x85Rt."s,
      "((i__builtin__\nset\n(c__builtin__\nset\n(lol."s,
  };
}

TEST(pickle_hostile, no_prefix_of_a_pickle_is_one) {
  for (const std::string& whole : samples()) {
    EXPECT_EQ(pickle_complaint(whole), "(no error)");
    try_pickle_input(whole);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const std::string prefix = whole.substr(0, size);
      EXPECT_THROW(pickle_to_msgpack(prefix, "pickle"), decode_error) << hex(prefix);
      try_pickle_input(prefix);
    }
  }
}

TEST(pickle_hostile, every_opcode_alone_and_upon_what_it_does_not_expect) {
  for (int opcode = 0; opcode < 256; ++opcode)
    for (const std::string_view before :
         {"", "N", "(", "(N", "NN", "((", ")", "](", "}(N", "K\1)", "N}", "cbuiltins\nset\n"})
      for (const std::string_view after :
           {"", ".", "\1.", "1\n.", "\1\n1\n.", "\0\0\0\0.", "\xff\xff\xff\xff\xff\xff\xff\xff."}) {
        const std::string pickle = std::string(before) + static_cast<char>(opcode) + std::string(after);
        try_pickle_input(pickle);
      }
}

TEST(pickle_hostile, stacks_and_marks_that_do_not_fit) {
  EXPECT_EQ(pickle_complaint(""), "pickle: byte 0: the pickle ends before its end is said");
  EXPECT_EQ(pickle_complaint("."), "pickle: byte 0: a value is missing on the stack");
  EXPECT_EQ(pickle_complaint("N(."), "pickle: byte 2: a value is missing on the stack") << "below the mark";
  EXPECT_EQ(pickle_complaint("t."), "pickle: byte 0: a mark is missing on the stack");
  EXPECT_EQ(pickle_complaint("(Ne."), "pickle: byte 2: a value is missing on the stack");
  EXPECT_EQ(pickle_complaint("](}a."), "pickle: byte 3: a value is missing on the stack");
  EXPECT_EQ(pickle_complaint("}(Nu."), "pickle: byte 3: a dict has a key without a value");
  EXPECT_EQ(pickle_complaint("(Nd."), "pickle: byte 2: a dict has a key without a value");
  EXPECT_EQ(pickle_complaint("}Na."), "pickle: byte 2: a dict is given the elements of a list");
  EXPECT_EQ(pickle_complaint(")(Ne."), "pickle: byte 3: a tuple is given the elements of a list");
  EXPECT_EQ(pickle_complaint("(N\x91(N\x90."), "pickle: byte 5: a set is given the elements of a set")
      << "a frozenset";
  EXPECT_EQ(pickle_complaint("s."), "pickle: byte 0: a value is missing on the stack");
  EXPECT_EQ(pickle_complaint("N\x87."), "pickle: byte 1: a value is missing on the stack");
  EXPECT_EQ(pickle_complaint("\x93."), "pickle: byte 0: a value is missing on the stack");
  EXPECT_EQ(pickle_complaint("NK\x01\x93."), "pickle: byte 3: the name of a global is not text");
  EXPECT_EQ(pickle_complaint("\x80\x06N."),
            "pickle: byte 0: protocol 6 of pickle is not known: 5 is the latest");
  EXPECT_EQ(pickle_complaint("z."), "pickle: byte 0: 0x7a is no opcode of a pickle");
  EXPECT_EQ(pickle_complaint("N.N"), "pickle: byte 2: 1 bytes are left over after the value");
  EXPECT_NO_THROW(pickle_to_msgpack("N(0.", "pickle")) << "a mark can be dropped";
}

TEST(pickle_hostile, lengths_beyond_the_end) {
  EXPECT_EQ(pickle_complaint("X\xff\xff\xff\xff"
                             "abc."),
            "pickle: byte 0: the pickle ends in the middle of a value: 4294967295 bytes expected, 4 left");
  EXPECT_EQ(pickle_complaint("\x8e\xff\xff\xff\xff\xff\xff\xff\xff"
                             "abc."),
            "pickle: byte 0: the pickle ends in the middle of a value: 18446744073709551615 bytes expected, "
            "4 left");
  EXPECT_EQ(pickle_complaint("\x8b\0\0\0\x40."s),
            "pickle: byte 0: the pickle ends in the middle of a value: 1073741824 bytes expected, 1 left");
  EXPECT_EQ(pickle_complaint("\x95\xff\xff\xff\xff\xff\xff\xff\xffN."),
            "pickle: byte 0: a frame of 18446744073709551615 bytes, and 2 are left");
}

TEST(pickle_hostile, the_memo_grows_no_further_than_the_pickle) {
  EXPECT_EQ(pickle_complaint("Nr\xff\xff\xff\xff."),
            "pickle: byte 1: index 4294967295 of the memo is out of range");
  EXPECT_EQ(pickle_complaint("Np18446744073709551615\n."),
            "pickle: byte 1: index 18446744073709551615 of the memo is out of range");
  EXPECT_EQ(pickle_complaint("Np18446744073709551616\n."),
            "pickle: byte 1: \"18446744073709551616\" is no index of the memo");
  EXPECT_EQ(pickle_complaint("Nq\x04."), "pickle: byte 1: index 4 of the memo is out of range");
  EXPECT_EQ(pickle_complaint("Nq\x03."), "(no error)");
  EXPECT_EQ(pickle_complaint("Np-1\n."), "pickle: byte 1: \"-1\" is no index of the memo");
  EXPECT_EQ(pickle_complaint("h\x05."), "pickle: byte 0: nothing has been put at index 5 of the memo");
}

TEST(pickle_hostile, the_memo_counts_places_and_not_how_often_they_were_filled) {
  // 1 and 2 at place 0, the latter instead of the former; 3 at the next place; then a list of places 0 and 1.
  EXPECT_EQ(codecs::to_json(pickle_to_msgpack("K\1q\0"
                                              "0K\2q\0"
                                              "0K\3\x94"
                                              "0](h\0h\1e."s,
                                              "pickle")),
            "[2, 3]");
}

TEST(pickle_hostile, integers_of_any_length_cost_no_more_than_their_bytes) {
  const std::string digits(1'000'000, '9');
  EXPECT_EQ(pickle_complaint("L" + digits + "L\n."),
            "pickle: byte 0: the int 999999999999999999999999\xe2\x80\xa6 does not fit 64 bits");
  std::string bytes = "\x8b\x40\x42\x0f\0"s + std::string(1'000'000, '\x7f') + ".";
  EXPECT_EQ(pickle_complaint(bytes), "pickle: byte 0: an int of 1000000 bytes does not fit 64 bits");
  EXPECT_EQ(pickle_complaint("I1_000\n."), "pickle: byte 0: \"1_000\" is no int");
  EXPECT_EQ(pickle_complaint("F1.5x\n."), "pickle: byte 0: \"1.5x\" is no float");
}

TEST(pickle_hostile, deep_nesting_is_refused) {
  for (const auto& [opening, closing] :
       {std::pair{"]"s, "a"s}, std::pair{"}N"s, "s"s}, std::pair{""s, "\x85"s}}) {
    const auto nested = [&, open = opening, close = closing](int levels) {
      std::string pickle;
      for (int i = 0; i < levels; ++i) pickle += open;
      pickle += 'N';
      for (int i = 0; i < levels; ++i) pickle += close;
      return pickle + '.';
    };
    EXPECT_NO_THROW(pickle_to_msgpack(nested(100), "pickle"));
    EXPECT_TRUE(pickle_complaint(nested(101)).ends_with("values are nested deeper than 100 levels"));
    EXPECT_TRUE(pickle_complaint(nested(1'000'000)).ends_with("values are nested deeper than 100 levels"));
  }
}

TEST(pickle_hostile, a_value_that_doubles_again_and_again_is_refused) {
  std::string bomb = "K\x01";
  for (int i = 0; i < 60; ++i) bomb += "2\x86";
  EXPECT_TRUE(
      pickle_complaint(bomb + ".").ends_with("values that are repeated make it grow beyond all proportion"));
  // The same of text, by way of what is decoded, and of exceptions with long names.
  std::string text = "X\x40\x42\x0f\0"s + std::string(1'000'000, 'x') +
                     "\x94"
                     "0(";
  for (int i = 0; i < 10'000; ++i) text += "c_codecs\nencode\n(h\0Vlatin1\ntR"s;
  EXPECT_TRUE(
      pickle_complaint(text + "l.").ends_with("values that are repeated make it grow beyond all proportion"));
}

TEST(pickle_hostile, what_is_built_is_not_searched_again_and_again) {
  std::string pickle = "}\x94(";
  for (int i = 0; i < 10; ++i) pickle += "VA\nN";
  pickle += "u0cuuid\nUUID\n)\x81h\0b."s;
  EXPECT_TRUE(pickle_complaint(pickle).ends_with("a UUID is given members that it does not have"));
}

TEST(pickle_hostile, values_of_classes_that_python_would_not_make) {
  const auto made = [](const std::string& class_, const std::string& arguments) {
    return pickle_complaint("c" + class_ + "\n(" + arguments + "tR.");
  };
  const std::string refused = " with other arguments than Python pickles it with";
  EXPECT_TRUE(made("datetime\ndatetime", "").ends_with("datetime.datetime" + refused));
  EXPECT_TRUE(made("datetime\ndatetime", "C\x0a\x07\xe8\x02\x1e\x03\x04\x05\0\0\0"s).ends_with(refused))
      << "30 February";
  EXPECT_TRUE(made("datetime\ndatetime", "C\x0a\x07\xe8\x02\x1c\x18\x04\x05\0\0\0"s).ends_with(refused))
      << "24 o'clock";
  EXPECT_TRUE(made("datetime\ndatetime", "C\x0a\0\0\x02\x1c\x17\x04\x05\0\0\0"s).ends_with(refused))
      << "the year 0";
  EXPECT_TRUE(made("datetime\ndatetime", "C\x0a\x07\xe8\x02\x1c\x17\x04\x05\0\0\0I1\n"s).ends_with(refused));
  EXPECT_TRUE(made("datetime\ntime", "C\x06\0\0\0\xff\xff\xff"s).ends_with(refused));
  EXPECT_TRUE(made("datetime\ntimedelta", "I1\nI2\n").ends_with(refused));
  EXPECT_TRUE(made("datetime\ntimedelta", "I999999999\nI0\nI0\n").ends_with("292 years, is the most"));
  EXPECT_TRUE(made("datetime\ntimedelta", "I106752\nI0\nI0\n").ends_with("292 years, is the most"));
  EXPECT_TRUE(made("datetime\ntimezone", "cdatetime\ntimedelta\n(I1\nI0\nI0\ntR").ends_with(refused));
  EXPECT_TRUE(made("datetime\ntimezone", "I1\n").ends_with(refused));
  EXPECT_TRUE(made("builtins\nset", "I1\n").ends_with(refused));
  EXPECT_TRUE(made("builtins\nbytearray", "I1000000000000\n").ends_with(refused)) << "a length, in Python";
  EXPECT_TRUE(made("_codecs\nencode", "Vx\nVutf-8\n").ends_with(refused));
  EXPECT_TRUE(made("_codecs\nencode", "V\\u1234\nVlatin1\n")
                  .ends_with("bytes are given as text with characters beyond U+00FF"));
  EXPECT_TRUE(made("decimal\nDecimal", "I1\n").ends_with(refused));
  EXPECT_TRUE(made("uuid\nUUID", "").ends_with("a UUID is without its number"));
  EXPECT_TRUE(pickle_complaint("cuuid\nUUID\n)\x81}\x8c\x03intJ\xff\xff\xff\xffsb.")
                  .ends_with("the number of a UUID is not one of 128 bits"));
}

/// What means something to a pickle.
constexpr std::string_view telling_pickle =
    "().0123NIJKLMGFSTUVXBCabdeghijlopqrstu}]"
    "\n\x80\x81\x85\x86\x87\x8a\x8b\x8c\x8f\x90\x91\x92\x93\x94\x95\x96\xff";

TEST(pickle_hostile, mutations_are_read_or_refused) {
  std::mt19937 random(20190301);
  for (int i = 0; i < 2000; ++i)
    for (const std::string& whole : samples()) try_pickle_input(mutated(whole, telling_pickle, random));
}

}  // namespace
