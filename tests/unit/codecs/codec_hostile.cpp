// Input that somebody broke, by accident or on purpose.
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "fuzz/codec_input.hpp"
#include "unit/codecs/codec_helpers.hpp"

using namespace quarq;
using namespace quarq::codecs;
using namespace quarq::fuzz;
using namespace quarq::testing;
using namespace std::chrono_literals;

namespace {

everything sample() {
  everything value;
  value.flag = true;
  value.small = -100;
  value.big = UINT64_MAX;
  value.single = 0.5f;
  value.real = -1.25e100;
  value.text = "h\xc3\xa9llo";
  value.raw = to_bytes("\xff\x01");
  value.paint = colour::green;
  value.maybe = 70000;
  value.three = {1, -2, 3000};
  value.named = {{"a", {true, false}}, {"b", {}}};
  value.numbered = {{-7, {1, "x"}}};
  value.words = {"one", "two"};
  std::get<1>(value.two) = std::byte{200};
  value.one_of = to_bytes("bytes");
  value.fine = -5ns;
  value.coarse = std::chrono::duration<int>(90);
  value.when = std::chrono::sys_days(std::chrono::days(17956)) + 12h + 1ns;
  value.day = std::chrono::sys_days(std::chrono::days(-400));
  value.children = {everything(), everything()};
  return value;
}

TEST(codec_hostile, no_prefix_of_a_document_is_a_document) {
  const std::string whole = to_msgpack(sample());
  try_codec_input(whole);
  EXPECT_NO_THROW(from_msgpack<everything>(whole, "value"));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::string prefix = whole.substr(0, size);  // a copy of its own, so that a sanitizer sees its end
    EXPECT_THROW(from_msgpack<everything>(prefix, "value"), decode_error) << size;
    EXPECT_THROW(codecs::to_json(prefix), decode_error) << size;
    try_codec_input(prefix);
  }
}

TEST(codec_hostile, no_prefix_of_a_json_document_is_a_document) {
  const std::string whole = codecs::to_json(to_msgpack(sample()));
  EXPECT_EQ(to_msgpack(from_msgpack<everything>(codecs::json_to_msgpack(whole), "value")),
            to_msgpack(sample()))
      << "every type can be typed as JSON";
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_THROW(codecs::json_to_msgpack(whole.substr(0, size)), decode_error) << size;
}

/// What means something to msgpack or JSON.
constexpr std::string_view telling =
    "\x80\x90\xa0\xc0\xc1\xc4\xc6\xc7\xca\xcb\xcf\xd3\xd6\xd7\xdb\xdd\xdf\xff{}[]\",:0e\\";

TEST(codec_hostile, mutations_of_documents_are_read_or_refused) {
  std::mt19937 random(20190301);
  const std::string msgpack = to_msgpack(sample());
  const std::string json = codecs::to_json(msgpack);
  for (int i = 0; i < 4000; ++i) {
    try_codec_input(mutated(msgpack, telling, random));
    try_codec_input(mutated(json, telling, random));
  }
}

TEST(codec_hostile, noise_is_read_or_refused) {
  std::mt19937 random(4711);
  for (int i = 0; i < 4000; ++i) {
    std::string noise(1 + random() % 64, '\0');
    for (char& byte : noise) byte = static_cast<char>(random());
    try_codec_input(noise);
  }
}

TEST(codec_hostile, depth_bombs_are_refused) {
  for (const std::string_view opening : {"\x91", "\x81\xc0",
                                         "\x81\xa8"
                                         "children\x91"}) {
    std::string bomb;
    for (int i = 0; i < 100'000; ++i) bomb += opening;
    bomb += '\xc0';
    if (opening == "\x81\xc0") {
      EXPECT_NO_THROW(from_msgpack<everything>(bomb, "value")) << "what is unknown is skipped at any depth";
    } else {
      EXPECT_THROW(from_msgpack<everything>(bomb, "value"), decode_error);
    }
    EXPECT_THROW(codecs::to_json(bomb), decode_error);
    try_codec_input(bomb);
  }
}

TEST(codec_hostile, lengths_of_four_billion_are_refused_wherever_they_stand) {
  const std::string whole = to_msgpack(sample());
  for (const char head : {'\xc6', '\xc9', '\xdb', '\xdd', '\xdf'})
    for (std::size_t at = 0; at < whole.size(); ++at) {
      std::string broken = whole;
      broken.replace(at, 1, std::string(1, head) + "\xff\xff\xff\xff");
      try_codec_input(broken);
    }
}

TEST(codec_hostile, a_container_that_claims_four_billion_elements_gets_no_memory) {
  EXPECT_EQ(error_of<decode_error>(
                [] { from_msgpack<std::vector<everything>>(from_hex("dd ff ff ff ff 80"), "value"); }),
            "value: an array of 4294967295 can't be in the 1 byte left");
  EXPECT_EQ(
      error_of<decode_error>([] { from_msgpack<everything>(from_hex("df ff ff ff ff 80 80"), "value"); }),
      "value: a map of 4294967295 can't be in the 2 bytes left");
  EXPECT_EQ(error_of<decode_error>([] { from_msgpack<std::string>(from_hex("db ff ff ff ff 80"), "value"); }),
            "value: the data ends in the middle of string: 4294967295 bytes expected at byte 5, 1 left");
}

}  // namespace
